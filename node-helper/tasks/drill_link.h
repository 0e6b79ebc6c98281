// How the tasks of a session see drills on this node. The real one is node-helper/fault/drills.h.
//
// One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "protocol/drill.h"
#include "protocol/result.h"

namespace drover {

class DrillLink {
 public:
  virtual ~DrillLink() = default;
  virtual Result<DrillGround> Look(const std::optional<FaultOrder>& order) = 0;
  virtual Result<DrillState> Arm(const DrillArmTask& task) = 0;
  virtual Result<DrillState> Inject(const DrillInjectTask& task) = 0;
  virtual Result<DrillState> Undo(const DrillUndoTask& task) = 0;
  // A word of life of the run: its drill's lease begins anew.
  virtual void Heard(const std::string& run_id) = 0;
};

}  // namespace drover
