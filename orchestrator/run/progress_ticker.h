// Shows on a terminal while a run is at work where it stands: a few lines below the report.
//
// A thread of its own; Add from any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "orchestrator/report/progress.h"

namespace drover {

class ProgressTicker {
 public:
  // `run` must outlive it.
  explicit ProgressTicker(const CompiledRun& run);
  // Takes the lines away.
  ~ProgressTicker();
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

  void Add(const Shown& shown);

 private:
  void Tick();
  void Draw();

  std::mutex mutex_;
  std::condition_variable wake_;
  Progress progress_;
  bool drawn_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace drover
