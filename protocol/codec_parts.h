// The JSON forms of parts that several codecs share. Shows in no header but those of codecs.
//
// Pure; reading follows json_reader.h.
#pragma once

#include <string>
#include <vector>

#include "protocol/desired_state.h"
#include "protocol/json_reader.h"
#include "protocol/node_status.h"
#include "protocol/transaction.h"

namespace drover {

Json StateToJson(const DesiredState& state);
DesiredState StateFromJson(const Json& json, const std::string& path, JsonErrors& errors);
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

Json NodeStatusToJson(const NodeStatus& status);
NodeStatus NodeStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors);

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

// A list as JSON, each item by `encode`.
template <typename T, typename Encode>
Json ListToJson(const std::vector<T>& list, const Encode& encode) {
  Json json = Json::array();
  for (const T& item : list) json.push_back(encode(item));
  return json;
}

}  // namespace drover
