// What the tasks of a session may use. Wired once by the caller; tests put fakes here.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/daemon_link.h"
#include "node-helper/tasks/drill_link.h"
#include "node-helper/tasks/process.h"
#include "node-helper/transaction/go_back.h"
#include "node-helper/transaction/transaction.h"
#include "protocol/change.h"
#include "protocol/drill.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// The hands and eyes of a session.
struct TaskContext {
  // The node's kernel; with check one that only pretends, the same for a whole program.
  std::function<Result<Kernel*>(bool check)> kernel;
  const Store* store = nullptr;
  ProcessRunner run = RunProcess;
  // True when nobody waits for results any more, or a signal asked to end.
  std::function<bool()> abandoned = [] { return false; };
  // Sees to it that the recorded state survives a reboot; what it did, or with check would do.
  std::function<Result<std::vector<ChangeText>>(bool check)> ensure_service;
  // Takes the helper and its service from the node; empty: it stays.
  std::function<Status(std::vector<ChangeText>& done)> remove_helper;
  DaemonLink* daemon = nullptr;  // null: none can be reached
  DrillLink* drills = nullptr;   // null: no faults can be injected
  // The run's hold on the node; null: runs take no node, and nothing goes back.
  Transaction* transaction = nullptr;
  GoBackParts go_back;
  std::function<void(const std::string& line)> tell;  // the node's log; may be empty
  // True when what a task runs must end at once: the node goes back.
  std::function<bool()> must_end = [] { return false; };
  // Tells how the running task gets on.
  std::function<void(std::uint32_t task, const ProbeProgress& progress)> progress =
      [](std::uint32_t, const ProbeProgress&) {};
  // True when the running task was told to end with what it has.
  std::function<bool(std::uint32_t task)> finish_wanted = [](std::uint32_t) { return false; };
};

// Tasks call one of these right before they change something: the node prepares to go back.
inline Status BeforeChange(TaskContext& context) {
  return context.transaction == nullptr ? Status() : context.transaction->BeforeChange();
}
inline Status BeforeFile(TaskContext& context, const std::string& path) {
  return context.transaction == nullptr ? Status() : context.transaction->BeforeFile(path);
}
inline Status BeforeService(TaskContext& context, const std::string& name) {
  return context.transaction == nullptr ? Status() : context.transaction->BeforeService(name);
}

// What the tasks of one program know about each other.
struct ProgramCourse {
  RunInfo run;
  // In check mode: an earlier task of the program would have changed the node in a way that cannot
  // be told (a command, a package). A file or service that is missing now may be there then.
  bool unknown_changes = false;
};

}  // namespace drover
