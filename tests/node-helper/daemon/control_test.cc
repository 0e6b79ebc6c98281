#include "node-helper/daemon/control.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "node-helper/daemon/status_table.h"
#include "node-helper/daemon/upgrade.h"
#include "tests/fakes/fake_engines.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

using Json = nlohmann::json;

class Control : public ::testing::Test {
 protected:
  Control()
      : store_(folder_ / "state"),
        log_(DaemonLog::ToSyslogOr(folder_ / "log")),
        events_(EventFile{}, log_),
        core_(Parts(), now_) {
    DesiredState state = State({}, {}, {Web()});
    ServiceWatch watch;
    watch.service = Web().key;
    watch.checks = {CheckSettings{TcpCheck{}}};
    state.watches = {watch};
    VrrpInstance instance;
    instance.name = "web";
    instance.interface = "eth0";
    instance.version = 2;
    instance.password = "s3cret";
    instance.addresses = {Prefix::Parse("10.0.0.100/32").value()};
    state.vrrp_instances = {instance};
    EXPECT_TRUE(store_.Save(RecordOf("web", state)));
    core_.Begin(std::nullopt, now_);
  }
  CoreParts Parts() {
    CoreParts parts;
    parts.store = &store_;
    parts.events = &events_;
    parts.checks = &checks_;
    parts.trackers = &trackers_;
    parts.open_kernel = []() -> Result<std::unique_ptr<Kernel>> {
      return std::make_unique<FakeKernel>();
    };
    parts.start_speaker = [this](const std::string&) -> Result<std::unique_ptr<Speaker>> {
      return std::make_unique<FakeSpeaker>(speaker_);
    };
    parts.link_is_up = [](const std::string&) { return true; };
    parts.listen_to_speaker = [](int /*fd*/) {};
    parts.serve_metrics = [](const std::vector<MetricsListen>&) -> Status { return {}; };
    parts.measure_sync = [](const std::vector<SyncDaemon>&) {};
    parts.pass_on = [](const std::vector<PassedOn>&) -> Status { return {}; };
    parts.pass_on_again = [](std::chrono::steady_clock::time_point) {};
    parts.soon = [] {};
    parts.has_run = [] { return false; };
    return parts;
  }
  Json Ask(const std::string& line) {
    return Json::parse(AnswerControl(line, core_, now_, [this] { ++upgrades_; }));
  }

  TempFolder folder_;
  Store store_;
  DaemonLog log_;
  EventLog events_;
  FakeChecks checks_;
  FakeTrackers trackers_;
  SpeakerState speaker_;
  int upgrades_ = 0;
  DaemonCore::Time now_{std::chrono::seconds{1000}};
  DaemonCore core_;
};

TEST_F(Control, ReloadAnswersWithTheOverlay) {
  checks_.Decide(Web().key, Web().destinations[0].endpoint(), true);
  checks_.Decide(Web().key, Web().destinations[1].endpoint(), false);
  const Json answer = Ask(R"({"verb": "reload"})");
  ASSERT_EQ(answer.at("ok"), true);
  const auto overlay = DecodeOverlay(answer.at("overlay").dump());
  ASSERT_TRUE(overlay) << overlay.error().message;
  ASSERT_EQ(overlay->services.size(), 1U);
  EXPECT_EQ(overlay->services[0].wanted, Web());
  EXPECT_EQ(overlay->services[0].effective.destinations[0].weight, 1U);
  EXPECT_EQ(overlay->services[0].effective.destinations[1].weight, 0U);
}

TEST_F(Control, EveryVerbIsAnswered) {
  EXPECT_EQ(Ask(R"({"verb": "overlay"})").at("ok"), true);
  EXPECT_EQ(Ask(R"({"verb": "settled"})").at("open").size(), 3U);
  EXPECT_EQ(Ask(R"({"verb": "settle_forms", "unsettled": ["web"]})").at("ok"), true);
  EXPECT_EQ(speaker_.unsettled, std::vector<std::string>{"web"});
  EXPECT_EQ(Ask(R"({"verb": "yield", "instances": ["web"]})").at("ok"), true);
  EXPECT_TRUE(speaker_.yielded.contains("web"));
  EXPECT_EQ(Ask(R"({"verb": "return", "instances": []})").at("ok"), true);
  EXPECT_TRUE(speaker_.yielded.empty());
  EXPECT_EQ(Ask(R"({"verb": "yield", "instances": ["web"], "with_run": true})").at("ok"), true);
  speaker_.snapshot.resize(1);
  speaker_.snapshot.front().name = "web";
  core_.EndHoldsOfRuns();
  EXPECT_TRUE(speaker_.yielded.empty());
  EXPECT_EQ(Ask(R"({"verb": "upgrade"})").at("ok"), true);
  EXPECT_EQ(upgrades_, 1);
}

TEST_F(Control, StatusIsOneThatTheOtherSideReadsAndHasNoPassword) {
  const Json answer = Ask(R"({"verb": "status"})");
  const std::string text = answer.at("status").dump();
  const auto status = DecodeNodeStatus(text);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->services.size(), 1U);
  EXPECT_EQ(text.find("s3cret"), std::string::npos);
}

TEST_F(Control, NonsenseIsRefusedAndHarmsNothing) {
  for (const char* line : {"", "x", "[]", "{}", "{\"verb\": 7}", "{\"verb\": \"explode\"}", "null",
                           "{\"verb\": \"yield\", \"instances\": \"web\"}",
                           "{\"verb\": \"yield\", \"instances\": [1]}",
                           "{\"verb\": \"yield\", \"instances\": [\"nobody\"]}", "\xff\xfe",
                           "{\"verb\": \"\xff\"}", "{\"verb\": \"reload\""}) {
    const Json answer = Ask(line);
    EXPECT_EQ(answer.at("ok"), false) << line;
    EXPECT_FALSE(answer.at("message").get<std::string>().empty()) << line;
  }
  EXPECT_EQ(upgrades_, 0);
}

TEST(Overlays, ADamagedOneIsAnError) {
  for (const char* text : {"", "{}", "[1]", "[{}]", R"([{"wanted": {}, "effective": {}}])",
                           R"([{"wanted": 1, "effective": 2}])"}) {
    EXPECT_FALSE(DecodeOverlay(text)) << text;
  }
  EXPECT_TRUE(DecodeOverlay("[]")->services.empty());
}

TEST(Upgrade, WhatIsHandedOnComesBackAsItWas) {
  Inheritance before;
  before.core.speaker = std::string("\x00\xff{speaker", 10);
  before.core.checks = "checks";
  before.core.trackers = "trackers";
  before.core.quorums = {{"tcp 10.0.0.100:80", false}};
  before.core.events = {LoggedEvent{1, 2, "vrrp", "vrrp_instance web", "backup -> master"}};
  before.core.held_with_run = {"mail", "web"};
  before.core.repairs = 7;
  before.core.running_for = std::chrono::milliseconds{12345};
  before.lock_fd = 5;
  before.control_fd = 9;
  before.detached = true;
  const std::string bytes = EncodeInheritance(before);
  const auto after = DecodeInheritance(bytes);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->core.speaker, before.core.speaker);
  EXPECT_EQ(after->core.checks, before.core.checks);
  EXPECT_EQ(after->core.trackers, before.core.trackers);
  EXPECT_EQ(after->core.quorums, before.core.quorums);
  EXPECT_EQ(after->core.events, before.core.events);
  EXPECT_EQ(after->core.held_with_run, before.core.held_with_run);
  EXPECT_EQ(after->core.repairs, before.core.repairs);
  EXPECT_EQ(after->core.running_for, before.core.running_for);
  EXPECT_EQ(after->lock_fd, 5);
  EXPECT_EQ(after->control_fd, 9);
  EXPECT_TRUE(after->detached);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(DecodeInheritance(bytes.substr(0, length))) << length;
  }
}

TEST(StatusTable, ShowsRolesWeightsAndWhatIsWrong) {
  NodeStatus status;
  status.host = "lb1";
  status.version = "0.1.0";
  status.pid = 42;
  status.running_for = std::chrono::milliseconds{3'723'000};
  status.problems = {"address 10.0.0.9/32 on eth7: no such device"};
  InstanceStatus web;
  web.name = "web";
  web.interface = "eth0";
  web.vrid = 51;
  web.state = "backup";
  web.priority = 100;
  web.master = IpAddress::V4({10, 0, 0, 2});
  web.last_heard = std::chrono::milliseconds{120};
  web.addresses = {Prefix::Parse("10.0.0.100/32").value()};
  web.yielded = true;
  status.instances = {web};
  ServiceStatus service;
  service.service = Web().key;
  service.scheduler = "rr";
  service.watched = true;
  service.has_quorum = false;
  ServerStatus server;
  server.endpoint = Web().destinations[0].endpoint();
  server.up = false;
  server.wanted = 3;
  server.in_table = true;
  server.checks = {CheckStatus{"http", false, true, "status 500"}};
  service.servers = {server};
  status.services = {service};
  status.events = {LoggedEvent{1'700'000'000'123'456, 1, "check", "service", "is down"}};
  const std::string table = StatusTable(status);
  for (const char* part :
       {"lb1: node-helper 0.1.0, process 42, runs for 1h 2m", "PROBLEM: address 10.0.0.9/32",
        "51 v3  backup", "10.0.0.2", "120ms", "handed over", "NO QUORUM", "0 of 3",
        "http down: status 500", "22:13:20.123  check  service: is down"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
  }
}

}  // namespace
}  // namespace drover
