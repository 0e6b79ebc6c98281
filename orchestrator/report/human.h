// What a run prints for people: Ansible's words and layout, letter for letter where Ansible has a
// word for it, and below them our typed changes, evidence and plain words for failures.
//
// Pure: values in, text out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/rollout.h"
#include "orchestrator/rollout/show.h"

namespace drover {

struct HumanOptions {
  int columns = 79;  // Ansible: the terminal's less one, at least 79
  bool colours = false;
  int verbosity = 0;  // number of -v
  bool diff = false;
};

class HumanReport {
 public:
  // `run` must outlive the report.
  HumanReport(const CompiledRun& run, HumanOptions options) : run_(run), options_(options) {}

  // Before the first play; empty without -vv.
  [[nodiscard]] std::string Head() const;
  [[nodiscard]] std::string Text(const Shown& shown) const;
  [[nodiscard]] std::string Recap(const std::map<std::string, Tally>& tallies,
                                  const RunEnd& end = {}) const;
  // What an interrupted run left undone.
  [[nodiscard]] std::string Interrupted(const std::vector<LeftMidway>& left) const;

 private:
  [[nodiscard]] std::string TextOf(const PlayBanner& banner) const;
  [[nodiscard]] std::string TextOf(const TaskBanner& banner) const;
  [[nodiscard]] std::string TextOf(const HostResult& result) const;
  [[nodiscard]] std::string TextOf(const Notice& notice) const;
  // What is under way is not part of the text (progress.h).
  template <typename UnderWay>
  [[nodiscard]] std::string TextOf(const UnderWay& /*under_way*/) const {
    return "";
  }
  [[nodiscard]] std::string Line(const HostResult& result, const std::string& item) const;
  [[nodiscard]] std::string Changes(const HostResult& result) const;
  [[nodiscard]] std::string Output(const HostResult& result) const;
  [[nodiscard]] std::string RecapLine(const std::string& host, const Tally& tally) const;

  const CompiledRun& run_;
  HumanOptions options_;
};

}  // namespace drover
