// A daemon's core with everything around it lent: store in a folder, fake kernel, engines, speaker.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "node-helper/daemon/core.h"
#include "node-helper/store/files.h"
#include "tests/fakes/fake_engines.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/lent_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline VrrpInstance Instance(const std::string& name = "web") {
  VrrpInstance instance;
  instance.name = name;
  instance.interface = "eth0";
  instance.addresses = {Prefix::Parse("10.0.0.200/32").value()};
  return instance;
}

inline ServiceWatch Watch() {
  ServiceWatch watch;
  watch.service = Web().key;
  watch.checks = {CheckSettings{TcpCheck{}}};
  return watch;
}

inline DesiredState WatchedWeb() {
  DesiredState state = State({}, {}, {Web()});
  state.watches = {Watch()};
  return state;
}

class DaemonFixture : public ::testing::Test {
 protected:
  DaemonFixture()
      : store_(folder_ / "state"),
        log_(DaemonLog::ToSyslogOr(folder_ / "log")),
        events_(EventFile{}, log_),
        core_(Parts(), now_) {}

  CoreParts Parts() {
    CoreParts parts;
    parts.store = &store_;
    parts.events = &events_;
    parts.checks = &checks_;
    parts.trackers = &trackers_;
    parts.open_kernel = [this]() -> Result<std::unique_ptr<Kernel>> {
      return std::make_unique<LentKernel>(kernel_);
    };
    parts.start_speaker =
        [this](const std::string& remembered) -> Result<std::unique_ptr<Speaker>> {
      speaker_.remembered = remembered;
      return std::make_unique<FakeSpeaker>(speaker_);
    };
    parts.link_is_up = [this](const std::string& name) { return !down_links_.contains(name); };
    parts.listen_to_speaker = [](int /*fd*/) {};
    parts.serve_metrics = [](const std::vector<MetricsListen>&) -> Status { return {}; };
    parts.measure_sync = [](const std::vector<SyncDaemon>&) {};
    parts.pass_on = [this](const std::vector<PassedOn>& all) -> Status {
      passed_on_ = all;
      return {};
    };
    parts.pass_on_again = [this](std::chrono::steady_clock::time_point at) { again_at_ = at; };
    parts.soon = [this] { ++asked_soon_; };
    parts.has_run = [this] { return has_run_; };
    parts.end_engines = [this] { frozen_before_engines_ended_ = speaker_.frozen; };
    return parts;
  }
  void Record(const DesiredState& state, const std::string& owner = "web") {
    ASSERT_TRUE(store_.Save(RecordOf(owner, state)));
  }
  void Begin(const DesiredState& state) {
    Record(state);
    core_.Begin(std::nullopt, now_);
  }
  void Decide(bool first, bool second) {
    checks_.Decide(Web().key, Web().destinations[0].endpoint(), first);
    checks_.Decide(Web().key, Web().destinations[1].endpoint(), second);
  }
  std::vector<std::uint32_t> Weights() {
    std::vector<std::uint32_t> weights;
    for (const Destination& destination : kernel_.state().services.at(0).destinations) {
      weights.push_back(destination.weight);
    }
    return weights;
  }
  std::string Told(const std::string& kind) {
    std::string text;
    for (const LoggedEvent& event : events_.Newest(500)) {
      if (event.kind == kind) text += event.subject + ": " + event.text + "\n";
    }
    return text;
  }
  void Later(milliseconds time) {
    now_ += time;
    core_.Look(now_);
  }

  TempFolder folder_;
  Store store_;
  DaemonLog log_;
  EventLog events_;
  std::vector<PassedOn> passed_on_;
  std::chrono::steady_clock::time_point again_at_;
  FakeKernel kernel_;
  FakeChecks checks_;
  FakeTrackers trackers_;
  SpeakerState speaker_;
  std::set<std::string> down_links_;
  int asked_soon_ = 0;
  bool has_run_ = false;
  std::optional<bool> frozen_before_engines_ended_;
  DaemonCore::Time now_{seconds{1000}};
  DaemonCore core_;
};

}  // namespace drover
