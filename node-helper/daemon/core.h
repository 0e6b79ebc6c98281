// The daemon without its loop: what it makes of records, verdicts, trackers, the speaker's events
// and looks at the kernel, and how it tells about itself. The loop (daemon_loop.cc) brings the
// events and the time; engines, speaker and kernel are given.
//
// One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/checks/check_engine.h"
#include "node-helper/checks/tracker_engine.h"
#include "node-helper/daemon/event_log.h"
#include "node-helper/daemon/pools.h"
#include "node-helper/daemon/reconcile.h"
#include "node-helper/daemon/succession.h"
#include "node-helper/net/ipvs_stats.h"
#include "node-helper/speaker/speaker.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/node_status.h"

namespace drover {

// What the core works with. Everything but the store and the log may be made late.
struct CoreParts {
  const Store* store = nullptr;
  EventLog* events = nullptr;
  CheckEngine* checks = nullptr;
  TrackerEngine* trackers = nullptr;
  std::function<Result<std::unique_ptr<Kernel>>()> open_kernel;
  std::function<Result<std::unique_ptr<Speaker>>(const std::string& remembered)> start_speaker;
  std::function<bool(const std::string& interface)> link_is_up;
  // The speaker has started: its descriptor is to be listened to.
  std::function<void(int event_fd)> listen_to_speaker;
  // Where metrics are given from now on (none or one).
  std::function<Status(const std::vector<MetricsListen>&)> serve_metrics;
  // The sync daemons that are wanted now (daemon/sync_meter).
  std::function<void(const std::vector<SyncDaemon>&)> measure_sync;
  // Weights may have to change: ApplyHealth is to be called soon, once for many verdicts.
  std::function<void()> soon;
  // See net/pass_on.
  std::function<Status(const std::vector<PassedOn>&)> pass_on;
  // PassOnWhatIsDue is to be called then, instead of when it was asked for before.
  std::function<void(std::chrono::steady_clock::time_point)> pass_on_again;
  std::function<Result<std::vector<ServiceCounters>>()> read_counters;
  std::function<std::optional<LockHolder>()> run_holder;  // the run that has the node; may be empty
  std::function<bool()> has_run;  // a run has the node, or the node goes back; may be empty
  // Ends the engines with all that they run, and takes the status of their scripts.
  std::function<void()> end_engines;
};

// What a handler of an upgrade in place hands to the next process.
struct CoreMemory {
  std::string speaker;
  std::string checks;
  std::string trackers;
  std::map<std::string, bool> quorums;
  std::vector<LoggedEvent> events;
  std::set<std::string> held_with_run;
  std::uint64_t repairs = 0;
  std::chrono::milliseconds running_for{0};
};

// Whether every instance has its role and every check its verdict.
struct Settlement {
  std::vector<std::string> open;    // what has not, one sentence each
  std::vector<std::string> faults;  // instances in fault, with their reason
};

class DaemonCore {
 public:
  using Time = std::chrono::steady_clock::time_point;

  DaemonCore(CoreParts parts, Time now) : parts_(std::move(parts)), started_(now) {}
  void SetEngines(CheckEngine* checks, TrackerEngine* trackers);

  // First call: takes up what the process before an upgrade in place left, if anything.
  void Begin(const std::optional<CoreMemory>& memory, Time now);
  // Reads the records and hands their parts to those who carry them out. The error is the first
  // of what could not be taken up; the rest is.
  Status Reload(Time now);
  // Compares the kernel with what is wanted and repairs it; while a session is at work only what
  // checks decide.
  void Look(Time now);
  // What verdicts say goes to ip_vs at once.
  void ApplyHealth(Time now);
  // Tries again what failed, as SIGHUP asks.
  void StartAfresh() { reconciler_.StartAfresh(); }

  void VerdictIsIn(const VerdictChanged& verdict);
  void TrackerIsIn(const TrackerStatus& status);
  void PrivateServicesAre(const std::vector<VirtualService>& services);
  void LinkChanged(const std::string& interface);
  void SpeakerSpoke(Time now);
  void PassOnWhatIsDue(Time now);
  // The connection tables of the peers and ours; nothing while nobody measures. `converged`: ours
  // holds the connections of every peer (SyncMeter::Converged).
  void SyncIs(const std::optional<SyncStatus>& sync, bool converged, Time now);

  [[nodiscard]] Overlay overlay(Time now);
  [[nodiscard]] Settlement Settled() const;
  Status SettleForms(const std::vector<std::string>& unsettled);
  Status Move(HandoverMove move, const std::vector<std::string>& instances, bool with_run);
  // Lets instances that were handed over for a run be master again once no run has the node.
  void EndHoldsOfRuns();
  [[nodiscard]] NodeStatus StatusNow(Time now);
  [[nodiscard]] const DesiredState& wants() const { return wants_; }
  [[nodiscard]] bool ramping() const { return pools_.ramping(); }
  [[nodiscard]] const CheckEngine* checks() const { return parts_.checks; }
  [[nodiscard]] EventLog& events() const { return *parts_.events; }

  // Everything stands still afterwards, and the engines are gone. When the next process did not
  // come: SetEngines with new ones, then Unfreeze.
  CoreMemory Freeze(Time now);
  void Unfreeze(const CoreMemory& memory, Time now);
  // Hands over and takes back what is only ours (private services).
  void Stop();

 private:
  struct Repeats {
    Time since;
    int times = 0;
  };
  void GoOn(const CoreMemory& memory, Time now);
  Status LoadWants();
  void LoadDrains(Time now);
  void TellDrains(const std::vector<Maintenance>& before);
  Status TakeUp(Time now);
  Status StartSpeaker(const std::string& remembered);
  Status ConfigureSpeaker();
  void Retrack();
  // By the instance itself and by its groups.
  static std::vector<TrackedBy> UsesOf(const DesiredState& wants, const std::string& instance);
  // A tracker that a running instance gets, or that is watched anew, does not put it into fault
  // before its first verdict.
  void NoteNewTrackers(const DesiredState& wants_before, const std::vector<TrackerStatus>& before);
  void UpdatePools(Time now);
  Result<Kernel*> OpenKernel();
  void ObserveOnly(Time now);
  void SeeWhetherAllIsSet();
  void FindLeftovers();
  void RemovePrivate(Kernel& kernel);
  [[nodiscard]] std::map<ServiceKey, std::vector<Endpoint>> InTable() const;
  [[nodiscard]] DesiredState WantedNow() const;
  // Checks decide it, or it is only ours: also done while a session is at work.
  [[nodiscard]] bool IsOfHealth(const Change& change) const;
  void RetryProblems(Time now);
  void TellRepairs(const LookReport& report, Time now);
  void TellFailures(const std::vector<std::string>& failures);
  void TakeSpeakersEvents();
  void Told(const SpeakerEvent& event);
  void WaitForSync(const std::string& instance, Time now);
  void MayPreempt(Time now);
  void TellOfSync(const std::optional<SyncStatus>& sync, bool converged);
  // Compared since then, our table holds the connections of every peer.
  [[nodiscard]] bool HoldsConnectionsSince(Time since) const;
  // While this node is under maintenance its instances leave the addresses to others.
  void HoldInstances();
  [[nodiscard]] ServiceStatus StatusOf(const VirtualService& service) const;
  // By where they come from ("records", "vrrp web"); logged when they come.
  void SetProblem(const std::string& source, const std::string& text);
  void ClearProblems(const std::string& source);

  CoreParts parts_;
  Time started_;
  std::chrono::milliseconds ran_before_{0};
  DesiredState wants_;
  std::vector<Maintenance> maintenance_;
  Pools pools_;
  Reconciler reconciler_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<Speaker> speaker_;
  std::map<std::string, TrackedState> tracked_;
  std::set<std::pair<std::string, std::string>> graced_;  // instance and tracker
  std::vector<VirtualService> private_services_;
  std::vector<VirtualService> leaving_;  // private services that are to be removed
  std::map<std::string, std::string> problems_;
  std::vector<std::string> last_failures_;
  std::map<std::string, Repeats> repeats_;
  Succession succession_;
  std::vector<PassedOn> passed_on_;
  std::set<std::string> held_with_run_;  // instances that were handed over until the run ends
  std::map<std::string, Time> waits_for_sync_;  // instances that may not preempt yet, since when
  std::optional<SyncStatus> sync_;
  bool converged_ = false;
  bool sync_lost_ = false;  // told of, and not yet told to be over
  Time sync_at_{};
  std::vector<ServiceCounters> counters_;
  Time counters_at_{};
  std::map<ServiceKey, bool> told_quorum_;  // to the trackers, since the last Configure
  std::map<ServiceKey, bool> logged_quorum_;
  Time next_retry_{};
  int retries_ = 0;
  std::uint64_t repairs_ = 0;
  bool session_at_work_ = false;
  bool fresh_ = true;  // what the next look sets was just recorded: that is no drift
};

}  // namespace drover
