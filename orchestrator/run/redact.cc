#include "orchestrator/run/redact.h"

#include <utility>

namespace drover {
namespace {

std::string SizeOnly(const std::string& text) {
  return text.empty() ? "" : "<" + std::to_string(text.size()) + " bytes>";
}

void Redact(DesiredState& state) {
  for (VrrpInstance& instance : state.vrrp_instances) {
    instance.password = SizeOnly(instance.password);
  }
  // Headers may carry a token.
  for (ServiceWatch& watch : state.watches) {
    for (CheckSettings& check : watch.checks) {
      if (auto* http = std::get_if<HttpCheck>(&check.kind)) {
        for (auto& [name, value] : http->headers) {
          value = SizeOnly(value);
        }
      }
    }
  }
}

void Redact(Task& task) {
  if (auto* converge = std::get_if<ConvergeTask>(&task.action)) {
    Redact(converge->state);
  } else if (auto* prune = std::get_if<PruneTask>(&task.action)) {
    Redact(prune->whole);
  }
  if (auto* file = std::get_if<FileTask>(&task.action)) {
    file->content = SizeOnly(file->content);
  } else if (auto* command = std::get_if<CommandTask>(&task.action)) {
    command->stdin_text = SizeOnly(command->stdin_text);
    if (task.secret) {
      command->argv = {"<hidden>"};
    }
  }
}

void Redact(TaskResult& result, bool secret) {
  if (auto* diff = std::get_if<FileDiff>(&result.detail)) {
    diff->before = diff->before ? std::optional(SizeOnly(*diff->before)) : std::nullopt;
    diff->after = diff->after ? std::optional(SizeOnly(*diff->after)) : std::nullopt;
  }
  if (!secret) {
    return;
  }
  result.message = result.message.empty() ? "" : "<hidden>";
  result.changes.clear();
  if (auto* command = std::get_if<CommandOutcome>(&result.detail)) {
    command->stdout_text = SizeOnly(command->stdout_text);
    command->stderr_text = SizeOnly(command->stderr_text);
  }
}

}  // namespace

Program Redacted(Program program) {
  for (Task& task : program.tasks) {
    Redact(task);
  }
  return program;
}

Event Redacted(Event event, const std::set<std::uint32_t>& secret_tasks) {
  if (auto* result = std::get_if<TaskResult>(&event)) {
    Redact(*result, secret_tasks.contains(result->task));
  }
  return event;
}

}  // namespace drover
