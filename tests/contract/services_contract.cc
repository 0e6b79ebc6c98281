// What every kernel owes converge about services and destinations of ip_vs.

#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

class ServiceContract : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
    node_ = MakeContractNode();
  }
  Kernel& kernel() { return node_->kernel(); }

  // Adds the service with its destinations and expects to observe exactly that.
  void ExpectRoundTrip(const VirtualService& service) {
    SCOPED_TRACE(ToString(service.key) + " " + Summary(service));
    AddWhole(service);
    const DesiredState observed = MustObserve(kernel());
    const VirtualService* found = Find(observed, service.key);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, service) << Summary(*found);
    MustApply(kernel(), RemoveService{service});
    EXPECT_EQ(Find(MustObserve(kernel()), service.key), nullptr);
  }
  void AddWhole(const VirtualService& service) {
    MustApply(kernel(), AddService{service});
    for (const Destination& destination : service.destinations) {
      MustApply(kernel(), AddDestination{service.key, destination});
    }
  }
  void ExpectRefused(const ChangeAction& action, ErrorCode code, const std::string& words) {
    const DesiredState before = MustObserve(kernel());
    const Status applied = kernel().Apply({action, ""});
    ASSERT_FALSE(applied) << words;
    EXPECT_EQ(applied.error().code, code) << applied.error().message;
    EXPECT_NE(applied.error().message.find(words), std::string::npos) << applied.error().message;
    EXPECT_EQ(MustObserve(kernel()), before);
  }
  std::unique_ptr<ContractNode> node_;
};

VirtualService Web(const std::string& scheduler = "rr") {
  VirtualService service;
  service.key = Tcp("10.9.0.100:80");
  service.scheduler = scheduler;
  return service;
}

TEST_F(ServiceContract, EverySchedulerWithEveryMethodIsObservedAsItWasAdded) {
  std::vector<std::string> refused;
  for (const std::string& scheduler : KnownSchedulers()) {
    const Status added = kernel().Apply({AddService{Web(scheduler)}, ""});
    if (!added) {
      EXPECT_EQ(added.error().code, ErrorCode::kInvalid);
      EXPECT_NE(added.error().message.find("has no scheduler " + scheduler), std::string::npos);
      refused.push_back(scheduler);
      continue;
    }
    MustApply(kernel(), RemoveService{Web(scheduler)});
    for (const Forwarding forward : {Forwarding::kDr, Forwarding::kNat, Forwarding::kTun}) {
      VirtualService service = Web(scheduler);
      service.destinations = {Real("10.9.2.1", 80, forward), Real("10.9.2.2", 80, forward)};
      ExpectRoundTrip(service);
    }
  }
  // Distributions build all schedulers but the newest (Linux 5.14).
  EXPECT_TRUE(refused.empty() || refused == std::vector<std::string>{"twos"})
      << testing::PrintToString(refused);
}

TEST_F(ServiceContract, EveryWrappingIsObservedAsItWasSet) {
  VirtualService service = Web();
  service.destinations = {Real("10.9.2.1", 80, Forwarding::kTun)};
  Destination& real = service.destinations[0];
  MustApply(kernel(), AddService{service});
  MustApply(kernel(), AddDestination{service.key, real});
  for (const Wrapping& wrapping :
       {Wrapping{TunnelKind::kGre}, Wrapping{TunnelKind::kGre, 0, TunnelChecksum::kFull},
        Wrapping{TunnelKind::kGue, 6080}, Wrapping{TunnelKind::kGue, 65535, TunnelChecksum::kFull},
        Wrapping{TunnelKind::kGue, 1, TunnelChecksum::kRemote}, Wrapping{}}) {
    const Destination before = real;
    real.tunnel = wrapping;
    MustApply(kernel(), EditDestination{service.key, real, before});
    EXPECT_EQ(MustObserve(kernel()).services, std::vector{service}) << ToString(wrapping);
    MustApply(kernel(), RemoveDestination{service.key, real});
    MustApply(kernel(), AddDestination{service.key, real});
    EXPECT_EQ(MustObserve(kernel()).services, std::vector{service}) << ToString(wrapping);
  }
}

TEST_F(ServiceContract, EverySubsetOfSchedulerFlagsIsObservedAsItWasAdded) {
  for (const std::string scheduler : {"sh", "mh", "rr"}) {
    for (std::uint32_t bits = 0; bits < 8; ++bits) {
      VirtualService service = Web(scheduler);
      service.scheduler_flags = SchedulerFlagNames(scheduler, bits << 3);
      ExpectRoundTrip(service);
    }
  }
}

TEST_F(ServiceContract, EveryKindOfKeyIsObservedAsItWasAdded) {
  const std::vector<ServiceKey> keys = {
      Tcp("10.9.0.100:65535"),
      Tcp("[2001:db8:9::100]:80"),
      SocketKey{Transport::kUdp, Ip("10.9.0.100"), 53},
      SocketKey{Transport::kUdp, Ip("2001:db8:9::100"), 53},
      SocketKey{Transport::kSctp, Ip("10.9.0.100"), 80},
      FwmarkKey{1, Family::kIpv4},
      FwmarkKey{4294967295U, Family::kIpv6},
  };
  for (const ServiceKey& key : keys) {
    VirtualService service = Web();
    service.key = key;
    const auto* socket = std::get_if<SocketKey>(&key);
    const std::uint16_t port = socket == nullptr ? 0 : socket->port;
    const std::string real = FamilyOf(key) == Family::kIpv4 ? "10.9.2.1" : "2001:db8:9:2::1";
    service.destinations = {Real(real, port), Real(real, 8080, Forwarding::kNat)};
    ExpectRoundTrip(service);
  }
}

TEST_F(ServiceContract, PersistenceIsObservedAsItWasAdded) {
  for (const int length : {1, 24, 32}) {
    for (const int seconds : {1, 50, 300, 2678400}) {
      VirtualService service = Web();
      service.key = SocketKey{Transport::kTcp, Ip("10.9.0.100"), 0};
      service.persistence = Persistence{std::chrono::seconds(seconds), length, ""};
      ExpectRoundTrip(service);
    }
  }
  for (const int length : {1, 64, 128}) {
    VirtualService service = Web();
    service.key = Tcp("[2001:db8:9::100]:80");
    service.persistence = Persistence{std::chrono::seconds(60), length, ""};
    ExpectRoundTrip(service);
  }
}

TEST_F(ServiceContract, PersistenceEngineIsObservedAsItWasAdded) {
  VirtualService service = Web();
  service.key = SocketKey{Transport::kUdp, Ip("10.9.0.100"), 5060};
  service.persistence = Persistence{std::chrono::seconds(60), 32, "sip"};
  ExpectRoundTrip(service);
}

TEST_F(ServiceContract, OnePacketIsObservedAsItWasAdded) {
  VirtualService service = Web();
  service.key = SocketKey{Transport::kUdp, Ip("10.9.0.100"), 53};
  service.one_packet = true;
  ExpectRoundTrip(service);
}

TEST_F(ServiceContract, WeightsAndThresholdsAreObservedAsTheyWereAdded) {
  VirtualService service = Web("wlc");
  for (int i = 0; i < 4; ++i) {
    service.destinations.push_back(Real("10.9.2." + std::to_string(4 - i)));
  }
  service.destinations[0].weight = 0;
  service.destinations[1].weight = 65535;
  service.destinations[2].upper_threshold = 4000;  // the kernel takes 3/4 of it, and shows 0
  service.destinations[3].upper_threshold = 4000;
  service.destinations[3].lower_threshold = 4000;
  ExpectRoundTrip(service);
}

TEST_F(ServiceContract, TunnelsMixTheFamiliesAndOtherMethodsDoNot) {
  VirtualService service = Web();
  service.destinations = {Real("2001:db8:9:2::1", 80, Forwarding::kTun),
                          Real("10.9.2.1", 80, Forwarding::kDr)};
  ExpectRoundTrip(service);
  MustApply(kernel(), AddService{Web()});
  ExpectRefused(AddDestination{Web().key, Real("2001:db8:9:2::1")}, ErrorCode::kInvalid,
                "2001:db8:9:2::1");
}

TEST_F(ServiceContract, LongListsAreObservedWholeAndInOrder) {
  VirtualService service = Web();
  for (int i = 0; i < 700; ++i) {  // more than one netlink message holds
    service.destinations.push_back(
        Real("10.9." + std::to_string(2 + i / 250) + "." + std::to_string(1 + (i * 7) % 250)));
  }
  ExpectRoundTrip(service);
}

TEST_F(ServiceContract, ManyServicesAreObserved) {
  std::vector<VirtualService> services;
  for (int i = 0; i < 200; ++i) {
    VirtualService service = Web(i % 2 == 0 ? "rr" : "wlc");
    service.key = Tcp("10.9.0.100:" + std::to_string(1000 + i));
    services.push_back(service);
    MustApply(kernel(), AddService{service});
  }
  EXPECT_EQ(MustObserve(kernel()).services, services);
}

TEST_F(ServiceContract, EditChangesTheSettingsAndKeepsTheDestinations) {
  VirtualService service = Web("rr");
  service.destinations = {Real("10.9.2.1"), Real("10.9.2.2")};
  AddWhole(service);
  VirtualService edited = service;
  edited.scheduler = "sh";
  edited.scheduler_flags = {"sh-port"};
  edited.persistence = Persistence{std::chrono::seconds(120), 24, ""};
  MustApply(kernel(), EditService{edited, service});
  EXPECT_EQ(MustObserve(kernel()).services, std::vector<VirtualService>{edited});
  MustApply(kernel(), EditService{service, edited});
  EXPECT_EQ(MustObserve(kernel()).services, std::vector<VirtualService>{service});
}

TEST_F(ServiceContract, DestinationIsEditedInPlaceAndRemoved) {
  VirtualService service = Web();
  service.destinations = {Real("10.9.2.1"), Real("10.9.2.2"), Real("10.9.2.3")};
  AddWhole(service);
  Destination edited = service.destinations[1];
  edited.weight = 7;
  edited.forward = Forwarding::kNat;
  edited.upper_threshold = 10;
  MustApply(kernel(), EditDestination{service.key, edited, service.destinations[1]});
  service.destinations[1] = edited;
  EXPECT_EQ(MustObserve(kernel()).services, std::vector<VirtualService>{service});
  MustApply(kernel(), RemoveDestination{service.key, edited});
  service.destinations.erase(service.destinations.begin() + 1);
  EXPECT_EQ(MustObserve(kernel()).services, std::vector<VirtualService>{service});
}

TEST_F(ServiceContract, RemovedServiceTakesItsDestinationsAlong) {
  VirtualService service = Web();
  service.destinations = {Real("10.9.2.1")};
  AddWhole(service);
  MustApply(kernel(), RemoveService{service});
  MustApply(kernel(), AddService{service});
  EXPECT_TRUE(MustObserve(kernel()).services.at(0).destinations.empty());
}

TEST_F(ServiceContract, StaleChangesAreToldByTheirCodeAndName) {
  MustApply(kernel(), AddService{Web()});
  MustApply(kernel(), AddDestination{Web().key, Real("10.9.2.1")});
  VirtualService gone = Web();
  gone.key = Tcp("10.9.0.101:80");
  const std::string service = "service tcp 10.9.0.100:80: ";
  const std::string missing = "service tcp 10.9.0.101:80: there is no such service";
  ExpectRefused(AddService{Web()}, ErrorCode::kExists, service + "it is already there");
  ExpectRefused(EditService{gone, gone}, ErrorCode::kNotFound, missing);
  ExpectRefused(RemoveService{gone}, ErrorCode::kNotFound, missing);
  ExpectRefused(AddDestination{Web().key, Real("10.9.2.1")}, ErrorCode::kExists,
                "real server 10.9.2.1:80 of service tcp 10.9.0.100:80: it is already there");
  ExpectRefused(AddDestination{gone.key, Real("10.9.2.1")}, ErrorCode::kNotFound, missing);
  ExpectRefused(EditDestination{Web().key, Real("10.9.2.2"), Real("10.9.2.2")},
                ErrorCode::kNotFound, "there is no such real server");
  ExpectRefused(RemoveDestination{Web().key, Real("10.9.2.2")}, ErrorCode::kNotFound,
                "there is no such real server");
  ExpectRefused(RemoveDestination{gone.key, Real("10.9.2.1")}, ErrorCode::kNotFound, missing);
}

TEST_F(ServiceContract, UnknownSchedulerIsNamed) {
  ExpectRefused(AddService{Web("nosuch")}, ErrorCode::kInvalid,
                "service tcp 10.9.0.100:80: this kernel has no scheduler nosuch");
  MustApply(kernel(), AddService{Web()});
  ExpectRefused(EditService{Web("nosuch"), Web()}, ErrorCode::kInvalid,
                "this kernel has no scheduler nosuch");
}

TEST_F(ServiceContract, LowerThresholdAboveTheUpperOneIsRefused) {
  MustApply(kernel(), AddService{Web()});
  Destination destination = Real("10.9.2.1");
  destination.upper_threshold = 10;
  destination.lower_threshold = 11;
  ExpectRefused(AddDestination{Web().key, destination}, ErrorCode::kInvalid, "10.9.2.1:80");
}

}  // namespace
}  // namespace drover
