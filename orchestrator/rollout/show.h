// What the operator gets to see of a run, one value per banner or result, in the order in which it
// is shown.
//
// Values only. Made by TaskOrder and Rollout, put into words by report/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "orchestrator/verify/judge.h"
#include "protocol/event.h"

namespace drover {

// A play begins.
struct PlayBanner {
  std::size_t play = 0;   // index into CompiledRun::plays
  std::size_t batch = 0;  // of `batches`; a play in batches is shown once for each
  std::size_t batches = 1;
  bool operator==(const PlayBanner&) const = default;
};

// A task of a play begins.
struct TaskBanner {
  std::size_t play = 0;
  std::size_t task = 0;  // index into CompiledPlay::tasks
  bool operator==(const TaskBanner&) const = default;
};

// Where a result belongs: which of the items of a task on a host.
struct TaskPlace {
  std::size_t play = 0;
  std::size_t task = 0;
  std::size_t item = 0;  // index into CompiledTask::hosts.at(host)
  std::string host;
  bool operator==(const TaskPlace&) const = default;
};

// What became of one task (or one item of a loop) on one host.
struct HostResult {
  TaskPlace place;
  TaskResult result;         // from the helper, or made here when it was skipped or never ran
  bool unreachable = false;  // the host is lost; result.status is kFailed
  bool ignored = false;      // failed, but ignore_errors
  bool last = true;          // the host is through with this task
  bool all_skipped = false;  // with last: every item was skipped
  std::optional<VerifyReport> verify;
};

// Something about the run that belongs to no task.
struct Notice {
  std::string host;      // empty: all
  std::string text;      // a clause without a full stop
  bool problem = false;  // it ends the run, or the part of it on this host
  bool operator==(const Notice&) const = default;
};

using Shown = std::variant<PlayBanner, TaskBanner, HostResult, Notice>;

// The counters of a host in the recap. As in Ansible, ok counts the changed ones too.
struct Tally {
  int ok = 0;
  int changed = 0;
  int unreachable = 0;
  int failed = 0;
  int skipped = 0;
  int rescued = 0;
  int ignored = 0;
  bool operator==(const Tally&) const = default;
};

}  // namespace drover
