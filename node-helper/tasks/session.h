// `node-helper apply`: programs on one descriptor, events on the other, one JSON line each
// (docs/protocol.md).
//
// How it ends. End of input ends it after the last program. When the input is closed, the output
// has no reader any more, or a signal (TERM, INT, HUP) comes in the middle of a program, the task
// at hand is finished and no further one is begun: a killed orchestrator leaves no half-done task,
// and closing the input is the gentle way to stop one. A command that runs at that moment may end
// by itself (kAbandonedGrace). A regular file as input is read to its end and never counts as
// closed.
//
// The session lock is held from the first program that changes something to the end of the session,
// or, for a run that has the node (BeginTask), while a program runs: such a run may have several
// sessions. Between programs and in the middle of tasks a session hears the pulses of its run.
#pragma once

#include <memory>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/stop_signals.h"
#include "node-helper/tasks/task_context.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// What a session is made of; main wires it, tests give pipes and fakes.
struct SessionParts {
  int in = 0;
  int out = 1;
  const Store* store = nullptr;
  StopSignals* signals = nullptr;  // may be null
  std::function<Result<std::unique_ptr<Kernel>>()> open_kernel;
  std::function<Result<std::vector<ChangeText>>(bool check)> ensure_service;
  std::function<Status(std::vector<ChangeText>& done)> remove_helper;  // may be empty
  ProcessRunner run = RunProcess;
  DaemonLink* daemon = nullptr;                       // null: none can be reached
  DrillLink* drills = nullptr;                        // null: no faults can be injected
  TransactionParts transaction;                       // its store is set by the session
  GoBackParts go_back;                                // what is missing of it is set by the session
  std::function<void(const std::string& line)> tell;  // the node's log; may be empty
};

// The exit code: 0, or 1 after a session error or when tasks were left undone.
int RunSession(const SessionParts& parts);

// False for what only looks: check mode, probes, waiting, status; and for taking a lock away and for
// undoing a drill's fault, which must be possible while the session that has the node is at work.
bool ChangesTheNode(const Task& task);
bool ChangesTheNode(const Program& program);

}  // namespace drover
