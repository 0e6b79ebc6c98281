// Where drills and verifications are remembered. One small interface: today a file of SQLite on the
// control host, one day perhaps a server that a team shares.
//
// Implementations may be used by several processes at once, each by one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/history/record.h"
#include "protocol/result.h"

namespace drover {

// Empty: all.
struct HistoryQuery {
  std::optional<Fault> fault;
  std::vector<std::string> playbooks;  // any of these spellings
  std::int64_t since_us = 0;           // started then or later
};

class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  // The same id again replaces what was kept.
  virtual Status Add(const DrillRecord& record) = 0;
  virtual Status Add(const VerificationRecord& record) = 0;
  // The oldest first.
  virtual Result<std::vector<DrillRecord>> Drills(const HistoryQuery& query) = 0;
  // The oldest first; the query's fault has no meaning.
  virtual Result<std::vector<VerificationRecord>> Verifications(const HistoryQuery& query) = 0;
};

}  // namespace drover
