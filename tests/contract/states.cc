#include "tests/contract/states.h"

#include <algorithm>
#include <set>

namespace drover {
namespace {

bool Coin(std::mt19937& random) { return std::uniform_int_distribution<int>(0, 1)(random) == 1; }

template <typename T>
T Pick(std::mt19937& random, const std::vector<T>& choices) {
  return choices[std::uniform_int_distribution<std::size_t>(0, choices.size() - 1)(random)];
}

std::vector<InterfaceAddress> RandomAddresses(std::mt19937& random) {
  std::vector<InterfaceAddress> addresses;
  for (const std::string ip : {"10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.1.1"}) {
    if (Coin(random)) {
      addresses.push_back(At(Pick<std::string>(random, {"lo", "eth0"}),
                             ip + Pick<std::string>(random, {"/32", "/24", "/16"})));
    }
  }
  for (const std::string ip : {"2001:db8:9::1", "2001:db8:9::2"}) {
    if (Coin(random)) {
      addresses.push_back(At(Pick<std::string>(random, {"lo", "eth0"}),
                             ip + Pick<std::string>(random, {"/128", "/64"})));
    }
  }
  for (InterfaceAddress& address : addresses) address.announce = Coin(random);
  return addresses;
}

std::vector<Sysctl> RandomSysctls(std::mt19937& random) {
  std::vector<Sysctl> sysctls;
  for (const char* key : {"net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce",
                          "net/ipv4/conf/eth0/arp_ignore", "net/ipv4/conf/eth0/send_redirects"}) {
    if (Coin(random)) sysctls.push_back({key, Pick<std::string>(random, {"0", "1", "2", "0x1"})});
  }
  if (Coin(random)) {
    sysctls.push_back({"net/ipv4/ip_local_port_range",
                       Pick<std::string>(random, {"32768\t60999", "1024 65000"})});
  }
  return sysctls;
}

Destination RandomDestination(std::mt19937& random, const ServiceKey& key, int number) {
  const bool v4 = FamilyOf(key) == Family::kIpv4;
  Destination destination;
  destination.address = Ip((v4 ? "10.9.2." : "2001:db8:9:2::") + std::to_string(number));
  destination.forward =
      Pick<Forwarding>(random, {Forwarding::kDr, Forwarding::kNat, Forwarding::kTun});
  const auto* socket = std::get_if<SocketKey>(&key);
  destination.port = socket == nullptr ? 0 : socket->port;
  destination.weight = Pick<std::uint32_t>(random, {0, 1, 3, 65535});
  if (Coin(random)) {
    destination.upper_threshold = Pick<std::uint32_t>(random, {100, 4000});
    destination.lower_threshold = Pick<std::uint32_t>(random, {0, 50, 100});
  }
  return destination;
}

VirtualService RandomService(std::mt19937& random, const ServiceKey& key) {
  VirtualService service;
  service.key = key;
  service.scheduler = Pick<std::string>(random, {"rr", "wrr", "wlc", "sh", "mh", "lblcr"});
  if (Coin(random)) service.scheduler_flags = {FlagsOfScheduler(service.scheduler).front()};
  const auto* socket = std::get_if<SocketKey>(&key);
  if (socket != nullptr && socket->transport == Transport::kUdp) service.one_packet = Coin(random);
  const bool every_port = socket != nullptr && socket->port == 0;
  if (every_port || Coin(random)) {
    service.persistence = Persistence{std::chrono::seconds(Pick<int>(random, {1, 300, 2678400})),
                                      Pick<int>(random, {32, 24, 1}), ""};
  }
  for (int number = 1; number <= 4; ++number) {
    if (Coin(random)) service.destinations.push_back(RandomDestination(random, key, number));
  }
  std::shuffle(service.destinations.begin(), service.destinations.end(), random);
  return service;
}

std::vector<VirtualService> RandomServices(std::mt19937& random) {
  const std::vector<ServiceKey> keys = {
      Tcp("10.9.0.1:80"),
      Tcp("[2001:db8:9::1]:80"),
      SocketKey{Transport::kUdp, Ip("10.9.0.1"), 53},
      SocketKey{Transport::kSctp, Ip("10.9.0.1"), 80},
      SocketKey{Transport::kTcp, Ip("10.9.0.2"), 0},
      FwmarkKey{7, Family::kIpv4},
      FwmarkKey{7, Family::kIpv6},
  };
  std::vector<VirtualService> services;
  for (const ServiceKey& key : keys) {
    if (Coin(random)) services.push_back(RandomService(random, key));
  }
  return services;
}

std::vector<SyncDaemon> RandomSyncDaemons(std::mt19937& random) {
  std::vector<SyncDaemon> daemons;
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    if (!Coin(random)) continue;
    SyncDaemon daemon;
    daemon.role = role;
    daemon.interface = "eth0";
    daemon.sync_id = Pick<std::uint8_t>(random, {0, 11, 255});
    daemon.group = Ip(Pick<std::string>(random, {"224.0.0.81", "239.1.2.3"}));
    daemon.port = Pick<std::uint16_t>(random, {8848, 60000});
    daemon.ttl = Pick<std::uint8_t>(random, {1, 3});
    daemon.max_length = Pick<std::uint16_t>(random, {0, 1200, 65535});
    daemons.push_back(daemon);
  }
  return daemons;
}

}  // namespace

InterfaceAddress At(const std::string& interface, const std::string& prefix) {
  return InterfaceAddress{interface, Prefix::Parse(prefix).value()};
}

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }

SocketKey Tcp(const std::string& endpoint) {
  const Endpoint parsed = Endpoint::Parse(endpoint).value();
  return SocketKey{Transport::kTcp, parsed.address, parsed.port};
}

Destination Real(const std::string& address, std::uint16_t port, Forwarding forward) {
  Destination destination;
  destination.address = Ip(address);
  destination.port = port;
  destination.forward = forward;
  return destination;
}

DesiredState RandomState(std::mt19937& random, bool with_services) {
  DesiredState state;
  state.addresses = RandomAddresses(random);
  state.sysctls = RandomSysctls(random);
  if (with_services) {
    state.services = RandomServices(random);
    state.sync_daemons = RandomSyncDaemons(random);
  }
  return state;
}

DesiredState MustObserve(Kernel& kernel, const std::vector<std::string>& keys) {
  Result<DesiredState> observed = kernel.Observe(keys);
  if (!observed) {
    ADD_FAILURE() << observed.error().message;
    return {};
  }
  return *observed;
}

void MustApply(Kernel& kernel, const ChangeAction& action) {
  const Status applied = kernel.Apply({action, "test"});
  EXPECT_TRUE(applied) << applied.error().message;
}

bool Holds(const DesiredState& observed, const InterfaceAddress& address) {
  return std::find(observed.addresses.begin(), observed.addresses.end(), address) !=
         observed.addresses.end();
}

const VirtualService* Find(const DesiredState& observed, const ServiceKey& key) {
  for (const VirtualService& service : observed.services) {
    if (service.key == key) return &service;
  }
  return nullptr;
}

SyncDaemon Sync(SyncRole role, std::uint8_t sync_id) {
  SyncDaemon daemon;
  daemon.role = role;
  daemon.interface = "eth0";
  daemon.sync_id = sync_id;
  return daemon;
}

}  // namespace drover
