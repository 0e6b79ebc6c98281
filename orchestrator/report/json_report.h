// The run as one JSON document, shaped like that of Ansible's json callback: plays, tasks, a result
// per host, and the counters.
//
// Pure; the caller says what time it is.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/rollout.h"
#include "orchestrator/rollout/show.h"
#include "orchestrator/source/value.h"

namespace drover {

class JsonReport {
 public:
  // `run` must outlive the report.
  explicit JsonReport(const CompiledRun& run) : run_(run) {}

  // `now` in the form of "2026-01-31T12:00:00.000000Z".
  void Add(const Shown& shown, const std::string& now);
  // The whole document with a newline.
  [[nodiscard]] std::string Document(const std::map<std::string, Tally>& tallies, bool interrupted,
                                     const std::vector<LeftMidway>& left,
                                     const RunEnd& end = {}) const;

 private:
  void Take(const PlayBanner& banner, const std::string& now);
  void Take(const TaskBanner& banner, const std::string& now);
  void Take(const HostResult& result, const std::string& now);
  void Take(const Notice& notice, const std::string& now);
  // What is under way is not part of the document.
  template <typename UnderWay>
  void Take(const UnderWay& /*under_way*/, const std::string& /*now*/) {}
  Value& TaskAt(std::size_t play, std::size_t task, const std::string& now);

  const CompiledRun& run_;
  Value plays_ = Value::array();
  Value notices_ = Value::array();
  std::map<std::size_t, std::size_t> play_at_;  // index of the run -> index in plays_
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> task_at_;
};

}  // namespace drover
