#include "node-helper/daemon/control.h"

#include <nlohmann/json.hpp>

#include "protocol/codec.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

Json Refusal(const Error& error) {
  return Json{{"ok", false}, {"code", ToString(error.code)}, {"message", error.message}};
}

Json Answer(const Status& status) { return status ? Json{{"ok", true}} : Refusal(status.error()); }

Json WithOverlay(const Overlay& overlay) {
  return Json{{"ok", true}, {"overlay", Json::parse(EncodeOverlay(overlay))}};
}

Result<std::vector<std::string>> Names(const Json& request, const char* key) {
  std::vector<std::string> names;
  const auto found = request.find(key);
  if (found == request.end()) return names;
  if (!found->is_array()) return Fail(ErrorCode::kInvalid, std::string(key) + " is not a list");
  for (const Json& name : *found) {
    if (!name.is_string()) return Fail(ErrorCode::kInvalid, std::string(key) + " has no names");
    names.push_back(name.get<std::string>());
  }
  return names;
}

Json AnswerReload(DaemonCore& core, DaemonCore::Time now) {
  const Status reloaded = core.Reload(now);
  return reloaded ? WithOverlay(core.overlay(now)) : Refusal(reloaded.error());
}

Json AnswerMove(HandoverMove move, const Json& request, DaemonCore& core) {
  const auto names = Names(request, "instances");
  if (!names) return Refusal(names.error());
  const auto with_run = request.find("with_run");
  return Answer(core.Move(move, *names, with_run != request.end() && *with_run == true));
}

Json AnswerVerb(const std::string& verb, const Json& request, DaemonCore& core,
                DaemonCore::Time now, const std::function<void()>& upgrade) {
  if (verb == "reload") return AnswerReload(core, now);
  if (verb == "overlay") return WithOverlay(core.overlay(now));
  if (verb == "settled") {
    const Settlement settlement = core.Settled();
    return Json{{"ok", true}, {"open", settlement.open}, {"faults", settlement.faults}};
  }
  if (verb == "settle_forms") {
    const auto names = Names(request, "unsettled");
    return names ? Answer(core.SettleForms(*names)) : Refusal(names.error());
  }
  if (verb == "status") {
    return Json{{"ok", true}, {"status", Json::parse(EncodeNodeStatus(core.StatusNow(now)))}};
  }
  if (verb == "yield") return AnswerMove(HandoverMove::kYield, request, core);
  if (verb == "return") return AnswerMove(HandoverMove::kReturn, request, core);
  if (verb == "upgrade") {
    upgrade();
    return Json{{"ok", true}};
  }
  return Refusal({ErrorCode::kInvalid, "this daemon does not know the verb \"" + verb + "\""});
}

}  // namespace

std::string ControlSocket(const std::string& root) { return root + "/run/drover/control.sock"; }

std::string AnswerControl(std::string_view line, DaemonCore& core, DaemonCore::Time now,
                          const std::function<void()>& upgrade) {
  const Json request = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto verb = request.is_object() ? request.find("verb") : request.end();
  Json answer;
  if (!request.is_object() || verb == request.end() || !verb->is_string()) {
    answer = Refusal({ErrorCode::kInvalid, "not a request: an object with a \"verb\""});
  } else {
    answer = AnswerVerb(verb->get<std::string>(), request, core, now, upgrade);
  }
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string EncodeOverlay(const Overlay& overlay) {
  Json list = Json::array();
  const auto state_of = [](const VirtualService& service) {
    DesiredState state;
    state.services = {service};
    return Json::parse(EncodeState(state));
  };
  for (const OverlaidService& service : overlay.services) {
    list.push_back(
        {{"wanted", state_of(service.wanted)}, {"effective", state_of(service.effective)}});
  }
  return list.dump();
}

Result<Overlay> DecodeOverlay(std::string_view text) {
  const Json list = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return Fail(ErrorCode::kInternal, "the overlay is no list");
  Overlay overlay;
  const auto service_of = [](const Json& entry, const char* key) -> Result<VirtualService> {
    const auto found = entry.is_object() ? entry.find(key) : entry.end();
    if (!entry.is_object() || found == entry.end()) {
      return Fail(ErrorCode::kInternal, std::string("the overlay lacks \"") + key + "\"");
    }
    auto state = DecodeState(found->dump());
    if (!state) return Fail(state.error().In("overlay"));
    if (state->services.size() != 1) {
      return Fail(ErrorCode::kInternal, "the overlay does not have one service");
    }
    return state->services.front();
  };
  for (const Json& entry : list) {
    const auto wanted = service_of(entry, "wanted");
    if (!wanted) return Fail(wanted.error());
    const auto effective = service_of(entry, "effective");
    if (!effective) return Fail(effective.error());
    overlay.services.push_back({*wanted, *effective});
  }
  return overlay;
}

}  // namespace drover
