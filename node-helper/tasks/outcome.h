// Short ways to say how a task ended, so that every kind of task says it alike.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protocol/event.h"
#include "protocol/result.h"

namespace drover {

// Changed when there are changes, else ok.
inline TaskResult Succeeded(std::vector<ChangeText> changes = {}) {
  TaskResult result;
  result.status = changes.empty() ? TaskStatus::kOk : TaskStatus::kChanged;
  result.changes = std::move(changes);
  return result;
}

// `changes` are those that were made before it failed.
inline TaskResult Failed(Error error, std::vector<ChangeText> changes = {}) {
  TaskResult result;
  result.status = TaskStatus::kFailed;
  result.code = error.code;
  result.message = std::move(error.message);
  result.changes = std::move(changes);
  return result;
}

inline TaskResult Skipped(std::string why) {
  TaskResult result;
  result.status = TaskStatus::kSkipped;
  result.message = std::move(why);
  return result;
}

}  // namespace drover
