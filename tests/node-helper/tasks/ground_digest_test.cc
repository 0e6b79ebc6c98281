// What a plan depends on moves the digest; what moves by itself does not.
#include "node-helper/tasks/ground_digest.h"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "tests/node-helper/store/samples.h"

namespace drover {
namespace {

class Ground : public ::testing::Test {
 protected:
  Ground() {
    record_ = RecordOf("web", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()}));
    VrrpInstance instance;
    instance.name = "web";
    instance.interface = "eth0";
    instance.addresses = {Prefix::Parse("10.0.0.200/32").value()};
    record_.state.vrrp_instances = {instance};
    observed_ =
        State({Vip("10.0.0.100/32"), Vip("10.0.0.1/24", "eth0")}, {ArpIgnore("1")}, {Web()});
    overlay_.services = {{Web(), Web()}};
  }
  std::string Digest() { return GroundDigest("web", {record_}, observed_, overlay_); }

  OwnerRecord record_;
  DesiredState observed_;
  Overlay overlay_;
};

TEST_F(Ground, StaysWhenAMasterTakesOrLeavesItsAddresses) {
  const std::string before = Digest();
  observed_.addresses.push_back(Vip("10.0.0.200/32", "eth0"));
  EXPECT_EQ(Digest(), before);
}

TEST_F(Ground, StaysWhenAVerdictChangesAWeight) {
  const std::string before = Digest();
  observed_.services[0].destinations[0].weight = 0;
  overlay_.services[0].effective.destinations[0].weight = 0;
  EXPECT_EQ(Digest(), before);
  overlay_.services[0].effective.destinations.erase(
      overlay_.services[0].effective.destinations.begin());
  observed_.services[0].destinations.erase(observed_.services[0].destinations.begin());
  EXPECT_EQ(Digest(), before);
}

TEST_F(Ground, StaysWhenTheDaemonMakesWaysOfItsOwn) {
  const std::string before = Digest();
  VirtualService own = Web();
  own.key = FwmarkKey{0x44520001, Family::kIpv4};
  observed_.services.push_back(own);
  observed_.addresses.push_back(Vip("fe80::1/64", "eth0"));
  EXPECT_EQ(Digest(), before);
}

TEST_F(Ground, MovesWithEveryDriftAndEveryRun) {
  const std::string before = Digest();
  const auto moves = [&](const std::function<void()>& change) {
    const auto saved = std::tuple(record_, observed_);
    change();
    EXPECT_NE(Digest(), before);
    std::tie(record_, observed_) = saved;
    EXPECT_EQ(Digest(), before);
  };
  moves([&] { observed_.addresses.pop_back(); });
  moves([&] { observed_.addresses.push_back(Vip("10.0.0.7/32")); });
  moves([&] { observed_.sysctls[0].value = "0"; });
  moves([&] { observed_.services[0].scheduler = "wlc"; });
  moves([&] { observed_.services[0].destinations.pop_back(); });
  moves([&] { observed_.services.clear(); });
  moves([&] { ++record_.generation; });
  moves([&] { record_.complete = false; });
  moves([&] { record_.state.vrrp_instances[0].priority = 7; });
  moves([&] { record_.original_sysctls["net/ipv4/ip_forward"] = "0"; });
}

TEST_F(Ground, MovesWhenAServerWithoutChecksGetsAnotherWeight) {
  overlay_.services.clear();
  const std::string before = Digest();
  observed_.services[0].destinations[0].weight = 5;
  EXPECT_NE(Digest(), before);
}

}  // namespace
}  // namespace drover
