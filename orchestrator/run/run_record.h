// What became of every host in the last runs of a playbook, kept at the control host for
// `--rerun failed|unreachable|unattempted|reverted`. No secrets: names and outcomes.
//
// Pure; last_run.h reads and writes it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/run_loop.h"
#include "protocol/result.h"

namespace drover {

enum class HostOutcome { kOk, kFailed, kUnreachable, kUnattempted, kReverted };
std::string_view ToString(HostOutcome outcome);  // "ok", "failed", …
Result<HostOutcome> OutcomeFromString(std::string_view word);

struct RunRecord {
  std::string playbook;
  std::vector<std::string> inventories;
  std::string ended;  // "2026-01-31T12:00:00Z"
  std::map<std::string, HostOutcome> hosts;
  bool operator==(const RunRecord&) const = default;
};

// <state>/drover, where <state> is XDG_STATE_HOME or ~/.local/state; empty without a home.
std::string StateFolder(const Environment& environment);
// runs/<owner>-<hash of the inventories>.json in it; empty without a home.
std::string RecordPath(const std::string& owner, const std::vector<std::string>& inventories,
                       const Environment& environment);

std::string EncodeRunRecord(const RunRecord& record);
Result<RunRecord> DecodeRunRecord(std::string_view text);

// What became of every host of `run`.
std::map<std::string, HostOutcome> OutcomesOf(const CompiledRun& run, const RunOutcome& outcome);
// `then` with what the hosts of a later run came to; hosts that were not in it keep what they had.
std::map<std::string, HostOutcome> Merge(std::map<std::string, HostOutcome> then,
                                         const std::map<std::string, HostOutcome>& now);

// The hosts with one of these outcomes as a limit "a,b"; an unknown word, or no such host, is an
// error.
Result<std::string> LimitToOutcomes(const RunRecord& record, const std::vector<std::string>& words);

}  // namespace drover
