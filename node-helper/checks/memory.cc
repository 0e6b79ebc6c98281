#include "node-helper/checks/memory.h"

#include "protocol/codec_parts.h"

namespace drover {
namespace {

std::int64_t Nanoseconds(health::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
health::Time TimeAt(std::int64_t nanoseconds) {
  return health::Time(
      std::chrono::duration_cast<health::Time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

Json CheckToJson(const health::CheckMemory& check) {
  return {{"up", check.up},
          {"has_verdict", check.has_verdict},
          {"run", check.run},
          {"next_probe_ns", Nanoseconds(check.next_probe)},
          {"latency_us", check.latency.count()},
          {"last_failure", check.last_failure}};
}

health::CheckMemory CheckFromJson(const Json& json) {
  health::CheckMemory check;
  check.up = json.at("up").get<bool>();
  check.has_verdict = json.at("has_verdict").get<bool>();
  check.run = json.at("run").get<int>();
  check.next_probe = TimeAt(json.at("next_probe_ns").get<std::int64_t>());
  check.latency = std::chrono::microseconds(json.at("latency_us").get<std::int64_t>());
  check.last_failure = json.at("last_failure").get<std::string>();
  return check;
}

// Reasons may quote what servers said.
std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// nlohmann-json throws; another version's memory is no error.
template <typename T, typename Read>
T ReadOr(const std::string& text, const Read& read) {
  try {
    const Json json = Json::parse(text, nullptr, false);
    return json.is_object() ? read(json) : T{};
  } catch (const Json::exception&) {
    return {};
  }
}

}  // namespace

std::string MemoryName(const ServerKey& key) {
  return key.server.ToString() + " of " + ToString(key.service);
}

std::string EncodeMemory(const CheckEngineMemory& memory) {
  Json json = {{"targets", Json::object()}, {"servers", Json::object()}};
  for (const auto& [id, target] : memory.targets) {
    json["targets"][id] = CheckToJson(target.check);
    if (target.weight) json["targets"][id]["weight"] = *target.weight;
  }
  for (const auto& [name, server] : memory.servers) {
    json["servers"][name] = {
        {"up", server.up}, {"since_ns", Nanoseconds(server.since)}, {"mark", server.mark}};
  }
  return Text(json);
}

CheckEngineMemory DecodeMemory(const std::string& text) {
  return ReadOr<CheckEngineMemory>(text, [](const Json& json) {
    CheckEngineMemory memory;
    for (const auto& entry : json.at("targets").items()) {
      AskerMemory& target = memory.targets[entry.key()];
      target.check = CheckFromJson(entry.value());
      const auto weight = entry.value().find("weight");
      if (weight != entry.value().end()) target.weight = weight->get<std::uint32_t>();
    }
    for (const auto& entry : json.at("servers").items()) {
      memory.servers[entry.key()] = {entry.value().at("up").get<bool>(),
                                     TimeAt(entry.value().at("since_ns").get<std::int64_t>()),
                                     entry.value().at("mark").get<std::uint32_t>()};
    }
    return memory;
  });
}

std::string EncodeTrackerMemory(const TrackerMemory& memory) {
  Json json = Json::object();
  for (const auto& [name, check] : memory) json[name] = CheckToJson(check);
  return Text(json);
}

TrackerMemory DecodeTrackerMemory(const std::string& text) {
  return ReadOr<TrackerMemory>(text, [](const Json& json) {
    TrackerMemory memory;
    for (const auto& entry : json.items()) memory[entry.key()] = CheckFromJson(entry.value());
    return memory;
  });
}

}  // namespace drover
