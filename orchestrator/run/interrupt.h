// Ctrl-C and its relatives while a run is on: SIGINT, SIGTERM and SIGHUP become calls in a thread
// of ours; SIGPIPE does nothing.
//
// Handlers, not masks or ignored signals: those would be inherited by what a local helper starts.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "protocol/result.h"

namespace drover {

// At most one at a time in a process. The old handlers are back when it is gone.
class InterruptWatch {
 public:
  // `interrupted` is called with the number of signals so far, from a thread of its own.
  static Result<std::unique_ptr<InterruptWatch>> Start(std::function<void(int count)> interrupted);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  InterruptWatch() = default;
  void Listen();

  std::function<void(int)> interrupted_;
  int read_end_ = -1;
  int write_end_ = -1;
  std::vector<std::pair<int, struct sigaction>> before_;
  std::thread thread_;
};

// A write to a pipe or socket whose reader is gone gives EPIPE instead of ending the process.
void SurviveBrokenPipes();

}  // namespace drover
