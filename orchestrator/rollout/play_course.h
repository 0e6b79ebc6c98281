// The course of one play over some of its hosts: every host gets its tasks as one program (split
// only behind a verify task, whose judgement decides whether the host goes on, and before the
// settling of VRRP instances, which waits for the other hosts that share them); `forks` hosts work
// at once.
//
// Pure. Which hosts, in which order, and what failures mean for the run is rollout.h's business.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/run_events.h"
#include "orchestrator/rollout/run_ledger.h"
#include "orchestrator/rollout/task_order.h"

namespace drover {

class PlayCourse {
 public:
  // `run`, `options` and `ledger` must outlive the course. `hosts` are those that take part.
  PlayCourse(const CompiledRun& run, const RolloutOptions& options, std::size_t play,
             const std::vector<std::string>& hosts, RunLedger& ledger);

  // Shows the banners, and what is known without asking anybody.
  void Start(RolloutActions& actions);
  // These hosts begin, as soon as there is a fork for them.
  void Begin(const std::vector<std::string>& hosts, RolloutActions& actions);
  // Programs for all for whom nothing has to be waited for any more.
  void MoveOn(RolloutActions& actions);
  void Heard(const std::string& host, const Event& event, RolloutActions& actions);
  void Lost(const std::string& host, const Error& error, RolloutActions& actions);
  // A host that did not even get to its first program.
  void Fail(const std::string& host, const Error& error, RolloutActions& actions);
  // What the host is to do, without what is only looked at.
  [[nodiscard]] std::vector<TaskAction> ActionsOf(const std::string& host) const;
  // One of these hosts is to verify something.
  [[nodiscard]] bool Verifies(const std::vector<std::string>& hosts) const;
  // Nobody waits any more for hosts whose turn did not come.
  void LeaveOutRest(RolloutActions& actions);
  // Lets the tasks at work finish and sends no more programs.
  void Stop(RolloutActions& actions);
  // Leaves the tasks at work.
  void Abort(RolloutActions& actions);

  // All that began is through, or held until others begin.
  [[nodiscard]] bool at_rest() const { return in_flight_ == 0 && (stopping_ || waiting_.empty()); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  using Actions = RolloutActions;

  // One thing that a host goes through: an item of a task.
  struct Slot {
    std::size_t task = 0;
    std::size_t item = 0;
    bool last = true;                     // the last item of its task
    const HostTask* host_task = nullptr;  // null: a loop over nothing
  };
  // Where a host stands.
  struct HostState {
    std::vector<Slot> slots;
    std::size_t next = 0;         // first slot without a result
    std::size_t program_end = 0;  // slots before it were sent
    bool in_flight = false;
    bool holds = false;         // before its settling, until those that share its instances are too
    bool task_at_work = false;  // as far as we were told
    bool any_changed = false;   // of the items of the current task
    bool any_ran = false;
    bool any_ignored = false;
  };

  void On(const std::string& host, const Hello& hello, Actions& actions);
  void On(const std::string& host, const TaskStarted& started, Actions& actions);
  void On(const std::string& host, const TaskResult& result, Actions& actions);
  void On(const std::string& host, const ProgramDone& done, Actions& actions);
  void On(const std::string& host, const SessionError& error, Actions& actions);
  // No task of a play is watched.
  void On(const std::string& /*host*/, const TaskProgress& /*progress*/, Actions& /*actions*/) {}

  void StartHosts(Actions& actions);
  void SendNextProgram(const std::string& host, HostState& state, Actions& actions);
  void ReleaseHeld(Actions& actions);
  [[nodiscard]] bool Shares(const std::string& host) const;
  [[nodiscard]] bool PeersAreThrough(const std::string& host) const;
  [[nodiscard]] std::vector<std::string> UnsettledOf(const std::string& host) const;
  void ShowSkips(const std::string& host, HostState& state, Actions& actions);
  void Record(const std::string& host, HostState& state, HostResult result, bool fatal,
              Actions& actions);
  void FailHost(const std::string& host, const Error& error, bool unreachable, Actions& actions);
  void TakeOut(const std::string& host, Actions& actions);
  void LeaveMidway(const std::string& host, HostState& state, Actions& actions);
  void Count(const HostResult& result, const HostState& state);
  [[nodiscard]] std::vector<Slot> SlotsOf(const std::string& host) const;
  [[nodiscard]] static bool IsSkip(const Slot& slot);
  [[nodiscard]] static bool IsSettling(const Slot& slot);
  [[nodiscard]] const CompiledPlay& play() const { return run_.plays[play_]; }
  static void Append(std::vector<Shown> shown, Actions& actions);

  const CompiledRun& run_;
  const RolloutOptions& options_;
  std::size_t play_;
  RunLedger& ledger_;
  TaskOrder order_;
  std::vector<std::string> hosts_;
  std::map<std::string, HostState> states_;
  std::deque<std::string> waiting_;  // not started yet
  std::size_t in_flight_ = 0;
  bool stopping_ = false;
  bool failed_ = false;
};

}  // namespace drover
