// The course of a run. Plays come one after the other, each over its hosts, until the last or until
// nobody is left. As a transaction: first every host says where it stands and is locked, before
// anything is changed anywhere; behind each batch the hosts that were changed are reached over a
// new connection and the virtual services are probed; at the end all are confirmed, or after a
// failure all are taken back.
//
// Pure: Step takes an event and returns what has to be done. No thread, clock or connection here.
// rollout.cc has the events, rollout_batches.cc the plays with their batches and waves,
// rollout_transaction.cc what comes around them.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/batches.h"
#include "orchestrator/rollout/play_course.h"
#include "orchestrator/rollout/run_end.h"
#include "orchestrator/rollout/run_events.h"
#include "orchestrator/rollout/run_ledger.h"
#include "orchestrator/rollout/transaction.h"

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
  // When it is finished.
  [[nodiscard]] const RunEnd& end() const { return end_; }

 private:
  using Actions = RolloutActions;
  using Questions = std::map<std::string, Transaction::Question>;
  enum class Phase {
    kIdle,
    kBeginning,  // hosts are asked to begin, services probed for the first time
    kSettling,   // directors are asked whether they have settled, before a wave that verifies
    kSettlingPause,
    kRunning,     // a wave of a batch is at work
    kForeseeing,  // a master says what it would change
    kHandingOver,
    kReturning,    // a master may be master again
    kHolding,      // behind a canary
    kHealth,       // directors are asked how the batch is
    kHealthPause,  // until they are asked again
    kAsking,       // the operator
    kStaggering,   // between batches
    kStopping,     // without a transaction: the tasks at work end
    kMending,      // failed hosts that the play tolerates are taken back
    kCheckingIn,   // changed hosts are reached over new connections
    kProbing,      // services that answered before are asked again
    kRenewing,     // every changed host says once more that it is there
    kConfirming,
    kReverting,
    kFinished,
  };

  void On(const RunStarted& event, Actions& actions);
  void On(const HostSpoke& event, Actions& actions);
  void On(const HostLost& event, Actions& actions);
  void On(const VipsProbed& event, Actions& actions);
  void On(const Woken& event, Actions& actions);
  void On(const OperatorSaid& event, Actions& actions);
  void On(const StopAsked& event, Actions& actions);
  void On(const AbortAsked& event, Actions& actions);

  // Moves on as far as nothing has to be waited for.
  void Advance(Actions& actions);
  void BecomeFinished(Actions& actions);
  static void Show(const Shown& shown, Actions& actions);
  // The stage is reached; of one that asks hosts, only when there are any.
  void Reach(Stage stage, std::vector<std::string> hosts, Actions& actions) const;
  void Reach(Stage stage, const Questions& questions, Actions& actions);
  void ShowAnswer(const std::string& host, Actions& actions);
  [[nodiscard]] static std::optional<Error> ErrorOf(const Result<TaskResult>& answer);
  void StartPlay(Actions& actions);
  void StartBatch(Actions& actions);
  void StartWave(Actions& actions);
  [[nodiscard]] bool HasHeir(const std::string& host) const;
  void StartForeseeing(Actions& actions);
  void EndForeseeing(Actions& actions);
  void EndHandingOver(Actions& actions);
  [[nodiscard]] bool ChangedSomething() const;
  void StartSettling(Actions& actions);
  void AskSettling(Actions& actions);
  void EndSettling(Actions& actions);
  void BeginWave(Actions& actions);
  void EndWave(Actions& actions);
  void AfterWave(Actions& actions);
  void EndReturning(Actions& actions);
  void NextWave(Actions& actions);
  [[nodiscard]] bool IsCanary() const;
  void StartHold(Actions& actions);
  void StartHealth(Actions& actions);
  void AskHealth(Actions& actions);
  void AskDirectors(Actions& actions);
  [[nodiscard]] std::map<std::string, NodeStatus> StatusesOfDirectors() const;
  void EndHealth(Actions& actions);
  void AskOperatorBehindCanary(Actions& actions);
  void EndAsking(Actions& actions);
  void Wait(Phase phase, std::chrono::milliseconds span, Actions& actions);
  void NextBatch(Actions& actions);
  void NextPlay(Actions& actions);
  [[nodiscard]] bool full() const { return options_.transaction == TransactionMode::kFull; }
  [[nodiscard]] const CompiledPlay& play() const { return run_.plays[play_]; }

  void StartBeginning(Actions& actions);
  void EndBeginning(Actions& actions);
  Questions TakeBegun();
  void ReturnAfterTakeOver();
  void JudgeBeginning(Actions& actions);
  void JudgeBatch();
  void StartMending(Actions& actions);
  void EndMending(Actions& actions);
  void StartCheckIn(Actions& actions);
  void EndCheckIn(Actions& actions);
  void StartProbe(Actions& actions);
  void SayWhatIsNotJudged(Actions& actions);
  [[nodiscard]] bool MayFail(const std::string& host) const;
  void EndProbe(Actions& actions);
  void Conclude(Actions& actions);
  void StartRenewing(Actions& actions);
  void EndRenewing(Actions& actions);
  [[nodiscard]] bool HasGoneBack(const NodeGround* ground) const;
  void LoseWhoWentBack(const std::string& host, Actions& actions);
  void StartConfirming(Actions& actions);
  void EndConfirming(Actions& actions);
  void StartReverting(Actions& actions);
  void EndReverting(Actions& actions);
  // What the host's last answer leaves it as; nothing: it has to be asked again.
  std::optional<HostEnd> EndAfterConfirm(const std::string& host, const Result<TaskResult>& answer);
  std::optional<HostEnd> EndAfterRevert(const std::string& host, const Result<TaskResult>& answer);
  bool MayTryAgain(const std::string& host, const Error& error);
  void AbortTransaction(Actions& actions);
  // The run is not to be kept; the first reason counts.
  void Fault(const std::string& reason);
  void LoseHost(const std::string& host, const std::string& what, const Error& error,
                Actions& actions);
  [[nodiscard]] Transaction::Question BeginQuestion(const std::string& host, bool fresh) const;
  [[nodiscard]] std::vector<std::string> HostsWithWork() const;
  [[nodiscard]] HostEnd EndOfUnchanged(const std::string& host) const;
  void FillEnds();

  const CompiledRun& run_;
  RolloutOptions options_;
  RunLedger ledger_;
  Phase phase_ = Phase::kIdle;
  bool interrupted_ = false;
  bool stop_ = false;  // no further play
  std::size_t play_ = 0;
  std::vector<std::vector<std::string>> batches_;  // of the play
  std::size_t batch_ = 0;
  bool batch_changed_ = false;
  std::vector<std::vector<std::string>> waves_;  // of the batch
  std::size_t wave_ = 0;
  std::optional<PlayCourse> course_;  // of the batch
  std::map<std::string, Role> roles_;
  std::vector<TaskAction> foreseen_tasks_;
  std::map<std::string, std::vector<std::string>> yielded_;  // instances that a host handed over
  bool waiting_ = false;
  bool asking_ = false;
  bool go_on_ = true;
  std::chrono::milliseconds healthy_for_{0};
  std::chrono::milliseconds health_waited_{0};
  std::chrono::milliseconds settle_waited_{0};

  Transaction book_;
  std::map<std::string, Stage> asked_;         // by which stage hosts were asked last
  std::string fault_;                          // why the run is taken back; empty: nothing wrong
  std::map<std::string, Error> begin_errors_;  // not yet shown
  std::set<std::string> not_reached_;          // at the beginning
  std::set<std::string> taken_over_;
  std::set<std::string> attempted_;
  std::set<std::string> out_before_;     // before the batch at work
  std::set<SocketKey> answered_before_;  // services, before the first change
  std::set<SocketKey> answered_;         // in the last probe
  bool probing_ = false;
  bool said_what_is_not_judged_ = false;
  bool behind_handover_ = false;      // the probe is, and not behind a wave
  std::set<std::string> checked_in_;  // in the last round of check-ins
  std::map<std::string, int> tries_;  // to confirm or take back, by host
  RunEnd end_;
};

}  // namespace drover
