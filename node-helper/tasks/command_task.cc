#include "node-helper/tasks/command_task.h"

#include <glob.h>

#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

// Relative patterns are seen from `chdir`, as Ansible does it.
bool Matches(const std::string& pattern, const std::string& chdir) {
  std::string path = pattern;
  if (!path.empty() && path.front() != '/') path = chdir + "/" + path;
  glob_t found{};
  const bool any = ::glob(path.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found) == 0;
  ::globfree(&found);
  return any;
}

std::string Seconds(std::chrono::milliseconds time) {
  const auto whole = time.count() / 1000;
  const auto rest = time.count() % 1000;
  return rest == 0 ? std::to_string(whole) + " s" : std::to_string(time.count()) + " ms";
}

// Ansible calls this ok and says why in stdout.
TaskResult NotNeeded(const std::string& why) {
  TaskResult result = Succeeded();
  CommandOutcome outcome;
  outcome.stdout_text = "skipped, since " + why;
  result.detail = std::move(outcome);
  return result;
}

// What a command would change is unknown; only with `creates` or `removes` is it known that it
// would run.
TaskResult WouldRun(const CommandTask& command, ProgramCourse& course) {
  course.unknown_changes |= command.reports_change;
  if (command.creates.empty() && command.removes.empty()) {
    return Skipped("commands are not run in check mode");
  }
  if (!command.reports_change) return Succeeded();
  const std::string reason =
      command.creates.empty() ? command.removes + " exists" : command.creates + " does not exist";
  return Succeeded({ChangeText{"change", "command " + command.argv[0], "", "would run", reason}});
}

}  // namespace

TaskResult RunCommandTask(const Task& task, const CommandTask& command, ProgramCourse& course,
                          TaskContext& context) {
  if (!command.creates.empty() && Matches(command.creates, command.chdir)) {
    return NotNeeded(command.creates + " exists");
  }
  if (!command.removes.empty() && !Matches(command.removes, command.chdir)) {
    return NotNeeded(command.removes + " does not exist");
  }
  if (task.check) return WouldRun(command, course);
  ProcessSpec spec;
  spec.argv = command.argv;
  spec.chdir = command.chdir;
  spec.stdin_text = command.stdin_text;
  spec.timeout = task.timeout;
  spec.abandoned = context.abandoned;
  spec.must_end = context.must_end;
  if (command.reports_change) {
    if (const Status ready = BeforeChange(context); !ready) return Failed(ready.error());
  }
  auto outcome = context.run(spec);
  if (!outcome) return Failed(outcome.error());
  TaskResult result;
  if (outcome->timed_out) {
    result = Failed({ErrorCode::kTimeout,
                     spec.timeout.count() > 0
                         ? command.argv[0] + ": not done after " + Seconds(spec.timeout) + ", ended"
                         : command.argv[0] + ": ended, because nobody waited for it any more"});
  } else if (outcome->command.exit_code != 0) {
    result = Failed({ErrorCode::kInvalid, "non-zero return code"});
  } else {
    result.status = command.reports_change ? TaskStatus::kChanged : TaskStatus::kOk;
  }
  result.detail = std::move(outcome->command);
  return result;
}

}  // namespace drover
