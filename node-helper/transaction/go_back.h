// Takes a node back to what it was before a run: the parts that were captured in their order, files
// and services in the reverse order of their changes, then Drover's own record.
//
// A step that fails does not keep the others from being done; what is left is kept with the pending
// record, and the whole may be done again, in another process too. The caller holds the session
// lock: so only one does it at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/transaction/transaction.h"
#include "protocol/change.h"

namespace drover {

// What going back works with beside what the transaction has.
struct GoBackParts {
  const Store* store = nullptr;
  std::string run_directory = kRunDirectory;
  NodeClock clock = NodeClock::OfThisNode();
  UndoKit* undo = nullptr;
  // Sets what `previous` names (none: nothing) and removes what only `undone` names; the record of
  // the store is `previous` already.
  std::function<Status(const std::optional<OwnerRecord>& previous, const OwnerRecord& undone,
                       std::vector<ChangeText>& done)>
      restore_record;
  // Takes the helper's service away that the run had installed.
  std::function<Status(std::vector<ChangeText>& done)> remove_service;
};

// How it went.
struct GoneBack {
  RunInfo run;
  std::string reason;
  std::vector<ChangeText> done;
  std::vector<std::string> left;  // empty: the node is as it was

  [[nodiscard]] bool complete() const { return left.empty(); }
  bool operator==(const GoneBack&) const = default;
};

// One going back, step by step; Run does them all.
class GoingBack {
 public:
  explicit GoingBack(GoBackParts parts);

  // Nothing when no run is pending. An error: not even the first words could be written.
  Result<std::optional<GoneBack>> Run(const std::string& reason);
  // The first steps only: from here on the record of the run is not carried out any more, and
  // nothing can stop the rest.
  Status Begin(const std::string& reason);

  // For who has to know what a kill between two steps leaves.
  [[nodiscard]] std::vector<TransactionStep> Steps();

 private:
  Status Mark();
  Status SetRecordBack();
  Status RestorePart(const CapturedText& captured);
  Status RestoreSubject(UndoSubjects* subjects, const CapturedText& captured);
  Status RestoreRecord();
  Status TakeServiceAway();
  Status ForgetGeneration();
  Status Conclude();
  [[nodiscard]] Status Load(const std::string& reason);

  GoBackParts parts_;
  PendingJournal journal_;
  std::optional<Pending> pending_;
  GoneBack gone_;
};

// One line for the log: "went back to what it was before the run of ann on ctl (rollout): …".
std::string SummaryOf(const GoneBack& gone);

}  // namespace drover
