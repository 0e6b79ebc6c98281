// Where a run stands at this moment: a bar over the batches, and a line for every host that is at
// something, with what it is and for how long.
//
// Pure; the caller says what time it is.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"

namespace drover {

class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `run` must outlive it.
  Progress(const CompiledRun& run, Time now) : run_(run), since_(now), doing_since_(now) {}

  void Add(const Shown& shown, Time now);
  // At most `rows` lines of at most `columns`; of the hosts those that take longest. Empty before
  // the run has begun, while the operator is asked, and where there is no room.
  [[nodiscard]] std::vector<std::string> Lines(Time now, int rows, int columns) const;

 private:
  // What a host is at.
  struct Host {
    std::string at;
    Time since;
  };
  void Take(const StageReached& reached, Time now);
  void Take(const StageAnswer& answer, Time now);
  void Take(const TaskAtWork& at, Time now);
  void Take(const HostThrough& through, Time now);
  // Results lag behind; they say nothing of this moment.
  template <typename Other>
  void Take(const Other& /*other*/, Time /*now*/) {}
  void StartBatch(const StageReached& reached, Time now);
  [[nodiscard]] std::string Head(Time now) const;
  [[nodiscard]] std::vector<std::string> Slowest() const;

  const CompiledRun& run_;
  std::string title_;  // the play, or what is asked of all hosts; empty: nothing yet
  std::string part_;   // "batch 2 of 5"
  Time since_;
  std::size_t batch_ = 0;
  std::size_t batches_ = 1;
  std::set<std::string> hosts_;    // that the bar counts
  std::set<std::string> through_;  // of them
  std::set<std::string> failed_;
  std::string doing_;  // what the run as a whole waits for
  Time doing_since_;
  bool hidden_ = false;
  std::map<std::string, Host> at_work_;
};

}  // namespace drover
