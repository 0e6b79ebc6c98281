#include "protocol/desired_state.h"

#include <algorithm>
#include <map>
#include <set>

#include "protocol/words.h"

namespace drover {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Adds the resources of `part` that `whole` lacks; an equal one is fine, another one with the same
// identity is not.
template <typename T, typename Identity>
Status MergeResources(std::vector<T>& whole, const std::vector<T>& part, const Identity& identity) {
  std::map<decltype(identity(part.front())), std::size_t> known;
  for (std::size_t i = 0; i < whole.size(); ++i) known.emplace(identity(whole[i]), i);
  for (const T& resource : part) {
    const auto [entry, added] = known.emplace(identity(resource), whole.size());
    if (added) {
      whole.push_back(resource);
    } else if (whole[entry->second] != resource) {
      return Fail(ErrorCode::kInvalid,
                  NameOf(resource) + " is asked for twice, with different settings");
    }
  }
  return {};
}

template <typename T>
Status RefuseRepetition(const std::vector<T>& resources) {
  std::set<std::string> seen;
  for (const T& resource : resources) {
    if (!seen.insert(NameOf(resource)).second) {
      return Fail(ErrorCode::kInvalid, NameOf(resource) + " is named twice");
    }
  }
  return {};
}

}  // namespace

Result<std::string> ParseSysctlKey(std::string_view text) {
  const std::size_t first = text.find_first_of("./");
  std::string key(text);
  if (first != std::string_view::npos && text[first] == '.') {
    // Dots separate; a slash stands for a dot inside a part, as in net.ipv4.conf.eth0/5.arp_ignore.
    for (char& c : key) {
      if (c == '.') {
        c = '/';
      } else if (c == '/') {
        c = '.';
      }
    }
  }
  const std::string quoted = "\"" + std::string(text) + "\"";
  std::size_t begin = 0;
  int parts = 0;
  while (begin <= key.size()) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = std::string_view(key).substr(begin, end - begin);
    const bool odd = std::any_of(part.begin(), part.end(), [](char c) {
      return IsBlank(c) || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (part.empty() || part == "." || part == ".." || odd) {
      return Fail(ErrorCode::kInvalid, quoted + " is no sysctl name");
    }
    ++parts;
    begin = end + 1;
  }
  if (parts < 2) {
    return Fail(ErrorCode::kInvalid,
                quoted + " is no sysctl name: write it like net.ipv4.ip_forward");
  }
  return key;
}

std::string SysctlKeyForPeople(std::string_view key) {
  std::string text(key);
  if (key.find('.') != std::string_view::npos) return text;
  std::replace(text.begin(), text.end(), '/', '.');
  return text;
}

std::string NormalizeSysctlValue(std::string_view value) {
  std::string folded;
  bool gap = false;
  for (const char c : value) {
    if (IsBlank(c)) {
      gap = !folded.empty();
      continue;
    }
    if (gap) folded += ' ';
    gap = false;
    folded += c;
  }
  return folded;
}

std::string_view ToString(Transport transport) {
  switch (transport) {
    case Transport::kTcp:
      return "tcp";
    case Transport::kUdp:
      return "udp";
    case Transport::kSctp:
      return "sctp";
  }
  return "?";
}

Result<Transport> ParseTransport(std::string_view word) {
  return ParseOneOf(word, {Transport::kTcp, Transport::kUdp, Transport::kSctp},
                    "transport protocol");
}

std::string_view ToString(Forwarding forwarding) {
  switch (forwarding) {
    case Forwarding::kDr:
      return "dr";
    case Forwarding::kNat:
      return "nat";
    case Forwarding::kTun:
      return "tun";
  }
  return "?";
}

Result<Forwarding> ParseForwarding(std::string_view word) {
  return ParseOneOf(word, {Forwarding::kDr, Forwarding::kNat, Forwarding::kTun},
                    "forwarding method");
}

std::string_view ToString(TunnelKind kind) {
  switch (kind) {
    case TunnelKind::kIpip:
      return "ipip";
    case TunnelKind::kGre:
      return "gre";
    case TunnelKind::kGue:
      return "gue";
  }
  return "?";
}

Result<TunnelKind> ParseTunnelKind(std::string_view word) {
  return ParseOneOf(word, {TunnelKind::kIpip, TunnelKind::kGre, TunnelKind::kGue},
                    "kind of tunnel");
}

std::string_view ToString(TunnelChecksum checksum) {
  switch (checksum) {
    case TunnelChecksum::kNone:
      return "nocsum";
    case TunnelChecksum::kFull:
      return "csum";
    case TunnelChecksum::kRemote:
      return "remcsum";
  }
  return "?";
}

Result<TunnelChecksum> ParseTunnelChecksum(std::string_view word) {
  return ParseOneOf(word, {TunnelChecksum::kNone, TunnelChecksum::kFull, TunnelChecksum::kRemote},
                    "checksum of a tunnel");
}

std::string ToString(const Wrapping& wrapping) {
  std::string text(ToString(wrapping.kind));
  if (wrapping.port != 0) text += " port " + std::to_string(wrapping.port);
  if (wrapping.checksum != TunnelChecksum::kNone) {
    text += " " + std::string(ToString(wrapping.checksum));
  }
  return text;
}

std::string ToString(const ServiceKey& key) {
  if (const auto* socket = std::get_if<SocketKey>(&key)) {
    return std::string(ToString(socket->transport)) + " " +
           Endpoint{socket->address, socket->port}.ToString();
  }
  const auto& fwmark = std::get<FwmarkKey>(key);
  return "fwmark " + std::to_string(fwmark.mark) + " " + std::string(ToString(fwmark.family));
}

Family FamilyOf(const ServiceKey& key) {
  if (const auto* socket = std::get_if<SocketKey>(&key)) return socket->address.family();
  return std::get<FwmarkKey>(key).family;
}

std::string NameOf(const InterfaceAddress& address) {
  return "address " + address.prefix.address.ToString() + " on " + address.interface;
}

std::string NameOf(const Sysctl& sysctl) { return "sysctl " + SysctlKeyForPeople(sysctl.key); }

std::string NameOf(const VirtualService& service) { return "service " + ToString(service.key); }

std::string NameOf(const MetricsListen&) { return "metrics"; }

Status ValidateAddress(const InterfaceAddress& address) {
  if (const Status name = ValidateInterfaceName(address.interface); !name) return name;
  const IpAddress& ip = address.prefix.address;
  if (ip.is_unspecified() || ip.is_multicast()) {
    return Fail(ErrorCode::kInvalid, ip.ToString() + " cannot be set on an interface");
  }
  if (address.prefix.length < 1 || address.prefix.length > ip.bits()) {
    return Fail(ErrorCode::kInvalid, "prefix length " + std::to_string(address.prefix.length) +
                                         " of " + ip.ToString() + " is out of range (1 to " +
                                         std::to_string(ip.bits()) + ")");
  }
  return {};
}

Status ValidateMetrics(const MetricsListen& metrics) {
  if (metrics.at.starts_with('/') && metrics.at.size() < 100) return {};
  const Result<Endpoint> endpoint = Endpoint::Parse(metrics.at);
  if (endpoint && endpoint->address.is_loopback()) return {};
  return Fail(ErrorCode::kInvalid,
              "metrics: \"" + metrics.at +
                  "\" is no loopback address with port (127.0.0.1:9630) and no "
                  "absolute path of a socket file");
}

namespace {

// A resource of every list is valid by its own rule, and none is named twice.
template <typename T, typename Rule>
Status ValidateList(const std::vector<T>& resources, const Rule& rule) {
  for (const T& resource : resources) {
    if (Status status = rule(resource); !status) return status;
  }
  return RefuseRepetition(resources);
}

Status ValidateSysctl(const Sysctl& sysctl) {
  const Result<std::string> key = ParseSysctlKey(sysctl.key);
  if (!key) return Fail(key.error());
  if (*key == sysctl.key) return {};
  return Fail(ErrorCode::kInvalid,
              "sysctl key \"" + sysctl.key + "\" must be written with slashes");
}

template <typename T>
Status MergeNamed(std::vector<T>& whole, const std::vector<T>& part) {
  return MergeResources(whole, part, [](const T& resource) { return NameOf(resource); });
}

template <typename T>
void SortByName(std::vector<T>& resources) {
  std::sort(resources.begin(), resources.end(),
            [](const T& a, const T& b) { return NameOf(a) < NameOf(b); });
}

}  // namespace

Status ValidateState(const DesiredState& state) {
  if (Status s = ValidateList(state.addresses, ValidateAddress); !s) return s;
  if (Status s = ValidateList(state.sysctls, ValidateSysctl); !s) return s;
  if (Status s = ValidateList(state.services, ValidateService); !s) return s;
  if (Status s = ValidateList(state.sync_daemons, ValidateSyncDaemon); !s) return s;
  if (Status s = ValidateList(state.path, ValidatePathPart); !s) return s;
  if (Status s = ValidateList(state.vrrp_instances, ValidateInstance); !s) return s;
  if (Status s = ValidateList(state.vrrp_groups, ValidateGroup); !s) return s;
  if (Status s = ValidateList(state.trackers, ValidateTracker); !s) return s;
  if (Status s = ValidateList(state.watches, ValidateWatch); !s) return s;
  return ValidateList(state.metrics, ValidateMetrics);
}

Status MergeInto(DesiredState& whole, const DesiredState& part) {
  DesiredState merged = whole;  // an error leaves `whole` as it was
  const auto by_address = [](const InterfaceAddress& a) {
    return std::pair(a.interface, a.prefix.address);
  };
  const auto by_key = [](const Sysctl& s) { return s.key; };
  const auto by_service = [](const VirtualService& s) { return s.key; };
  if (Status s = MergeResources(merged.addresses, part.addresses, by_address); !s) return s;
  if (Status s = MergeResources(merged.sysctls, part.sysctls, by_key); !s) return s;
  if (Status s = MergeResources(merged.services, part.services, by_service); !s) return s;
  if (Status s = MergeNamed(merged.sync_daemons, part.sync_daemons); !s) return s;
  if (Status s = MergeNamed(merged.path, part.path); !s) return s;
  if (Status s = MergeNamed(merged.vrrp_instances, part.vrrp_instances); !s) return s;
  if (Status s = MergeNamed(merged.vrrp_groups, part.vrrp_groups); !s) return s;
  if (Status s = MergeNamed(merged.trackers, part.trackers); !s) return s;
  if (Status s = MergeNamed(merged.watches, part.watches); !s) return s;
  if (Status s = MergeNamed(merged.metrics, part.metrics); !s) return s;
  whole = std::move(merged);
  return {};
}

DesiredState Canonical(DesiredState state) {
  std::sort(state.addresses.begin(), state.addresses.end());
  std::sort(state.sysctls.begin(), state.sysctls.end());
  std::sort(state.services.begin(), state.services.end(),
            [](const VirtualService& a, const VirtualService& b) { return a.key < b.key; });
  SortByName(state.sync_daemons);
  std::sort(state.path.begin(), state.path.end());
  SortByName(state.vrrp_instances);
  SortByName(state.vrrp_groups);
  SortByName(state.trackers);
  SortByName(state.watches);
  return state;
}

}  // namespace drover
