#include "node-helper/speaker/remembered.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/codec.h"

namespace drover {
namespace {

using nlohmann::json;

const VrrpInstance* Named(const DesiredState& settings, const std::string& name) {
  const auto found =
      std::find_if(settings.vrrp_instances.begin(), settings.vrrp_instances.end(),
                   [&](const VrrpInstance& instance) { return instance.name == name; });
  return found == settings.vrrp_instances.end() ? nullptr : &*found;
}

}  // namespace

std::string Encode(const Remembered& remembered) {
  DesiredState settings;
  json roles = json::array();
  for (const auto& [instance, router, tracked] : remembered.routers) {
    // Trackers are not ours; what they make of the instance is.
    settings.vrrp_instances.push_back(instance);
    settings.vrrp_instances.back().track.clear();
    roles.push_back({{"name", instance.name},
                     {"master", router.master},
                     {"held", router.held},
                     {"checksum", router.checksum},
                     {"fault", tracked.fault},
                     {"weight", tracked.weight}});
  }
  settings.vrrp_groups = remembered.groups;
  for (VrrpGroup& group : settings.vrrp_groups) group.track.clear();
  return json{{"at_ns", std::chrono::nanoseconds(remembered.at.time_since_epoch()).count()},
              {"roles", roles},
              {"settings", EncodeState(settings)}}
      .dump();
}

Result<Remembered> DecodeRemembered(const std::string& text) {
  const auto strange = [] {
    return Fail(ErrorCode::kInvalid, "what the process before has left cannot be read");
  };
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("at_ns") || !document.contains("roles") ||
      !document.contains("settings") || !document["at_ns"].is_number_integer() ||
      !document["roles"].is_array() || !document["settings"].is_string()) {
    return strange();
  }
  Result<DesiredState> settings = DecodeState(document["settings"].get<std::string>());
  if (!settings) return Fail(settings.error().In("what the process before has left"));
  const json& roles = document["roles"];
  if (roles.size() != settings->vrrp_instances.size()) return strange();
  Remembered remembered;
  remembered.at = vrrp::Time(std::chrono::nanoseconds(document["at_ns"].get<std::int64_t>()));
  remembered.groups = settings->vrrp_groups;
  for (const json& role : roles) {
    if (!role.is_object() || !role.value("name", json()).is_string() ||
        !role.value("master", json()).is_boolean() || !role.value("held", json()).is_boolean() ||
        !role.value("checksum", json()).is_string() || !role.value("fault", json()).is_string() ||
        !role.value("weight", json()).is_number_integer()) {
      return strange();
    }
    const VrrpInstance* instance = Named(*settings, role["name"].get<std::string>());
    if (instance == nullptr) return strange();
    remembered.routers.push_back(
        {*instance,
         {.master = role["master"].get<bool>(),
          .held = role["held"].get<bool>(),
          .checksum = role["checksum"].get<std::string>()},
         {.fault = role["fault"].get<std::string>(), .weight = role["weight"].get<int>()}});
  }
  return remembered;
}

}  // namespace drover
