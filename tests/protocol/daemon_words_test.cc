// The rules of the words for VRRP, checks, trackers and sync daemons: each offence is named.

#include "tests/protocol/daemon_words.h"

#include <gtest/gtest.h>

#include <functional>

#include "protocol/codec.h"
#include "protocol/json_reader.h"
#include "protocol/words.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

TEST(DaemonWords, StatesWithEverythingAreValidAndComeBackEqual) {
  ASSERT_TRUE(ValidateState(DaemonState())) << ValidateState(DaemonState()).error().message;
  const Result<DesiredState> state = DecodeState(EncodeState(DaemonState()));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(*state, DaemonState());
}

TEST(DaemonWords, StatusComesBackEqual) {
  const Result<NodeStatus> status = DecodeNodeStatus(EncodeNodeStatus(RichStatus(), 2));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(*status, RichStatus());
}

// Statuses of helpers that are not replaced yet are shown beside those of new ones.
TEST(DaemonWords, AStatusOfAHelperThatDoesNotTellWhetherItPreemptsIsRead) {
  std::string text = EncodeNodeStatus(RichStatus());
  const std::string key = "\"preempts\":true,";
  const std::size_t at = text.find(key);
  ASSERT_NE(at, std::string::npos);
  text.erase(at, key.size());
  const Result<NodeStatus> status = DecodeNodeStatus(text);
  ASSERT_TRUE(status) << status.error().message;
  NodeStatus want = RichStatus();
  want.instances[0].preempts = false;
  EXPECT_EQ(*status, want);
}

TEST(DaemonWords, ADocumentOfBeforeTheDaemonIsStillRead) {
  const Result<DesiredState> state =
      DecodeState(R"({"addresses": [], "sysctls": [], "services": []})");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->empty());
}

TEST(DaemonWords, SummariesDoNotTellThePassword) {
  VrrpInstance instance = WebInstance();
  instance.password = "hunter2";
  EXPECT_EQ(Summary(instance).find("hunter2"), std::string::npos);
  EXPECT_NE(Summary(instance).find("eth0 vrid 51 v2 priority 150 every 2s nopreempt"),
            std::string::npos);
}

TEST(DaemonWords, EachOffenceOfAnInstanceIsNamed) {
  struct Case {
    std::function<void(VrrpInstance&)> spoil;
    std::string want;
  };
  const std::vector<Case> cases = {
      {[](auto& i) { i.name = "two words"; }, "is no name of a vrrp_instance"},
      {[](auto& i) { i.interface = "longer-than-15-bytes"; }, "is no interface name"},
      {[](auto& i) { i.version = 4; }, "VRRP has versions 2 and 3"},
      {[](auto& i) { i.version = 3; }, "version 3 has no password"},
      {[](auto& i) { i.advert_interval = milliseconds(500); }, "500ms needs version 3"},
      {[](auto& i) {
         i.version = 3;
         i.password.clear();
         i.advert_interval = milliseconds(15);
       },
       "in steps of 10ms, not 15ms"},
      {[](auto& i) {
         i.version = 3;
         i.password.clear();
         i.advert_interval = milliseconds(41000);
       },
       "the advert interval is 41s, not 10ms to 40950ms"},
      {[](auto& i) { i.vrid = 0; }, "virtual router id 0, not 1 to 255"},
      {[](auto& i) { i.priority = 0; }, "priority 0, not 1 to 255"},
      {[](auto& i) { i.password = "123456789"; }, "the password has more than 8 bytes"},
      {[](auto& i) { i.addresses.clear(); }, "has no address"},
      {[](auto& i) { i.addresses.push_back(i.addresses.front()); }, "10.0.0.100 is named twice"},
      {[](auto& i) { i.excluded_addresses.push_back(i.addresses.front()); }, "is named twice"},
      {[](auto& i) { i.addresses.push_back(*Prefix::Parse("2001:db8::1")); },
       "addresses of both families"},
      {[](auto& i) { i.addresses = {*Prefix::Parse("2001:db8::1")}; }, "IPv6 needs version 3"},
      {[](auto& i) { i.addresses = {*Prefix::Parse("224.0.0.1")}; },
       "224.0.0.1 cannot be a virtual address"},
      {[](auto& i) { i.unicast_peers.push_back(Ip("2001:db8::2")); }, "is not ipv4"},
      {[](auto& i) { i.unicast_peers.push_back(Ip("10.0.0.11")); },
       "10.0.0.11 cannot be a unicast peer"},
      {[](auto& i) { i.source_address = Ip("::1"); }, "the source address is not of the family"},
      {[](auto& i) { i.track.push_back(i.track.front()); }, "tracker uplink is named twice"},
      {[](auto& i) { i.track[0].weight = 254; }, "is 254, not -253 to 253"},
      {[](auto& i) { i.lease = milliseconds(1500); },
       "the kernel counts the lease in whole seconds"},
      {[](auto& i) { i.down_adverts = 0; }, "down_adverts is 0, not 1 to 100"},
      {[](auto& i) { i.announce.count = 0; }, "the count of announcements is 0, not 1 to 100"},
      {[](auto& i) { i.linger = milliseconds(6000); }, "linger is 6s, not 0s to 5s"},
  };
  for (const Case& c : cases) {
    VrrpInstance instance = WebInstance();
    c.spoil(instance);
    const Status status = ValidateInstance(instance);
    ASSERT_FALSE(status) << c.want;
    EXPECT_NE(status.error().message.find(c.want), std::string::npos) << status.error().message;
  }
}

// RFC 9568, section 5.2: the count is one byte, and the advert should travel in one piece.
TEST(DaemonWords, AnAdvertHoldsWhatItsCountAndItsLinkAllow) {
  const auto instance_with = [](std::size_t count, Family family) {
    VrrpInstance instance = WebInstance();
    instance.addresses.clear();
    for (std::size_t i = 1; i <= count; ++i) {
      const std::string text = family == Family::kIpv6 ? "2001:db8::" + std::to_string(i)
                                                       : "10.1." + std::to_string(i / 256) + "." +
                                                             std::to_string(i % 256);
      instance.addresses.push_back(*Prefix::Parse(text));
    }
    if (family == Family::kIpv4) return instance;
    instance.version = 3;
    instance.password.clear();
    instance.unicast_peers.clear();
    instance.source_address.reset();
    return instance;
  };
  EXPECT_TRUE(ValidateInstance(instance_with(255, Family::kIpv4)));
  EXPECT_TRUE(ValidateInstance(instance_with(90, Family::kIpv6)));
  const Status many = ValidateInstance(instance_with(256, Family::kIpv4));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().message,
            "vrrp_instance web: an advert holds 255 IPv4 addresses at most, not 256; put the "
            "others under excluded_addresses");
  const Status big = ValidateInstance(instance_with(91, Family::kIpv6));
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().message,
            "vrrp_instance web: an advert holds 90 IPv6 addresses at most, not 91; put the others "
            "under excluded_addresses");
}

TEST(DaemonWords, WhatPeersCannotUnderstandIsToldApart) {
  struct Case {
    std::string name;
    std::function<void(VrrpInstance&)> change;
    bool want;
  };
  const std::vector<Case> cases = {
      {"nothing", [](auto&) {}, false},
      {"priority", [](auto& i) { i.priority = 1; }, false},
      {"addresses", [](auto& i) { i.addresses.pop_back(); }, false},
      {"interval of version 2", [](auto& i) { i.advert_interval = milliseconds(1000); }, true},
      {"password", [](auto& i) { i.password = "2222"; }, true},
      {"vrid", [](auto& i) { i.vrid = 9; }, true},
      {"another unicast peer", [](auto& i) { i.unicast_peers = {Ip("10.0.0.13")}; }, false},
      {"multicast", [](auto& i) { i.unicast_peers.clear(); }, true},
      {"version",
       [](auto& i) {
         i.version = 3;
         i.password.clear();
       },
       true},
  };
  for (const Case& c : cases) {
    VrrpInstance changed = WebInstance();
    c.change(changed);
    EXPECT_EQ(SpeaksDifferently(WebInstance(), changed), c.want) << c.name;
  }
  VrrpInstance slow = WebInstance();
  slow.version = 3;
  VrrpInstance fast = slow;
  fast.advert_interval = milliseconds(100);
  EXPECT_FALSE(SpeaksDifferently(slow, fast)) << "version 3 backups learn the interval";
}

TEST(DaemonWords, EachOffenceOfAGroupIsNamed) {
  EXPECT_FALSE(ValidateGroup({.name = "g", .instances = {"a"}}));
  EXPECT_FALSE(ValidateGroup({.name = "g", .instances = {"a", "a"}}));
  EXPECT_FALSE(ValidateGroup({.name = "", .instances = {"a", "b"}}));
  EXPECT_FALSE(ValidateGroup({.name = "g", .instances = {"a", "b"}, .track = {{"t", 5}}}));
  EXPECT_TRUE(ValidateGroup({.name = "g", .instances = {"a", "b"}, .track = {{"t", 0}}}));
}

TEST(DaemonWords, EachOffenceOfATrackerIsNamed) {
  struct Case {
    TrackerTarget target;
    std::string want;
  };
  const std::vector<Case> cases = {
      {InterfaceTracker{""}, "is no interface name"},
      {ProcessTracker{""}, "names no process"},
      {ProcessTracker{"x", 0}, "the quorum must not be 0"},
      {FileTracker{"run/x"}, "\"run/x\" is no absolute path"},
      {ScriptTracker{}, "is no absolute path"},
  };
  for (const Case& c : cases) {
    const Status status = ValidateTracker(Tracker{.name = "t", .target = c.target});
    ASSERT_FALSE(status) << c.want;
    EXPECT_NE(status.error().message.find(c.want), std::string::npos) << status.error().message;
  }
  EXPECT_FALSE(ValidateTracker(
      Tracker{.name = "t", .target = FileTracker{"/x"}, .interval = milliseconds(10)}));
}

TEST(DaemonWords, EachOffenceOfACheckIsNamed) {
  struct Case {
    std::function<void(CheckSettings&)> spoil;
    std::string want;
  };
  const auto http = [](std::function<void(HttpCheck&)> change) {
    return [change = std::move(change)](CheckSettings& check) {
      HttpCheck kind;
      change(kind);
      check.kind = kind;
    };
  };
  const std::vector<Case> cases = {
      {[](auto& c) { c.interval = milliseconds(50); }, "interval is 50ms, not 100ms to 3600s"},
      {[](auto& c) { c.timeout = milliseconds(9000); }, "timeout 9s is longer than interval 5s"},
      {[](auto& c) { c.fast_interval = milliseconds(6000); }, "fast_interval is longer"},
      {[](auto& c) { c.fall = 0; }, "fall is 0, not 1 to 100"},
      {[](auto& c) { c.rise = 101; }, "rise is 101, not 1 to 100"},
      {[](auto& c) { c.jitter_percent = 51; }, "jitter is 51 %, not 0 to 50"},
      {[](auto& c) { c.port = 0; }, "the port must not be 0"},
      {http([](auto& h) { h.path = "health"; }), "must start with /"},
      {http([](auto& h) { h.path = "/a b"; }), "have no blanks"},
      {http([](auto& h) { h.host = "a\r\nX: y"; }), "host has control characters"},
      {http([](auto& h) {
         h.headers = {{"X Y", "1"}};
       }),
       "\"X Y\" cannot be a header"},
      {http([](auto& h) { h.status = {}; }), "no status would be right"},
      {http([](auto& h) {
         h.status = {{300, 200}};
       }),
       "status 300-200"},
      {http([](auto& h) { h.body_sha256 = "abc"; }), "64 hexadecimal digits"},
      {http([](auto& h) { h.tls_verify = true; }), "TLS settings go with https"},
      {[](auto& c) {
         c.kind = DnsCheck{"a..b", "A"};
       },
       "\"a..b\" is no DNS name"},
      {[](auto& c) {
         c.kind = DnsCheck{"a", "ANY"};
       },
       "\"ANY\" is no DNS type"},
      {[](auto& c) {
         c.kind = UdpCheck{std::string(1401, 'x'), ""};
       },
       "1400 bytes at most"},
      {[](auto& c) { c.kind = SmtpCheck{"a b"}; }, "cannot be a helo name"},
      {[](auto& c) { c.kind = ScriptCheck{{"check.sh"}}; }, "absolute path"},
  };
  for (const Case& c : cases) {
    CheckSettings check = CheckOf(TcpCheck{});
    c.spoil(check);
    const Status status = ValidateCheck(check);
    ASSERT_FALSE(status) << c.want;
    EXPECT_NE(status.error().message.find(c.want), std::string::npos) << status.error().message;
  }
}

TEST(DaemonWords, ThroughTheVipGoesWithTcpServicesByAddressOnly) {
  CheckSettings through;
  through.through_vip = true;
  ServiceWatch watch{.service = WebKey(), .checks = {through}};
  EXPECT_TRUE(ValidateWatch(watch));
  watch.service = FwmarkKey{3, Family::kIpv4};
  EXPECT_FALSE(ValidateWatch(watch));
  watch.service = WebKey();
  watch.checks[0].kind = PingCheck{};
  EXPECT_FALSE(ValidateWatch(watch));
  watch.checks[0].kind = TcpCheck{};
  watch.checks[0].port = 81;
  EXPECT_FALSE(ValidateWatch(watch));
}

TEST(DaemonWords, MetricsListenOnLoopbackOrASocketFileOnly) {
  const auto valid = [](const char* at) {
    DesiredState state;
    state.metrics = {{at}};
    return ValidateState(state).has_value();
  };
  for (const char* at : {"127.0.0.1:9630", "[::1]:9630", "/run/drover/metrics.sock"}) {
    EXPECT_TRUE(valid(at)) << at;
  }
  for (const char* at : {"0.0.0.0:9630", "10.0.0.1:9630", "127.0.0.1", "run/x", ""}) {
    EXPECT_FALSE(valid(at)) << at;
  }
}

TEST(DaemonWords, TheSameResourceTwiceMustSayTheSame) {
  DesiredState whole = DaemonState();
  EXPECT_TRUE(MergeInto(whole, DaemonState()));
  EXPECT_EQ(whole, DaemonState());
  DesiredState other;
  other.vrrp_instances = {WebInstance()};
  other.vrrp_instances[0].priority = 99;
  const Status merged = MergeInto(whole, other);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().message,
            "vrrp_instance web is asked for twice, with different settings");
  EXPECT_EQ(whole, DaemonState());
}

TEST(DaemonWords, APathMustFitIntoARequestLine) {
  EXPECT_TRUE(ValidateHttpPath("/").has_value());
  EXPECT_TRUE(ValidateHttpPath("/a%20b?c=d").has_value());
  EXPECT_FALSE(ValidateHttpPath("/" + std::string(4096, 'a')).has_value());
  for (const char* bad : {"", "index.html", "/a b", "/a\r\nX: y", "/\xc3\xa4"}) {
    EXPECT_FALSE(ValidateHttpPath(bad).has_value()) << bad;
  }
}

TEST(DaemonWords, SpansAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(DurationText(milliseconds(1500)), "1500ms");
  EXPECT_EQ(DurationText(milliseconds(90000)), "90s");
}

}  // namespace
}  // namespace drover
