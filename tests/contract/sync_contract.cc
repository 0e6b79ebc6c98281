// What every kernel owes converge about the connection sync daemons of ip_vs.

#include "node-helper/converge/converge.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

class SyncContract : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
    node_ = MakeContractNode();
    // A daemon of an IPv6 group needs an address to send from (/128: usable at once).
    MustApply(kernel(), AddAddress{At("eth0", "fe80::9/128")});
  }
  Kernel& kernel() { return node_->kernel(); }
  std::vector<SyncDaemon> Running() { return MustObserve(kernel()).sync_daemons; }
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

TEST_F(SyncContract, StartedDaemonIsObservedUntilItIsStopped) {
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    for (const char* group : {"224.0.0.81", "239.255.1.1", "ff02::81"}) {
      for (const int id : {0, 1, 255}) {
        SyncDaemon daemon = Sync(role, static_cast<std::uint8_t>(id));
        daemon.group = Ip(group);
        daemon.port = id == 0 ? 8848 : 65000;
        daemon.ttl = id == 0 ? 1 : 255;
        daemon.max_length = 1300;
        MustApply(kernel(), StartSyncDaemon{daemon});
        EXPECT_EQ(Running(), std::vector<SyncDaemon>{daemon});
        MustApply(kernel(), StopSyncDaemon{daemon});
        EXPECT_EQ(Running(), std::vector<SyncDaemon>{});
      }
    }
  }
}

TEST_F(SyncContract, BothRolesRunSideBySideAndOneIsStoppedWithoutTheOther) {
  const std::vector<SyncDaemon> both = {Sync(SyncRole::kBackup, 12), Sync(SyncRole::kMaster, 11)};
  DesiredState desired;
  desired.sync_daemons = both;
  ASSERT_TRUE(Converge(kernel(), desired).ok());
  const std::vector<SyncDaemon> running = Running();
  ASSERT_EQ(running.size(), 2U);
  MustApply(kernel(), StopSyncDaemon{both[0]});
  ASSERT_EQ(Running().size(), 1U);
  EXPECT_EQ(Running()[0].role, SyncRole::kMaster);
  const ConvergeReport report = Converge(kernel(), desired);
  ASSERT_TRUE(report.ok()) << report.error->message;
  EXPECT_EQ(report.done.size(), 1U);
  EXPECT_EQ(Running(), running);
}

TEST_F(SyncContract, LengthThatTheKernelChoosesOrLimitsSettles) {
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    for (const char* group : {"224.0.0.81", "ff02::81"}) {
      for (const int length : {0, 1, 1024, 65535}) {
        DesiredState desired;
        desired.sync_daemons = {Sync(role, 1)};
        desired.sync_daemons[0].group = Ip(group);
        desired.sync_daemons[0].max_length = static_cast<std::uint16_t>(length);
        const ConvergeReport report = Converge(kernel(), desired);
        ASSERT_TRUE(report.ok()) << report.error->message;
        EXPECT_NE(Running().at(0).max_length, 0);
        EXPECT_TRUE(Converge(kernel(), desired).done.empty());
      }
    }
  }
}

TEST_F(SyncContract, ChangedSettingsRestartTheDaemon) {
  DesiredState desired;
  desired.sync_daemons = {Sync(SyncRole::kMaster, 11)};
  ASSERT_TRUE(Converge(kernel(), desired).ok());
  desired.sync_daemons[0].sync_id = 12;
  desired.sync_daemons[0].port = 9000;
  const ConvergeReport report = Converge(kernel(), desired);
  ASSERT_TRUE(report.ok()) << report.error->message;
  EXPECT_EQ(report.done.size(), 2U);
  EXPECT_EQ(Running().at(0).sync_id, 12);
  EXPECT_EQ(Running().at(0).port, 9000);
}

TEST_F(SyncContract, StaleChangesAreToldByTheirCodeAndName) {
  ExpectRefused(StopSyncDaemon{Sync(SyncRole::kMaster)}, ErrorCode::kNotFound,
                "sync daemon master: it does not run");
  MustApply(kernel(), StartSyncDaemon{Sync(SyncRole::kMaster)});
  ExpectRefused(StartSyncDaemon{Sync(SyncRole::kMaster, 7)}, ErrorCode::kExists,
                "sync daemon master: it already runs");
  ExpectRefused(StopSyncDaemon{Sync(SyncRole::kBackup)}, ErrorCode::kNotFound,
                "sync daemon backup: it does not run");
}

TEST_F(SyncContract, MissingInterfaceIsNamedAndToldBeforehand) {
  SyncDaemon daemon = Sync(SyncRole::kBackup);
  daemon.interface = "eth9";
  const std::string words = "sync daemon backup: there is no interface eth9";
  ExpectRefused(StartSyncDaemon{daemon}, ErrorCode::kInvalid, words);
  const Status rehearsed = kernel().Rehearse({StartSyncDaemon{daemon}, ""});
  ASSERT_FALSE(rehearsed);
  EXPECT_EQ(rehearsed.error().message, words);
  EXPECT_TRUE(kernel().Rehearse({StartSyncDaemon{Sync(SyncRole::kBackup)}, ""}));
}

TEST_F(SyncContract, MixedFamiliesAndDaemonsExcludeEachOther) {
  VirtualService service;
  service.key = Tcp("10.9.0.100:80");
  service.scheduler = "rr";
  const Destination mixed = Real("2001:db8:9:2::1", 80, Forwarding::kTun);
  MustApply(kernel(), AddService{service});
  MustApply(kernel(), StartSyncDaemon{Sync(SyncRole::kMaster)});
  ExpectRefused(AddDestination{service.key, mixed}, ErrorCode::kInvalid, "2001:db8:9:2::1");
  MustApply(kernel(), StopSyncDaemon{Sync(SyncRole::kMaster)});
  MustApply(kernel(), AddDestination{service.key, mixed});
  ExpectRefused(StartSyncDaemon{Sync(SyncRole::kMaster)}, ErrorCode::kInvalid,
                "mixes IPv4 and IPv6");
}

}  // namespace
}  // namespace drover
