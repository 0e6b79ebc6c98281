// The loop that joins the parts of a run: asks Rollout what comes next, lets the hosts' threads do
// it, and shows what Rollout has to show. All I/O with hosts happens in their threads.
//
// RunLoop is called from one thread; Interrupt from any.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/rollout/rollout.h"
#include "orchestrator/run/event_queue.h"
#include "orchestrator/run/host_worker.h"

namespace drover {

// How long a host took.
struct HostTimes {
  std::chrono::microseconds connect{0};  // to its Hello
  std::chrono::microseconds work{0};     // programs at work
  int programs = 0;
  int tasks = 0;
  int changes = 0;
};

struct RunOutcome {
  std::map<std::string, Tally> tallies;
  bool interrupted = false;
  std::vector<LeftMidway> left_midway;
  RunEnd end;
  std::map<std::string, HostTimes> times;
  // A thread still hangs in a connection attempt: end the process without clearing up.
  bool thread_left_behind = false;
};

// Sees which virtual services answer from here; blocks, and returns early once `abandoned`.
using VipProber =
    std::function<std::set<SocketKey>(const ProbeVips& wanted, const std::atomic<bool>& abandoned)>;

// Asks the operator a question of yes or no; blocks as above.
using OperatorAsker =
    std::function<bool(const std::string& question, const std::atomic<bool>& abandoned)>;
// What the loop can do besides talking to hosts.
struct LoopHands {
  VipProber probe;    // none: no service answers
  OperatorAsker ask;  // none: the answer is no
};

// Lets other threads end a run.
class RunControl {
 public:
  RunControl() : queue_(std::make_shared<EventQueue>()) {}
  // The first call lets what is at work finish (a transaction: the batch, which is then confirmed),
  // the second ends the run at once (a transaction: takes it back).
  void Interrupt();

 private:
  friend RunOutcome RunLoop(const CompiledRun&, const RolloutOptions&, const SessionOpener&,
                            const std::function<void(const Shown&)>&, RunControl&,
                            const LoopHands&);
  std::shared_ptr<EventQueue> queue_;
  std::atomic<int> interrupts_{0};
};

RunOutcome RunLoop(const CompiledRun& run, const RolloutOptions& options, const SessionOpener& open,
                   const std::function<void(const Shown&)>& show, RunControl& control,
                   const LoopHands& hands = {});

}  // namespace drover
