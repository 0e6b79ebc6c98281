// What happens to a run and what is to be done for it: the words between the course of a run and
// the loop that carries it out.
//
// Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/rollout/show.h"
#include "protocol/event.h"
#include "protocol/program.h"
#include "protocol/result.h"

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

using RolloutActions = std::vector<RolloutAction>;

}  // namespace drover
