// The course of a run: which host gets which program next, what is shown when, and when it is over.
// Plays come one after the other; in a play every host gets its tasks as one program (split only
// behind a verify task, whose judgement decides whether the host goes on, and before the settling
// of VRRP instances, which waits for the other hosts that share them); `forks` hosts work at once.
//
// Pure: Step takes an event and returns what has to be done. No thread, clock or connection here.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"
#include "orchestrator/rollout/task_order.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

struct RolloutOptions {
  RunInfo run;             // sent with every program; owner and playbook come from the CompiledRun
  std::size_t forks = 64;  // hosts at work at once
  std::chrono::milliseconds task_timeout{0};  // for tasks that set none; 0: none
};

// Events.
struct RunStarted {};
// The helper of `host` said something.
struct HostSpoke {
  std::string host;
  Event event;
};
// No connection, or it is gone; nothing more will come from `host`.
struct HostLost {
  std::string host;
  Error error;
};
// The operator wants the run to end after the tasks at work.
struct StopAsked {};
// The operator wants the run to end now.
struct AbortAsked {};
using RolloutEvent = std::variant<RunStarted, HostSpoke, HostLost, StopAsked, AbortAsked>;

// Actions. Send `program` to `host`, over the connection of its first program.
struct SendProgram {
  std::string host;
  Program program;
  bool operator==(const SendProgram&) const = default;
};
// No further program for `host`: the connection ends when the current program is through.
struct CloseHost {
  std::string host;
  bool operator==(const CloseHost&) const = default;
};
// End the connection at once; the helper finishes the task that it is at.
struct AbortHost {
  std::string host;
  bool operator==(const AbortHost&) const = default;
};
// The run is over; nothing is at work any more.
struct FinishRun {
  bool operator==(const FinishRun&) const = default;
};
using RolloutAction = std::variant<SendProgram, CloseHost, AbortHost, Shown, FinishRun>;

// A host that an interrupted run left before it was through with a play.
struct LeftMidway {
  std::string host;
  std::string task;      // the first task without a result
  bool started = false;  // that task may have been at work
  bool operator==(const LeftMidway&) const = default;
};

class Rollout {
 public:
  // `run` must outlive the rollout.
  Rollout(const CompiledRun& run, RolloutOptions options);

  std::vector<RolloutAction> Step(const RolloutEvent& event);

  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  // Of every host that has a result.
  [[nodiscard]] const std::map<std::string, Tally>& tallies() const { return tallies_; }
  // After an interrupt.
  [[nodiscard]] const std::vector<LeftMidway>& left_midway() const { return left_midway_; }

 private:
  using Actions = std::vector<RolloutAction>;
  enum class Phase { kIdle, kRunning, kStopping, kFinished };

  // One thing that a host goes through in the current play: an item of a task.
  struct Slot {
    std::size_t task = 0;
    std::size_t item = 0;
    bool last = true;                     // the last item of its task
    const HostTask* host_task = nullptr;  // null: a loop over nothing
  };
  // Where a host stands in the current play.
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

  void On(const RunStarted& event, Actions& actions);
  void On(const HostSpoke& event, Actions& actions);
  void On(const HostLost& event, Actions& actions);
  void On(const StopAsked& event, Actions& actions);
  void On(const AbortAsked& event, Actions& actions);
  void OnHelper(const std::string& host, const Hello& hello, Actions& actions);
  void OnHelper(const std::string& host, const TaskStarted& started, Actions& actions);
  void OnHelper(const std::string& host, const TaskResult& result, Actions& actions);
  void OnHelper(const std::string& host, const ProgramDone& done, Actions& actions);
  void OnHelper(const std::string& host, const SessionError& error, Actions& actions);

  void BecomeFinished(Actions& actions);
  void StartPlay(Actions& actions);
  void EndPlay(Actions& actions);
  void StartHosts(Actions& actions);
  void Settle(Actions& actions);
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
  RolloutOptions options_;
  Phase phase_ = Phase::kIdle;
  bool interrupted_ = false;
  std::size_t play_ = 0;
  std::optional<TaskOrder> order_;
  std::map<std::string, HostState> states_;  // of the hosts that take part in the current play
  std::deque<std::string> waiting_;          // not started yet in the current play
  std::size_t in_flight_ = 0;
  bool failed_in_play_ = false;
  std::set<std::string> out_;     // failed or unreachable: out for the rest of the run
  std::set<std::string> behind_;  // did not take a part of their state, though the error is ignored
  std::map<std::string, Tally> tallies_;
  std::vector<LeftMidway> left_midway_;
};

}  // namespace drover
