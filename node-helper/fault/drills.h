// The drills of this node as the tasks of a session see them: look, arm, inject, undo; a pulse of
// the run renews the lease.
//
// One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "node-helper/fault/drill_board.h"
#include "node-helper/fault/drill_journal.h"
#include "node-helper/fault/drill_parts.h"
#include "node-helper/tasks/drill_link.h"

namespace drover {

class Drills final : public DrillLink {
 public:
  explicit Drills(DrillParts parts) : parts_(std::move(parts)), journals_(parts_.directory) {}

  Result<DrillGround> Look(const std::optional<FaultOrder>& order) override;
  Result<DrillState> Arm(const DrillArmTask& task) override;
  Result<DrillState> Inject(const DrillInjectTask& task) override;
  Result<DrillState> Undo(const DrillUndoTask& task) override;
  void Heard(const std::string& run_id) override;

 private:
  [[nodiscard]] std::vector<std::string> Obstacles(const FaultOrder& order,
                                                   std::vector<FaultStep>& steps) const;
  [[nodiscard]] std::vector<std::string> GuardsFor(const FaultOrder& order,
                                                   const std::vector<FaultStep>& steps) const;
  Status StartGuards(const DrillJournal& journal, DrillBoard& board) const;
  void ForgetOldBoards() const;
  [[nodiscard]] Status PlanAgain(DrillJournal& journal, DrillBoard& board,
                                 const std::optional<Endpoint>& marker) const;
  [[nodiscard]] Status DoAll(const DrillJournal& journal, DrillBoard& board) const;

  DrillParts parts_;
  DrillJournals journals_;
};

// The node's own veto: /run/drover/no-drill or /etc/drover/no-drill, whose text is the reason;
// empty: there is none.
std::string NoDrillReason(const std::string& root);

}  // namespace drover
