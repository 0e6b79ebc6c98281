// What happens to a run and what is to be done for it: the words between the course of a run and
// the loop that carries it out.
//
// Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/rollout/show.h"
#include "protocol/event.h"
#include "protocol/program.h"
#include "protocol/result.h"
#include "protocol/service_key.h"
#include "protocol/transaction.h"

namespace drover {

// Whether hosts are locked, armed and confirmed (protocol/transaction.h).
enum class TransactionMode {
  kNone,  // programs only
  kLook,  // check mode: hosts say where they stand, nothing is locked
  kFull,
};

struct RolloutOptions {
  RunInfo run;             // sent with every program; owner and playbook come from the CompiledRun
  std::size_t forks = 64;  // hosts at work at once
  std::chrono::milliseconds task_timeout{0};  // for tasks that set none; 0: none
  TransactionMode transaction = TransactionMode::kNone;
  std::chrono::milliseconds lease{30000};  // how long a host waits for a word before it goes back
  bool revert = true;                      // false: a failure leaves things as they are
  std::map<std::string, std::string> expected_digests;  // of a plan, by host; others: any
  // True when the run that holds a host was started here and its process is gone.
  std::function<bool(const LockHolder&)> is_dead;
};

// Events.
struct RunStarted {};
// The helper of `host` said something.
struct HostSpoke {
  std::string host;
  Event event;
  int connection = 0;  // which one; for the loop
};
// It may come again: as Ansible's UNREACHABLE.
inline bool IsUnreachable(const Error& error) {
  return error.code == ErrorCode::kUnreachable || error.code == ErrorCode::kTimeout;
}
// No connection, or it is gone; nothing more will come from `host`.
struct HostLost {
  std::string host;
  Error error;
  int connection = 0;  // which one; for the loop
};
// What ProbeVips found.
struct VipsProbed {
  std::set<SocketKey> answered;
};
// The span of WakeAfter is over.
struct Woken {};
// The answer to AskOperator.
struct OperatorSaid {
  bool go_on = false;
};
// The operator wants the run to end after what is at work: the batch, or without a transaction the
// tasks.
struct StopAsked {};
// The operator wants the run to end now.
struct AbortAsked {};
using RolloutEvent = std::variant<RunStarted, HostSpoke, HostLost, VipsProbed, Woken, OperatorSaid,
                                  StopAsked, AbortAsked>;

// Actions. Send `program` to `host`, over the connection of its first program.
struct SendProgram {
  std::string host;
  Program program;
  bool fresh = false;  // over a new connection; the old one is closed before
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
// See which of these services answer on a TCP connection from here. `patient`: those that do not
// answer are asked again for a while.
struct ProbeVips {
  std::set<SocketKey> services;
  bool patient = false;
  bool operator==(const ProbeVips&) const = default;
};
// Say so when this span is over; a later one stands for an earlier.
struct WakeAfter {
  std::chrono::milliseconds span{0};
  bool operator==(const WakeAfter&) const = default;
};
// Yes or no; where nobody can be asked it is no.
struct AskOperator {
  std::string question;
  bool operator==(const AskOperator&) const = default;
};
// The run is over; nothing is at work any more.
struct FinishRun {
  bool operator==(const FinishRun&) const = default;
};
using RolloutAction = std::variant<SendProgram, CloseHost, AbortHost, ProbeVips, WakeAfter,
                                   AskOperator, Shown, FinishRun>;

// A host that an interrupted run left before it was through with a play.
struct LeftMidway {
  std::string host;
  std::string task;      // the first task without a result
  bool started = false;  // that task may have been at work
  bool operator==(const LeftMidway&) const = default;
};

using RolloutActions = std::vector<RolloutAction>;

}  // namespace drover
