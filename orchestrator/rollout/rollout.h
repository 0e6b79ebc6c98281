// The course of a run: plays come one after the other, each over its hosts, until the last or until
// nobody is left.
//
// Pure: Step takes an event and returns what has to be done. No thread, clock or connection here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/play_course.h"
#include "orchestrator/rollout/run_events.h"
#include "orchestrator/rollout/run_ledger.h"

namespace drover {

class Rollout {
 public:
  // `run` must outlive the rollout.
  Rollout(const CompiledRun& run, RolloutOptions options);
  Rollout(const Rollout&) = delete;
  Rollout& operator=(const Rollout&) = delete;

  std::vector<RolloutAction> Step(const RolloutEvent& event);

  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  // Of every host that has a result.
  [[nodiscard]] const std::map<std::string, Tally>& tallies() const { return ledger_.tallies; }
  // After an interrupt.
  [[nodiscard]] const std::vector<LeftMidway>& left_midway() const { return ledger_.left_midway; }

 private:
  using Actions = RolloutActions;
  enum class Phase { kIdle, kRunning, kStopping, kFinished };

  void On(const RunStarted& event, Actions& actions);
  void On(const HostSpoke& event, Actions& actions);
  void On(const HostLost& event, Actions& actions);
  void On(const StopAsked& event, Actions& actions);
  void On(const AbortAsked& event, Actions& actions);

  void BecomeFinished(Actions& actions);
  void StartPlay(Actions& actions);
  void EndPlay(Actions& actions);
  void Settle(Actions& actions);
  [[nodiscard]] const CompiledPlay& play() const { return run_.plays[play_]; }

  const CompiledRun& run_;
  RolloutOptions options_;
  RunLedger ledger_;
  Phase phase_ = Phase::kIdle;
  bool interrupted_ = false;
  std::size_t play_ = 0;
  std::optional<PlayCourse> course_;
};

}  // namespace drover
