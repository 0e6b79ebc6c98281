// One drill, step by step: what all steps share, in the order in which they go. The steps before
// the fault are in drill_before.cc, the fault in drill_during.cc, what comes after it in
// drill_after.cc.
//
// Only for drill_run.cc and those files. Called from one thread, once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "orchestrator/run/drill_evidence.h"
#include "orchestrator/run/drill_probes.h"
#include "orchestrator/run/drill_run.h"
#include "orchestrator/run/drill_watch.h"

namespace drover {

inline constexpr std::chrono::milliseconds kAskPatience{15000};
inline constexpr std::chrono::milliseconds kAskAgain{1000};
inline constexpr std::chrono::milliseconds kFailbackPatience{30000};

using Answers = std::map<std::string, Result<TaskResult>>;

// What an answer says, or why there is none.
template <typename Detail>
Result<Detail> DetailOf(const Result<TaskResult>& answer) {
  if (!answer) return Fail(answer.error());
  if (answer->status == TaskStatus::kFailed) {
    return Fail(answer->code.value_or(ErrorCode::kInternal), answer->message);
  }
  if (const auto* detail = std::get_if<Detail>(&answer->detail)) return *detail;
  return Fail(ErrorCode::kInternal, "the helper answered something else");
}

class DrillSteps {
 public:
  DrillSteps(const Prepared& prepared, const CommandLine& line, const DrillRequest& request,
             const DrillScreen& screen, RunInfo info, SessionOpener open);

  DrillHosts& hosts() { return hosts_; }
  DrillEnd Run();

 private:
  // Asking, and keeping what is known.
  bool Stop(int status, const std::string& why, const std::string& hint = "");
  // One task each, to the end; whoever does not answer in time has an error.
  Answers AskAll(const std::map<std::string, TaskAction>& tasks,
                 std::chrono::milliseconds patience);
  std::map<std::string, TaskAction> ForAll(const TaskAction& action) const;
  ClusterStatus AskStatus(std::chrono::milliseconds patience = kAskPatience);
  // The address of a node as the inventory has it.
  [[nodiscard]] std::optional<IpAddress> AddressOf(const std::string& host) const;
  Status Keep();
  void Reach(DrillPhase phase);
  void Pause(std::chrono::milliseconds span);
  void Say(const std::string& text) { screen_.say(text); }

  // Before the fault; false: it ends here.
  void TellOfInterrupted();
  // An interrupted drill of these nodes is closed when none of them holds anything of it.
  void CloseInterrupted();
  static Status WriteJournalAt(const std::string& path, const DrillJournal& journal);
  bool Connect();
  bool ChooseProber();
  bool Plan();
  bool Lock();
  bool LookAtAll();
  void LookAtTarget();
  // Somebody whom the fault does not touch, and whom no director stands before.
  [[nodiscard]] std::optional<Endpoint> ControlEndpoint() const;
  bool TryProbes();
  // Who is who on the prober's link; without them a report shows MACs.
  void FindMacs();
  bool PassGates();
  void FillJournal();
  bool Foretell();
  bool Agreed();

  // The fault.
  bool Prepare();
  // A failback begins with the VIP at the other director.
  bool GoAway();
  [[nodiscard]] DrillOrders OrdersFor(const std::optional<Endpoint>& marker,
                                      std::chrono::milliseconds duration) const;
  [[nodiscard]] std::optional<Endpoint> MarkerEndpoint() const;
  [[nodiscard]] CourseSettings CourseFor() const;
  void Drill();
  void ShowLive(const DrillCourse& course);
  void TakeWatched();
  // On the prober's clock: by the target's marker, else by ours.
  void PlaceInjection();

  // After it.
  void LookAfter();
  void BringBack();
  void Unlock();
  void Conclude();
  void KeepEvidence();

  const Prepared& prepared_;
  const CompiledRun& run_;
  const CommandLine& line_;
  const DrillRequest& request_;
  const DrillScreen& screen_;
  RunInfo info_;
  DrillHosts hosts_;
  std::vector<std::string> nodes_;
  std::string prober_;
  bool prober_is_local_ = true;
  ClusterStatus cluster_;
  DrillSetup setup_;
  GateLook look_;
  ProbeTrial trial_;
  bool sees_owner_ = false;
  WholeCluster whole_;
  DrillTimeline timeline_;
  DrillWatched watched_;
  DrillSnapshots snapshots_;
  std::vector<std::string> left_;
  std::optional<ProbeLog> log_;
  WallUs began_us_ = 0;
  DrillJournal journal_;
  // As it was before max_outage narrowed it: what an operator would like is no reason to abort.
  Prediction guarded_;
  std::unique_ptr<EvidenceFolder> folder_;
  std::vector<InterruptedDrill> interrupted_;
  bool locked_ = false;
  bool drilled_ = false;
  bool refused_ = false;
  DrillEnd end_;
};

}  // namespace drover
