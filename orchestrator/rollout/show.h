// What the operator gets to see of a run, one value per banner or result, in the order in which it
// is shown. What is under way right now is among it: stages, and hosts at their tasks.
//
// Values only. Made by TaskOrder, PlayCourse and Rollout, put into words by report/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

// A part of a run's course.
enum class Stage : std::uint8_t {
  kBegin,       // hosts are reached, and locked for the run
  kBatchStart,  // a batch begins; of a play without batches: the play
  kSettle,      // until directors have settled, before they are verified
  kWork,        // hosts of the batch begin with their tasks
  kForesee,     // a master says what it would change
  kHandover,    // and hands over before it does
  kCheckIn,     // hosts that were changed are reached over new connections
  kProbe,       // services that answered before are asked again
  kReturn,      // a master may be master again
  kHold,        // behind a canary
  kHealth,      // until directors call the batch healthy
  kAsk,         // the operator
  kStagger,     // the pause between batches
  kBatchEnd,    // the batch is through and well
  kRenew,       // hosts that were changed say once more that they are there
  kConfirm,
  kRelease,  // hosts on which nothing was changed
  kRevert,
};
std::string_view ToString(Stage stage);  // "begin", "batch_start", …

// The run comes to a stage.
struct StageReached {
  Stage stage = Stage::kBegin;
  std::vector<std::string> hosts;   // whom it is about; empty: the run as a whole
  std::optional<std::size_t> play;  // for what belongs to a batch
  std::size_t batch = 0;
  std::size_t batches = 1;
  bool operator==(const StageReached&) const = default;
};

// What a host answered to what a stage asked of it.
struct StageAnswer {
  Stage stage = Stage::kBegin;
  std::string host;
  std::string error;  // empty: it is well
  bool operator==(const StageAnswer&) const = default;
};

// A host is at a task now; its result is shown when all hosts are through with the tasks before.
struct TaskAtWork {
  TaskPlace place;
  bool operator==(const TaskAtWork&) const = default;
};

// A host has no more to do in its batch.
struct HostThrough {
  std::string host;
  bool failed = false;
  bool operator==(const HostThrough&) const = default;
};

using Shown = std::variant<PlayBanner, TaskBanner, HostResult, Notice, StageReached, StageAnswer,
                           TaskAtWork, HostThrough>;

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
