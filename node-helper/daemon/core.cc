#include "node-helper/daemon/core.h"

#include <algorithm>
#include <utility>

#include "node-helper/daemon/node_wants.h"
#include "node-helper/store/maintenance.h"
#include "node-helper/vrrp/tracking.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

std::string NameFor(const std::string& instance) { return "vrrp_instance " + instance; }

}  // namespace

void DaemonCore::SetEngines(CheckEngine* checks, TrackerEngine* trackers) {
  parts_.checks = checks;
  parts_.trackers = trackers;
}

// --- records

void DaemonCore::Begin(const std::optional<CoreMemory>& memory, Time now) {
  [[maybe_unused]] const Status none = parts_.pass_on({});  // of a process that was killed
  if (memory) {
    ran_before_ = memory->running_for;
    repairs_ = memory->repairs;
    held_with_run_ = memory->held_with_run;
    parts_.events->Remember(memory->events);
    GoOn(*memory, now);
    return;
  }
  if (const Status loaded = LoadWants(); !loaded) return;
  [[maybe_unused]] const Status taken = TakeUp(now);
  FindLeftovers();
  Look(now);
  [[maybe_unused]] const Status configured = ConfigureSpeaker();
}

void DaemonCore::GoOn(const CoreMemory& memory, Time now) {
  // Masters must go on sending before anything else is looked at.
  if (!memory.speaker.empty()) {
    if (const Status started = StartSpeaker(memory.speaker); !started) {
      SetProblem("speaker", started.error().message);
    }
  }
  parts_.checks->Thaw(memory.checks);
  // Before the speaker is configured: without a verdict of its trackers an instance is in fault.
  parts_.trackers->Thaw(memory.trackers);
  if (const Status loaded = LoadWants(); !loaded) return;
  fresh_ = false;
  pools_.Configure(wants_.services, wants_.watches);
  pools_.Recall(memory.quorums);
  [[maybe_unused]] const Status taken = TakeUp(now);
  [[maybe_unused]] const Status configured = ConfigureSpeaker();
  Look(now);
}

Status DaemonCore::LoadWants() {
  auto records = parts_.store->LoadAll();
  if (!records) {
    SetProblem("records", records.error().message);
    return Fail(records.error());
  }
  ClearProblems("records");
  DesiredState wants = NodeWants(*records);
  if (!(wants == wants_)) fresh_ = true;
  wants_ = std::move(wants);
  return {};
}

// A list that cannot be read is told about and what was known stays.
void DaemonCore::LoadDrains(Time now) {
  auto list = LoadMaintenance(*parts_.store);
  if (!list) return SetProblem("maintenance", list.error().message);
  ClearProblems("maintenance");
  if (*list == maintenance_) return;
  maintenance_ = *std::move(list);
  pools_.Drain(maintenance_, now);
}

void DaemonCore::TellDrains(const std::vector<Maintenance>& before) {
  const auto has = [](const std::vector<Maintenance>& list, const std::string& host) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Maintenance& one) { return one.host == host; });
  };
  for (const Maintenance& one : maintenance_) {
    if (has(before, one.host)) continue;
    parts_.events->Add("maintenance", one.host,
                       "begins: " + one.reason + ", by " + one.user + "@" + one.control_host);
  }
  for (const Maintenance& one : before) {
    if (!has(maintenance_, one.host)) parts_.events->Add("maintenance", one.host, "is over");
  }
}

void DaemonCore::HoldInstances() {
  if (!speaker_) return;
  for (const VrrpInstance& instance : wants_.vrrp_instances) {
    [[maybe_unused]] const Status held = speaker_->Yield(instance.name);
  }
}

Status DaemonCore::Reload(Time now) {
  const DesiredState wants_before = wants_;
  const std::vector<TrackerStatus> trackers_before = parts_.trackers->Statuses();
  const std::vector<Maintenance> maintenance_before = maintenance_;
  if (const Status loaded = LoadWants(); !loaded) return loaded;
  const Status taken = TakeUp(now);
  NoteNewTrackers(wants_before, trackers_before);
  const Status configured = ConfigureSpeaker();
  if (!(maintenance_before == maintenance_)) {
    TellDrains(maintenance_before);
    if (HoldOf(maintenance_before) == nullptr && HoldOf(maintenance_) != nullptr) HoldInstances();
    ApplyHealth(now);  // at once: who asked for it is told when it is so
  }
  return taken ? configured : taken;
}

// Everything but the speaker.
Status DaemonCore::TakeUp(Time now) {
  ObserveOnly(now);
  pools_.Configure(wants_.services, wants_.watches);
  LoadDrains(now);
  parts_.trackers->Configure(wants_.trackers);
  for (const Tracker& tracker : wants_.trackers) {
    if (const auto* link = std::get_if<InterfaceTracker>(&tracker.target)) {
      parts_.trackers->SetInterface(link->interface, parts_.link_is_up(link->interface));
    }
  }
  parts_.checks->Configure(wants_.watches, wants_.services, InTable());
  told_quorum_.clear();
  UpdatePools(now);
  parts_.measure_sync(wants_.sync_daemons);
  parts_.soon();
  const Status served = parts_.serve_metrics(wants_.metrics);
  if (served) {
    ClearProblems("metrics");
  } else {
    SetProblem("metrics", served.error().message);
  }
  return served;
}

Status DaemonCore::StartSpeaker(const std::string& remembered) {
  auto started = parts_.start_speaker(remembered);
  if (!started) return Fail(started.error());
  speaker_ = std::move(*started);
  tracked_.clear();
  parts_.listen_to_speaker(speaker_->event_fd());
  return {};
}

Status DaemonCore::ConfigureSpeaker() {
  if (!speaker_ && wants_.vrrp_instances.empty()) return {};
  ClearProblems("speaker");
  Status done;
  if (!speaker_) done = StartSpeaker("");
  if (done) done = speaker_->Configure(LingeringUntilTold(wants_), wants_.vrrp_groups);
  if (!done) {
    SetProblem("speaker", done.error().message);
    return done;
  }
  Retrack();
  return {};
}

// --- trackers

std::vector<TrackedBy> DaemonCore::UsesOf(const DesiredState& wants, const std::string& instance) {
  std::vector<TrackedBy> uses;
  for (const VrrpInstance& wanted : wants.vrrp_instances) {
    if (wanted.name == instance) uses = wanted.track;
  }
  for (const VrrpGroup& group : wants.vrrp_groups) {
    const auto& members = group.instances;
    if (std::find(members.begin(), members.end(), instance) == members.end()) continue;
    uses.insert(uses.end(), group.track.begin(), group.track.end());
  }
  return uses;
}

void DaemonCore::NoteNewTrackers(const DesiredState& wants_before,
                                 const std::vector<TrackerStatus>& before) {
  graced_.clear();
  for (const VrrpInstance& instance : wants_before.vrrp_instances) {
    const std::vector<TrackedBy> uses_before = UsesOf(wants_before, instance.name);
    for (const TrackedBy& use : UsesOf(wants_, instance.name)) {
      const bool was_used =
          std::any_of(uses_before.begin(), uses_before.end(),
                      [&](const TrackedBy& other) { return other.tracker == use.tracker; });
      const bool was_up =
          std::any_of(before.begin(), before.end(), [&](const TrackerStatus& status) {
            return status.name == use.tracker && status.decided && status.up;
          });
      if (!was_used || was_up) graced_.emplace(instance.name, use.tracker);
    }
  }
}

void DaemonCore::Retrack() {
  if (!speaker_) return;
  const std::vector<TrackerStatus> trackers = parts_.trackers->Statuses();
  std::map<std::string, TrackedState> now;
  for (const VrrpInstance& instance : wants_.vrrp_instances) {
    std::vector<TrackedBy> uses = UsesOf(wants_, instance.name);
    std::erase_if(uses, [&](const TrackedBy& use) {
      if (!graced_.contains({instance.name, use.tracker})) return false;
      return std::none_of(trackers.begin(), trackers.end(), [&](const TrackerStatus& status) {
        return status.name == use.tracker && status.decided;
      });
    });
    const TrackedState state = vrrp::Judge(uses, trackers);
    const auto before = tracked_.find(instance.name);
    if (before == tracked_.end() ? !(state == TrackedState{}) : !(before->second == state)) {
      speaker_->Track(instance.name, state);
    }
    now.emplace(instance.name, state);
  }
  tracked_ = std::move(now);
}

void DaemonCore::TrackerIsIn(const TrackerStatus& status) {
  parts_.events->Add("tracker", "tracker " + status.name,
                     (status.up ? "is up" : "is down") +
                         (status.reason.empty() ? std::string() : ": " + status.reason),
                     !status.up);
  Retrack();
}

void DaemonCore::LinkChanged(const std::string& interface) {
  const bool up = parts_.link_is_up(interface);
  for (const Tracker& tracker : wants_.trackers) {
    const auto* link = std::get_if<InterfaceTracker>(&tracker.target);
    if (link != nullptr && link->interface == interface) {
      parts_.trackers->SetInterface(interface, up);
    }
  }
}

// --- checks

void DaemonCore::VerdictIsIn(const VerdictChanged& verdict) {
  parts_.events->Add("check", "service " + ToString(verdict.service), verdict.reason, !verdict.up);
  parts_.soon();
}

void DaemonCore::PrivateServicesAre(const std::vector<VirtualService>& services) {
  for (const VirtualService& old : private_services_) {
    const bool stays =
        std::any_of(services.begin(), services.end(),
                    [&](const VirtualService& other) { return other.key == old.key; });
    if (!stays) leaving_.push_back(old);
  }
  private_services_ = services;
  std::erase_if(leaving_, [&](const VirtualService& gone) {
    return std::any_of(services.begin(), services.end(),
                       [&](const VirtualService& other) { return other.key == gone.key; });
  });
  parts_.soon();
}

void DaemonCore::UpdatePools(Time now) {
  const auto verdict_of = [this](const ServiceKey& service, const Endpoint& server) {
    return parts_.checks->VerdictOf(service, server);
  };
  pools_.Update(verdict_of, now);
  for (const VirtualService& service : wants_.services) {
    // Before its first verdicts nobody knows whether a service can be served.
    const bool decided = std::all_of(
        service.destinations.begin(), service.destinations.end(), [&](const Destination& server) {
          const auto verdict = verdict_of(service.key, server.endpoint());
          return !verdict || verdict->decided;
        });
    if (!decided) continue;
    const bool has = pools_.has_quorum(service.key);
    const auto told = told_quorum_.find(service.key);
    if (told != told_quorum_.end() && told->second == has) continue;
    const auto logged = logged_quorum_.find(service.key);
    if (logged == logged_quorum_.end() ? !has : logged->second != has) {
      parts_.events->Add("check", NameOf(service),
                         has ? "has its quorum of live real servers again"
                             : "has lost its quorum of live real servers",
                         !has);
    }
    told_quorum_[service.key] = has;
    logged_quorum_[service.key] = has;
    parts_.trackers->SetService(service.key, has);
  }
}

Overlay DaemonCore::overlay(Time now) {
  UpdatePools(now);
  return pools_.overlay();
}

// --- the speaker

void DaemonCore::SpeakerSpoke(Time now) {
  TakeSpeakersEvents();
  PassOnWhatIsDue(now);
}

void DaemonCore::TakeSpeakersEvents() {
  if (!speaker_) return;
  for (const SpeakerEvent& event : speaker_->TakeEvents()) Told(event);
}

void DaemonCore::PassOnWhatIsDue(Time now) {
  std::vector<PassedOn> due = succession_.Wanted(wants_, now);
  if (const auto next = succession_.Deadline(now)) parts_.pass_on_again(*next);
  if (due == passed_on_) return;
  passed_on_ = std::move(due);
  const Status done = parts_.pass_on(passed_on_);
  if (!done) parts_.events->Add("daemon", "", done.error().message, true);
}

void DaemonCore::Told(const SpeakerEvent& event) {
  const std::string subject = event.instance.empty() ? "" : NameFor(event.instance);
  if (const auto* moved = std::get_if<InstanceMoved>(&event.what)) {
    parts_.events->Add("vrrp", subject, moved->from + " -> " + moved->to + ": " + moved->reason,
                       moved->to == "fault");
    ClearProblems("vrrp " + event.instance);
    succession_.Moved(event.instance, *moved, event.at);
    if (moved->to == "backup" && moved->from != "master") WaitForSync(event.instance, event.at);
    if (moved->to == "backup" && HoldOf(maintenance_) != nullptr) {
      [[maybe_unused]] const Status held = speaker_->Yield(event.instance);
    }
  } else if (const auto* rival = std::get_if<RivalSeen>(&event.what)) {
    parts_.events->Add(
        "rival", subject,
        rival->address.ToString() + " is claimed by " + rival->mac + ": " + rival->answer, true);
  } else if (const auto* repaired = std::get_if<AddressRepaired>(&event.what)) {
    ++repairs_;
    parts_.events->Add("drift", repaired->resource, "was gone; set again", true);
  } else if (const auto* takeover = std::get_if<TakeoverAhead>(&event.what)) {
    succession_.Ahead(event.instance, *takeover, event.at);
  } else if (const auto* problem = std::get_if<SpeakerProblem>(&event.what)) {
    const std::string source = "vrrp " + event.instance;
    const std::string text = (subject.empty() ? "vrrp" : subject) + ": " + problem->text;
    if (!problem->over) {
      SetProblem(source, text);
    } else if (const auto known = problems_.find(source);
               known != problems_.end() && known->second == text) {
      ClearProblems(source);
    }
  }
}

// A node that comes back takes over only when it knows the connections of the master.
void DaemonCore::WaitForSync(const std::string& instance, Time now) {
  if (wants_.sync_daemons.empty() || !speaker_) return;
  const auto found =
      std::find_if(wants_.vrrp_instances.begin(), wants_.vrrp_instances.end(),
                   [&](const VrrpInstance& other) { return other.name == instance; });
  if (found == wants_.vrrp_instances.end() || found->sync_wait.count() == 0) return;
  speaker_->AllowPreempt(instance, false);
  waits_for_sync_[instance] = now;
}

// A long table takes long to compare: what counts is not how old the comparison is but that it is
// of the time after the node came back, when the table had its gap already.
bool DaemonCore::HoldsConnectionsSince(Time since) const {
  return converged_ && sync_ &&
         std::all_of(sync_->peers.begin(), sync_->peers.end(),
                     [&](const SyncPeerStatus& peer) { return sync_at_ - peer.age >= since; });
}

void DaemonCore::MayPreempt(Time now) {
  if (!speaker_) return;
  std::erase_if(waits_for_sync_, [&](const auto& waiting) {
    const auto found =
        std::find_if(wants_.vrrp_instances.begin(), wants_.vrrp_instances.end(),
                     [&](const VrrpInstance& other) { return other.name == waiting.first; });
    if (found == wants_.vrrp_instances.end()) return true;
    const bool agrees = HoldsConnectionsSince(waiting.second);
    const bool over = wants_.sync_daemons.empty() || now - waiting.second >= found->sync_wait;
    if (!agrees && !over) return false;
    parts_.events->Add(
        "sync", NameFor(waiting.first),
        agrees ? "the connection table is filled" : "no longer waits for the connection table");
    speaker_->AllowPreempt(waiting.first, true);
    return true;
  });
}

// A backup that does not get its peer's connections serves on as if nothing were; somebody has to
// say so before it is needed.
void DaemonCore::TellOfSync(const std::optional<SyncStatus>& sync, bool converged) {
  if (wants_.sync_daemons.empty() || !sync || converged == converged_) return;
  if (converged) {
    if (std::exchange(sync_lost_, false)) {
      parts_.events->Add("sync", "connection_sync", "holds the connections of its peers again");
    }
    return;
  }
  sync_lost_ = true;
  const auto worst = std::min_element(
      sync->peers.begin(), sync->peers.end(),
      [](const SyncPeerStatus& a, const SyncPeerStatus& b) { return a.held < b.held; });
  std::string text = "hears no peer's connection table any more";
  if (worst != sync->peers.end()) {
    text = "does not get all connections of " + worst->peer + ": holds " +
           std::to_string(static_cast<int>(worst->held * 100)) + " % of the settled ones";
  }
  parts_.events->Add("sync", "connection_sync", text, /*problem=*/true);
}

void DaemonCore::SyncIs(const std::optional<SyncStatus>& sync, bool converged, Time now) {
  TellOfSync(sync, converged);
  sync_ = sync;
  converged_ = converged;
  sync_at_ = now;
  MayPreempt(now);
}

Status DaemonCore::SettleForms(const std::vector<std::string>& unsettled) {
  if (speaker_) speaker_->SettleForms(unsettled);
  return {};
}

Status DaemonCore::Move(HandoverMove move, const std::vector<std::string>& instances,
                        bool with_run) {
  std::vector<std::string> names = instances;
  for (const VrrpInstance& instance : wants_.vrrp_instances) {
    if (instances.empty()) names.push_back(instance.name);
  }
  for (const std::string& name : names) {
    const bool known =
        std::any_of(wants_.vrrp_instances.begin(), wants_.vrrp_instances.end(),
                    [&](const VrrpInstance& instance) { return instance.name == name; });
    if (!known || !speaker_) {
      return Fail(ErrorCode::kNotFound, NameFor(name) + ": there is none on this node");
    }
  }
  for (const std::string& name : names) {
    held_with_run_.erase(name);
    if (move == HandoverMove::kReturn) {
      speaker_->Return(name);
      continue;
    }
    if (const Status yielded = speaker_->Yield(name); !yielded) {
      return Fail(yielded.error().In(NameFor(name)));
    }
    if (with_run) held_with_run_.insert(name);
  }
  return {};
}

// A run that follows at once has the node before it is free: it finds the instances as they are,
// and what it was told about them stays true.
void DaemonCore::EndHoldsOfRuns() {
  if (held_with_run_.empty() || !parts_.has_run || parts_.has_run()) return;
  const std::set<std::string> held = std::exchange(held_with_run_, {});
  if (!speaker_ || HoldOf(maintenance_) != nullptr) return;
  for (const InstanceStatus& instance : speaker_->Snapshot()) {
    if (!instance.yielded || !held.contains(instance.name)) continue;
    speaker_->Return(instance.name);
    parts_.events->Add("vrrp", NameFor(instance.name),
                       "was handed over for a run that has ended; may be master again");
  }
}

// --- end and upgrade

CoreMemory DaemonCore::Freeze(Time now) {
  CoreMemory memory;
  memory.checks = parts_.checks->Freeze();
  memory.trackers = parts_.trackers->Freeze();
  // Their scripts are children of this process also in its next life, which does not know them.
  parts_.end_engines();
  SetEngines(nullptr, nullptr);
  memory.quorums = pools_.Remember();
  memory.held_with_run = held_with_run_;
  memory.repairs = repairs_;
  memory.running_for = ran_before_ + std::chrono::duration_cast<milliseconds>(now - started_);
  TakeSpeakersEvents();
  memory.events = parts_.events->Newest(kMaxStatusEvents);
  // Last, because from here on no advert goes out.
  if (speaker_) memory.speaker = speaker_->Freeze();
  return memory;
}

void DaemonCore::Unfreeze(const CoreMemory& memory, Time now) {
  if (speaker_) {
    speaker_.reset();
    if (const Status started = StartSpeaker(memory.speaker); !started) {
      SetProblem("speaker", started.error().message);
    }
  }
  parts_.checks->Thaw(memory.checks);
  parts_.trackers->Thaw(memory.trackers);
  [[maybe_unused]] const Status taken = TakeUp(now);
  [[maybe_unused]] const Status configured = ConfigureSpeaker();
}

void DaemonCore::Stop() {
  if (speaker_) {
    speaker_->Stop(SpeakerStop::kHandOver);
    TakeSpeakersEvents();
    speaker_.reset();
  }
  [[maybe_unused]] const Status none = parts_.pass_on({});
  leaving_.insert(leaving_.end(), private_services_.begin(), private_services_.end());
  if (const auto kernel = OpenKernel(); kernel) RemovePrivate(**kernel);
}

// --- problems and status

void DaemonCore::SetProblem(const std::string& source, const std::string& text) {
  std::string& known = problems_[source];
  if (known == text) return;
  known = text;
  parts_.events->Add("daemon", "", text, true);
}

void DaemonCore::ClearProblems(const std::string& source) { problems_.erase(source); }

}  // namespace drover
