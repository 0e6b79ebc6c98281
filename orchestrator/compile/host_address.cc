#include "orchestrator/compile/host_address.h"

#include "protocol/mac_text.h"

namespace drover {

Result<IpAddress> HostAddresses::Resolve(const std::string& name) const {
  if (!options_.resolve) return Fail(ErrorCode::kInvalid, "\"" + name + "\" is no IP address");
  return options_.resolve(name);
}

Result<IpAddress> HostAddresses::OfHost(const std::string& host) {
  const auto known = known_.find(host);
  if (known != known_.end()) return known->second;
  return known_.emplace(host, WorkOut(host)).first->second;
}

Result<std::string> HostAddresses::TextOf(const std::string& host, const std::string& variable) {
  Variables& variables = scopes_.OfHost(host);
  if (!variables.Has(variable)) return std::string();
  auto operand = variables.Find(variable, Place{});
  if (!operand) return Fail(ErrorCode::kInvalid, operand.error().message);
  auto value = Need(*operand, Place{});
  if (!value) return Fail(ErrorCode::kInvalid, value.error().message);
  return PythonText(**value);
}

Result<IpAddress> HostAddresses::WorkOut(const std::string& host) {
  std::string name = host;
  for (const char* variable : {"drover_address", "ansible_ssh_host", "ansible_host"}) {
    const auto text = TextOf(host, variable);
    if (!text) return tl::unexpected(text.error());
    if (text->empty()) continue;
    if (auto address = IpAddress::Parse(*text)) return address;
    if (std::string_view(variable) == "drover_address") {
      return Fail(ErrorCode::kInvalid, "\"" + *text + "\" is no IP address (drover_address)");
    }
    name = *text;
    break;
  }
  if (auto address = IpAddress::Parse(name)) return address;
  return Resolve(name);
}

Result<MacAddress> HostAddresses::MacOf(const std::string& host) {
  const auto text = TextOf(host, "drover_mac");
  if (!text) return tl::unexpected(text.error());
  if (text->empty()) return Fail(ErrorCode::kNotFound, host + " has no drover_mac");
  return ParseMac(*text);
}

Result<IpAddress> HostAddresses::OfName(const std::string& name) {
  if (inventory_.FindHost(name) != nullptr) return OfHost(name);
  if (auto address = IpAddress::Parse(name)) return address;
  return Resolve(name);
}

}  // namespace drover
