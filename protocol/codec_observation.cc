// Observation <-> JSON, and the task that asks for one.

#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxCounter = std::int64_t{1} << 53;  // exact in every JSON reader

Json ToJson(const RouteQuestion& question) {
  return {{"from", question.from.ToString()}, {"to", question.to.ToString()}};
}

RouteQuestion QuestionFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  RouteQuestion question;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("from", question.from, IpAddress::Parse);
  reader.ReadWord("to", question.to, IpAddress::Parse);
  return question;
}

Json ToJson(const ServiceTraffic& traffic) {
  const auto server = [](const DestinationTraffic& one) -> Json {
    return {{"address", one.endpoint.address.ToString()},
            {"port", one.endpoint.port},
            {"connections", one.connections},
            {"active", one.active},
            {"inactive", one.inactive},
            {"templates", one.templates}};
  };
  return {{"service", ServiceKeyToJson(traffic.service)},
          {"connections", traffic.connections},
          {"packets_in", traffic.packets_in},
          {"packets_out", traffic.packets_out},
          {"servers", ListToJson(traffic.servers, server)}};
}

DestinationTraffic ServerFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DestinationTraffic server;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("address", server.endpoint.address, IpAddress::Parse);
  reader.ReadInteger("port", server.endpoint.port, 0, kMaxU16);
  reader.ReadInteger("connections", server.connections, 0, kMaxCounter);
  reader.ReadInteger("active", server.active, 0, kMaxU32);
  reader.ReadInteger("inactive", server.inactive, 0, kMaxU32);
  reader.ReadInteger("templates", server.templates, 0, kMaxU32);
  return server;
}

ServiceTraffic TrafficFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ServiceTraffic traffic;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("service", traffic.service, ServiceKeyFromJson);
  reader.ReadInteger("connections", traffic.connections, 0, kMaxCounter);
  reader.ReadInteger("packets_in", traffic.packets_in, 0, kMaxCounter);
  reader.ReadInteger("packets_out", traffic.packets_out, 0, kMaxCounter);
  reader.ReadList("servers", traffic.servers, ServerFromJson);
  return traffic;
}

Json ToJson(const RouteAnswer& answer) {
  Json json = {{"question", ToJson(answer.question)},
               {"reachable", answer.reachable},
               {"interface", answer.interface}};
  if (answer.gateway) json["gateway"] = answer.gateway->ToString();
  return json;
}

RouteAnswer AnswerFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  RouteAnswer answer;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("question", answer.question, QuestionFromJson);
  reader.Read("reachable", answer.reachable);
  reader.Read("interface", answer.interface);
  if (reader.Has("gateway")) reader.ReadWord("gateway", answer.gateway.emplace(), IpAddress::Parse);
  return answer;
}

}  // namespace

Json ObserveToJson(const ObserveTask& task) {
  return {{"kind", "observe"},
          {"sysctls", task.sysctls},
          {"interface_settings", task.interface_settings},
          {"routes", ListToJson(task.routes, [](const auto& one) { return ToJson(one); })}};
}

ObserveTask ReadObserve(ObjectReader& reader) {
  ObserveTask task;
  reader.Read("sysctls", task.sysctls);
  reader.Read("interface_settings", task.interface_settings);
  reader.ReadList("routes", task.routes, QuestionFromJson);
  return task;
}

Json ObservationToJson(const Observation& seen) {
  return {{"kind", "observation"},
          {"state", StateToJson(DesiredState{.addresses = seen.addresses,
                                             .sysctls = seen.sysctls,
                                             .services = seen.services,
                                             .path = seen.path})},
          {"traffic", ListToJson(seen.traffic, [](const auto& one) { return ToJson(one); })},
          {"routes", ListToJson(seen.routes, [](const auto& one) { return ToJson(one); })}};
}

Observation ReadObservation(ObjectReader& reader) {
  Observation seen;
  DesiredState state;
  reader.ReadValue("state", state, ObservedStateFromJson);
  seen.addresses = std::move(state.addresses);
  seen.sysctls = std::move(state.sysctls);
  seen.services = std::move(state.services);
  seen.path = std::move(state.path);
  reader.ReadList("traffic", seen.traffic, TrafficFromJson);
  reader.ReadList("routes", seen.routes, AnswerFromJson);
  return seen;
}

}  // namespace drover
