#include "orchestrator/rollout/show.h"

namespace drover {

std::string_view ToString(Stage stage) {
  switch (stage) {
    case Stage::kBegin:
      return "begin";
    case Stage::kBatchStart:
      return "batch_start";
    case Stage::kSettle:
      return "settle";
    case Stage::kWork:
      return "work";
    case Stage::kForesee:
      return "foresee";
    case Stage::kHandover:
      return "handover";
    case Stage::kCheckIn:
      return "check_in";
    case Stage::kProbe:
      return "probe";
    case Stage::kReturn:
      return "return";
    case Stage::kHold:
      return "hold";
    case Stage::kHealth:
      return "health";
    case Stage::kAsk:
      return "ask";
    case Stage::kStagger:
      return "stagger";
    case Stage::kBatchEnd:
      return "batch_end";
    case Stage::kRenew:
      return "renew";
    case Stage::kConfirm:
      return "confirm";
    case Stage::kRelease:
      return "release";
    case Stage::kRevert:
      return "revert";
  }
  return "";
}

}  // namespace drover
