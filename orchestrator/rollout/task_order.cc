#include "orchestrator/rollout/task_order.h"

#include <algorithm>
#include <utility>

namespace drover {

TaskOrder::TaskOrder(const CompiledPlay& play, std::size_t index,
                     const std::vector<std::string>& hosts)
    : play_(play), index_(index), waiting_results_(play.tasks.size()) {
  for (const std::string& host : hosts) {
    next_[host] = NextTaskOf(host, 0);
  }
}

std::vector<Shown> TaskOrder::Start() {
  std::vector<Shown> shown;
  front_ = 0;
  MoveFront(shown);
  return shown;
}

std::vector<Shown> TaskOrder::Add(HostResult result) {
  std::vector<Shown> shown;
  if (!next_.contains(result.place.host) || result.place.task >= play_.tasks.size()) {
    return shown;
  }
  const std::string host = result.place.host;
  const std::size_t task = result.place.task;
  const bool last = result.last;
  const bool out = result.result.status == TaskStatus::kFailed && !result.ignored;
  // A result that comes late (the host was lost after its last task) is shown under the front task.
  if (task <= front_) {
    Emit(std::move(result), shown);
  } else {
    waiting_results_[task].push_back(std::move(result));
  }
  if (last) {
    MoveHost(host, out ? play_.tasks.size() : NextTaskOf(host, task + 1), shown);
  }
  return shown;
}

std::vector<Shown> TaskOrder::HostIsOut(const std::string& host) {
  std::vector<Shown> shown;
  if (next_.contains(host)) {
    MoveHost(host, play_.tasks.size(), shown);
  }
  return shown;
}

std::size_t TaskOrder::NextTaskOf(const std::string& host, std::size_t from) const {
  while (from < play_.tasks.size() && !play_.tasks[from].hosts.contains(host)) {
    ++from;
  }
  return from;
}

bool TaskOrder::Concerns(std::size_t task) const {
  return std::any_of(next_.begin(), next_.end(), [&](const auto& entry) {
    return entry.second <= task && play_.tasks[task].hosts.contains(entry.first);
  });
}

void TaskOrder::MoveHost(const std::string& host, std::size_t next, std::vector<Shown>& shown) {
  std::size_t& at = next_[host];
  const bool passes = at <= front_ && next > front_;
  at = std::max(at, next);
  if (passes && --waiting_ == 0) {
    ++front_;
    MoveFront(shown);
  }
}

// Walks over the tasks that nobody waits for, showing what has arrived for them meanwhile.
void TaskOrder::MoveFront(std::vector<Shown>& shown) {
  for (; front_ < play_.tasks.size(); ++front_) {
    banner_shown_ = false;
    auto& arrived = waiting_results_[front_];
    if (!play_.tasks[front_].implicit && (!arrived.empty() || Concerns(front_))) {
      ShowBanner(shown);
    }
    for (HostResult& result : std::exchange(arrived, {})) {
      Emit(std::move(result), shown);
    }
    waiting_ = static_cast<std::size_t>(std::count_if(
        next_.begin(), next_.end(), [&](const auto& entry) { return entry.second <= front_; }));
    if (waiting_ > 0) {
      return;
    }
  }
}

void TaskOrder::Emit(HostResult result, std::vector<Shown>& shown) {
  const std::size_t task = std::min(front_, play_.tasks.size() - 1);
  const bool quiet =
      result.result.status == TaskStatus::kOk || result.result.status == TaskStatus::kSkipped;
  if (play_.tasks[task].implicit && quiet) {
    return;
  }
  if (!banner_shown_) {
    ShowBanner(shown);
  }
  shown.emplace_back(std::move(result));
}

void TaskOrder::ShowBanner(std::vector<Shown>& shown) {
  banner_shown_ = true;
  shown.emplace_back(TaskBanner{.play = index_, .task = std::min(front_, play_.tasks.size() - 1)});
}

}  // namespace drover
