// The JSON forms of parts that several codecs share. Shows in no header but those of codecs.
//
// Pure; reading follows json_reader.h.
#pragma once

#include <string>
#include <vector>

#include "protocol/desired_state.h"
#include "protocol/drill.h"
#include "protocol/json_reader.h"
#include "protocol/node_status.h"
#include "protocol/observation.h"
#include "protocol/transaction.h"

namespace drover {

Json StateToJson(const DesiredState& state);
DesiredState StateFromJson(const Json& json, const std::string& path, JsonErrors& errors);
// What a kernel has need not be what we would ask for: not validated.
DesiredState ObservedStateFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json KeyToJson(const SocketKey& key);
SocketKey SocketKeyFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json ServiceKeyToJson(const ServiceKey& key);
ServiceKey ServiceKeyFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json DestinationToJson(const Destination& destination);
Destination DestinationFromJson(const Json& json, const std::string& path, JsonErrors& errors);
IpAddress IpAddressFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Prefix PrefixFromJson(const Json& json, const std::string& path, JsonErrors& errors);

Json InstanceToJson(const VrrpInstance& instance);
VrrpInstance InstanceFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json GroupToJson(const VrrpGroup& group);
VrrpGroup GroupFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json TrackerToJson(const Tracker& tracker);
Tracker TrackerFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json WatchToJson(const ServiceWatch& watch);
ServiceWatch WatchFromJson(const Json& json, const std::string& path, JsonErrors& errors);

Json CheckKindToJson(const CheckKind& kind);
CheckKind CheckKindFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json CheckToJson(const CheckSettings& check);
CheckSettings CheckFromJson(const Json& json, const std::string& path, JsonErrors& errors);

Json NodeStatusToJson(const NodeStatus& status);
NodeStatus NodeStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors);

Json ObserveToJson(const ObserveTask& task);
ObserveTask ReadObserve(ObjectReader& reader);
Json ObservationToJson(const Observation& seen);
Observation ReadObservation(ObjectReader& reader);

Json RunToJson(const RunInfo& run);
RunInfo RunFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json MaintenanceToJson(const Maintenance& maintenance);
Maintenance MaintenanceFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json LockHolderToJson(const LockHolder& holder);
LockHolder LockHolderFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json GroundToJson(const NodeGround& ground);
NodeGround ReadGround(ObjectReader& reader);
Json GenerationsToJson(const GenerationList& list);
GenerationList ReadGenerations(ObjectReader& reader);

// Without "kind", which the tasks and details add.
Json DrillActionToJson(const DrillLookTask& task);
Json DrillActionToJson(const DrillArmTask& task);
Json DrillActionToJson(const DrillInjectTask& task);
Json DrillActionToJson(const DrillUndoTask& task);
Json DrillActionToJson(const ProbeRunTask& task);
DrillLookTask ReadDrillLook(ObjectReader& reader);
DrillArmTask ReadDrillArm(ObjectReader& reader);
DrillInjectTask ReadDrillInject(ObjectReader& reader);
DrillUndoTask ReadDrillUndo(ObjectReader& reader);
ProbeRunTask ReadProbeRun(ObjectReader& reader);
Json DrillGroundToJson(const DrillGround& ground);
DrillGround ReadDrillGround(ObjectReader& reader);
Json DrillStateToJson(const DrillState& state);
DrillState ReadDrillState(ObjectReader& reader);
Json ProbeRunOutcomeToJson(const ProbeRunOutcome& outcome);
ProbeRunOutcome ReadProbeRunOutcome(ObjectReader& reader);
Json SnapshotToJson(const NodeSnapshot& snapshot);
NodeSnapshot SnapshotFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json LagToJson(const SeriesLag& lag);
SeriesLag LagFromJson(const Json& json, const std::string& path, JsonErrors& errors);
MacAddress MacFromJson(const Json& json, const std::string& path, JsonErrors& errors);
Json ProbeProgressToJson(const ProbeProgress& progress);
ProbeProgress ProbeProgressFromJson(const Json& json, const std::string& path, JsonErrors& errors);

// A list as JSON, each item by `encode`.
template <typename T, typename Encode>
Json ListToJson(const std::vector<T>& list, const Encode& encode) {
  Json json = Json::array();
  for (const T& item : list) json.push_back(encode(item));
  return json;
}

}  // namespace drover
