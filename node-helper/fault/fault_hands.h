// Does the steps of a fault to this node, and undoes them. Undoing may be done again at any time,
// by any process: what is as it was stays alone.
//
// One thread at a time. The caller holds the board's lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node-helper/fault/drill_board.h"
#include "node-helper/fault/drill_parts.h"
#include "node-helper/fault/fault_step.h"
#include "node-helper/fault/kernel_undo.h"

namespace drover {

class FaultHands {
 public:
  // `kernel` may be null: it is opened when it is needed.
  FaultHands(const DrillParts& parts, std::string drill_id, KernelUndo* kernel = nullptr)
      : parts_(parts), drill_id_(std::move(drill_id)), kernel_(kernel) {}

  // `deadline`: what ends by itself ends then.
  Status Do(const FaultStep& step, BoardTime deadline);
  Status Undo(const FaultStep& step);
  // All of them in the order of undoing; what could not be undone, a sentence each.
  std::vector<std::string> UndoAll(const std::vector<FaultStep>& steps);

 private:
  Status Delay(const FaultStep& step);
  Status KillHelper(const FaultStep& step, BoardTime deadline);
  Status StartHelper(const FaultStep& step);
  Status RemoveAddresses(const FaultStep& step);
  Status RestoreAddresses(const FaultStep& step);
  Status RestoreSysctls(const FaultStep& step);
  Status SetLinksDown(const FaultStep& step);
  Status RestoreNetwork(const FaultStep& step);
  Status ClearRules(const FaultStep& step);
  Status RestoreRules(const FaultStep& step);
  Status Move(HandoverMove move, const FaultStep& step);
  Status Fill(const FaultStep& step);
  Status StartHand(const std::vector<std::string>& words);
  Status EndHands(const std::vector<std::string>& words);
  Status UndoFilter(const FaultStep& step);
  Status UndoDelay(const FaultStep& step);
  Result<KernelUndo*> OpenKernel();

  const DrillParts& parts_;
  std::string drill_id_;
  KernelUndo* kernel_;
  std::unique_ptr<KernelUndo> own_kernel_;
};

}  // namespace drover
