// Starts a worker process and starts it anew when it crashes, ever later when it crashes at once
// again. For nodes whose init system does not do that.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>

namespace drover {

// Exit code of a worker that could not begin: another try would be no better.
inline constexpr int kCannotBegin = 3;

struct SupervisedWorker {
  std::function<int()> run;                // in the child; its exit code
  std::function<void(pid_t pid)> started;  // 0: it is gone for now
};

// Until the worker ends by itself, with code 0 or kCannotBegin, or is asked to (TERM and INT are
// passed on, as is HUP). The exit code.
int Supervise(const SupervisedWorker& worker);

// How long to wait before the `crashes`th start in a row: 200 ms, doubling to 10 s.
std::chrono::milliseconds RestartDelay(int crashes);

}  // namespace drover
