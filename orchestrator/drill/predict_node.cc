// Predictions for faults of a node's state and resources: what the helper mends by itself, and what
// it must not even notice.

#include "orchestrator/drill/prediction_writer.h"

namespace drover {
namespace {

constexpr std::string_view kRepairFormula = "drift is repaired within 1 s";

// Something that serving needs is missing until it is repaired.
void Missing(PredictionWriter& writer, const std::string& formula) {
  const Milliseconds most = kRepairBound + kNetworkAllowance;
  writer.Outage(Milliseconds(0), most, /*least_is_law=*/false, formula,
                MillisecondsText(kRepairBound) + " + " + MillisecondsText(kNetworkAllowance));
  writer.AtMost(Quantity::kRepair, kRepairBound.count(), std::string(kRepairFormula),
                MillisecondsText(kRepairBound));
  writer.NoTakeover();
}

void ArpMisconfigured(PredictionWriter& writer) {
  writer.AtMost(Quantity::kRepair, kRepairBound.count(), std::string(kRepairFormula),
                MillisecondsText(kRepairBound));
  writer.AtMost(Quantity::kDoubleOwner, (kRepairBound + kLeaseSlack).count(),
                "the real server answers until it is repaired, + 300 ms for answers on their way",
                MillisecondsText(kRepairBound + kLeaseSlack));
  writer.NoTakeover();
  writer.Note(
      "The master asks once a second who else has the VIP. A rival that is mended before it asks "
      "again is not noticed there: the real server itself tells what it repaired.");
  writer.Note(
      "A client whose neighbour entry moved goes past the director until it is announced "
      "again; its connections to other real servers are reset meanwhile.");
}

// The fault is not on the way of any packet.
void Nothing(PredictionWriter& writer, const std::string& why) {
  writer.NothingIsLost(why);
  writer.NoTakeover();
  writer.Exactly(Quantity::kDoubleOwner, 0, "the backup keeps silent");
}

}  // namespace

void PredictNodeFault(Fault fault, PredictionWriter& writer) {
  if (fault == Fault::kVipLost) Missing(writer, "repair of the VIP (1 s) + network");
  if (fault == Fault::kRulesCleared) {
    Missing(writer, "repair of the services (1 s) + network");
    writer.Note(
        "What becomes of established connections is not predicted: clearing the services "
        "also cuts their entries off.");
  }
  if (fault == Fault::kArpMisconfigured) ArpMisconfigured(writer);
  if (fault == Fault::kDiskFull) {
    Nothing(writer, "adverts and ip_vs need no disk, and the helper never waits for its log");
  }
  if (fault == Fault::kCpuStarved) {
    Nothing(writer, "adverts are sent with real-time priority: no gap beyond 2 I");
  }
  if (fault == Fault::kClockJump) Nothing(writer, "all timers run by the monotonic clock");
}

}  // namespace drover
