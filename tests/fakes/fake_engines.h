// Twins of the check engine, the tracker engine and the speaker for unit tests of the daemon: they
// keep what they are told and say what tests let them say.
//
// One thread at a time.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/checks/check_engine.h"
#include "node-helper/checks/tracker_engine.h"
#include "node-helper/speaker/speaker.h"

namespace drover {

class FakeChecks : public CheckEngine {
 public:
  void Configure(const std::vector<ServiceWatch>& watches,
                 const std::vector<VirtualService>& services,
                 const std::map<ServiceKey, std::vector<Endpoint>>& in_table) override {
    std::map<std::pair<ServiceKey, Endpoint>, ServerVerdict> before = std::exchange(verdicts, {});
    for (const ServiceWatch& watch : watches) {
      for (const VirtualService& service : services) {
        if (service.key != watch.service) continue;
        for (const Destination& destination : service.destinations) {
          const auto id = std::make_pair(service.key, destination.endpoint());
          ServerVerdict verdict;
          if (const auto used = in_table.find(service.key); used != in_table.end()) {
            verdict.up = std::find(used->second.begin(), used->second.end(),
                                   destination.endpoint()) != used->second.end();
          }
          const auto known = before.find(id);
          verdicts[id] = known == before.end() ? verdict : known->second;
        }
      }
    }
  }
  std::optional<ServerVerdict> VerdictOf(const ServiceKey& service,
                                         const Endpoint& server) const override {
    const auto found = verdicts.find({service, server});
    if (found == verdicts.end()) return std::nullopt;
    return found->second;
  }
  bool decided() const override {
    return std::all_of(verdicts.begin(), verdicts.end(),
                       [](const auto& entry) { return entry.second.decided; });
  }
  std::string Freeze() const override { return "checks"; }
  void Thaw(const std::string& memory) override { thawed = memory; }
  std::map<std::string, std::uint64_t> Counters() const override { return {{"probes_tcp", 7}}; }

  void Decide(const ServiceKey& service, const Endpoint& server, bool up) {
    ServerVerdict& verdict = verdicts[{service, server}];
    verdict.up = up;
    verdict.decided = true;
    verdict.checks = {CheckStatus{"tcp", up, true, up ? "" : "connection refused",
                                  std::chrono::microseconds{250}}};
  }

  std::map<std::pair<ServiceKey, Endpoint>, ServerVerdict> verdicts;
  std::string thawed;
};

class FakeTrackers : public TrackerEngine {
 public:
  void Configure(const std::vector<Tracker>& list) override {
    statuses.clear();
    for (const Tracker& tracker : list) {
      statuses.push_back({tracker.name});
      if (const auto* link = std::get_if<InterfaceTracker>(&tracker.target)) {
        by_link[link->interface] = tracker.name;
      }
    }
  }
  void SetInterface(const std::string& interface, bool up) override {
    for (TrackerStatus& status : statuses) {
      if (by_link[interface] == status.name) Set(status, up);
    }
  }
  void SetService(const ServiceKey& service, bool has_quorum) override {
    quorums[service] = has_quorum;
  }
  std::vector<TrackerStatus> Statuses() const override { return statuses; }
  std::string Freeze() const override { return "trackers"; }
  void Thaw(const std::string& memory) override { thawed = memory; }

  std::vector<TrackerStatus> statuses;
  std::map<std::string, std::string> by_link;
  std::string thawed;
  std::map<ServiceKey, bool> quorums;

 private:
  static void Set(TrackerStatus& status, bool up) {
    status.up = up;
    status.decided = true;
    status.reason = up ? "" : "the link is down";
  }
};

// What a FakeSpeaker was told outlives it.
struct SpeakerState {
  std::vector<VrrpInstance> instances;
  std::vector<VrrpGroup> groups;
  std::map<std::string, TrackedState> tracked;
  std::map<std::string, bool> may_preempt;
  std::set<std::string> yielded;
  std::vector<SpeakerEvent> events;
  std::vector<InstanceStatus> snapshot;
  std::string remembered;
  std::vector<std::string> unsettled;
  bool frozen = false;
  bool stopped = false;
  int configured = 0;
};

class FakeSpeaker : public Speaker {
 public:
  explicit FakeSpeaker(SpeakerState& state) : state_(state) {}

  Status Configure(const std::vector<VrrpInstance>& instances,
                   const std::vector<VrrpGroup>& groups) override {
    state_.instances = instances;
    state_.groups = groups;
    ++state_.configured;
    return {};
  }
  void SettleForms(const std::vector<std::string>& unsettled) override {
    state_.unsettled = unsettled;
  }
  void Track(const std::string& instance, const TrackedState& tracked) override {
    state_.tracked[instance] = tracked;
  }
  void AllowPreempt(const std::string& instance, bool allowed) override {
    state_.may_preempt[instance] = allowed;
  }
  Status Yield(const std::string& instance) override {
    state_.yielded.insert(instance);
    return {};
  }
  void Return(const std::string& instance) override { state_.yielded.erase(instance); }
  std::vector<InstanceStatus> Snapshot() override {
    std::vector<InstanceStatus> all = state_.snapshot;
    for (InstanceStatus& one : all) one.yielded |= state_.yielded.contains(one.name);
    return all;
  }
  int event_fd() const override { return -1; }
  std::vector<SpeakerEvent> TakeEvents() override { return std::exchange(state_.events, {}); }
  std::string Freeze() override {
    state_.frozen = true;
    return "speaker";
  }
  void Stop(SpeakerStop /*how*/) override { state_.stopped = true; }

 private:
  SpeakerState& state_;
};

}  // namespace drover
