// The rules of ip_vs that hold without a kernel: schedulers and their flags, and which settings go
// together. Sources: include/uapi/linux/ip_vs.h, net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_sh.c,
// ip_vs_mh.c.

#include <algorithm>
#include <array>
#include <set>

#include "protocol/desired_state.h"

namespace drover {
namespace {

constexpr std::array<std::uint32_t, 3> kFlagBits = {0x0008, 0x0010,
                                                    0x0020};  // IP_VS_SVC_F_SCHED1…3
constexpr std::uint32_t kMaxWeight = 65535;
constexpr std::chrono::seconds kMaxPersistence{
    31L * 24 * 3600};                       // ip_vs_ctl.c: IP_VS_MAX_PERSISTENCE … 31 days
constexpr std::size_t kMaxEngineName = 15;  // IP_VS_PENAME_MAXLEN without its terminator

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

template <typename Range>
std::string Joined(const Range& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string Named(const VirtualService& service) { return NameOf(service) + ": "; }

Status ValidateKey(const VirtualService& service) {
  const auto* socket = std::get_if<SocketKey>(&service.key);
  if (socket == nullptr) {
    if (std::get<FwmarkKey>(service.key).mark == 0) {
      return Fail(ErrorCode::kInvalid, Named(service) + "the mark must not be 0");
    }
    return {};
  }
  if (socket->address.is_unspecified() || socket->address.is_multicast()) {
    return Fail(ErrorCode::kInvalid, Named(service) + "the address cannot be a virtual IP");
  }
  if (socket->port == 0 && !service.persistence) {
    return Fail(ErrorCode::kInvalid, Named(service) + "port 0 (every port) needs persistence");
  }
  if (service.one_packet && socket->transport != Transport::kUdp) {
    return Fail(ErrorCode::kInvalid, Named(service) + "one-packet scheduling is for UDP only");
  }
  return {};
}

Status ValidateScheduling(const VirtualService& service) {
  const std::vector<std::string>& known = KnownSchedulers();
  if (std::find(known.begin(), known.end(), service.scheduler) == known.end()) {
    return Fail(ErrorCode::kInvalid, Named(service) + "unknown scheduler " +
                                         Quoted(service.scheduler) + " (" + Joined(known) + ")");
  }
  const Result<std::uint32_t> bits = SchedulerFlagBits(service.scheduler, service.scheduler_flags);
  if (!bits) return Fail(bits.error().In(NameOf(service)));
  if (!std::is_sorted(service.scheduler_flags.begin(), service.scheduler_flags.end()) ||
      SchedulerFlagNames(service.scheduler, *bits) != service.scheduler_flags) {
    return Fail(ErrorCode::kInvalid,
                Named(service) + "scheduler flags are to be sorted, each once and by its own name");
  }
  return {};
}

Status ValidatePersistence(const VirtualService& service) {
  if (!service.persistence) return {};
  const Persistence& persistence = *service.persistence;
  if (persistence.timeout < std::chrono::seconds(1) || persistence.timeout > kMaxPersistence) {
    return Fail(ErrorCode::kInvalid, Named(service) + "persistence must last 1 second to 31 days");
  }
  const int bits = FamilyOf(service.key) == Family::kIpv4 ? 32 : 128;
  if (persistence.netmask_length < 1 || persistence.netmask_length > bits) {
    return Fail(ErrorCode::kInvalid, Named(service) + "persistence netmask must have 1 to " +
                                         std::to_string(bits) + " bits");
  }
  if (persistence.engine.size() > kMaxEngineName) {
    return Fail(ErrorCode::kInvalid, Named(service) + "persistence engine " +
                                         Quoted(persistence.engine) + " is unknown");
  }
  return {};
}

Status ValidateDestination(const VirtualService& service, const Destination& destination) {
  const std::string named =
      Named(service) + "real server " + destination.endpoint().ToString() + ": ";
  const auto fail = [&named](const std::string& text) {
    return Fail(ErrorCode::kInvalid, named + text);
  };
  if (destination.address.is_unspecified() || destination.address.is_multicast()) {
    return fail("the address cannot be a real server");
  }
  const bool tunnel = destination.forward == Forwarding::kTun;
  if (destination.address.family() != FamilyOf(service.key) && !tunnel) {
    return fail("IPv4 and IPv6 can be mixed with forwarding method tun only");
  }
  const auto* socket = std::get_if<SocketKey>(&service.key);
  if (socket != nullptr && destination.forward != Forwarding::kNat &&
      destination.port != socket->port) {
    return fail("forwarding method " + std::string(ToString(destination.forward)) +
                " cannot change the port: it must be " + std::to_string(socket->port) +
                ", as the service's (only nat translates ports)");
  }
  const Wrapping& wrapping = destination.tunnel;
  if (wrapping != Wrapping{} && !tunnel) {
    return fail("only forwarding method tun wraps packets (" + ToString(wrapping) + ")");
  }
  if (wrapping.kind == TunnelKind::kGue && wrapping.port == 0) {
    return fail("gue needs the port that the real server takes it at");
  }
  if (wrapping.kind != TunnelKind::kGue && wrapping.port != 0) {
    return fail("a port is a setting of gue, not of " + std::string(ToString(wrapping.kind)));
  }
  // No playbook asks for gre with a checksum, but a rule that is put back may have it.
  const bool gre_takes =
      wrapping.kind == TunnelKind::kGre && wrapping.checksum == TunnelChecksum::kFull;
  if (wrapping.kind != TunnelKind::kGue && wrapping.checksum != TunnelChecksum::kNone &&
      !gre_takes) {
    return fail("the checksum " + std::string(ToString(wrapping.checksum)) + " is none of " +
                std::string(ToString(wrapping.kind)));
  }
  if (destination.weight > kMaxWeight) return fail("weight must be 0 to 65535");
  if (destination.upper_threshold != 0 &&
      destination.lower_threshold > destination.upper_threshold) {
    return fail("the lower threshold is above the upper one");
  }
  if (destination.upper_threshold == 0 && destination.lower_threshold != 0) {
    return fail("a lower threshold needs an upper one");
  }
  return {};
}

}  // namespace

const std::vector<std::string>& KnownSchedulers() {
  static const std::vector<std::string> kSchedulers = {"rr",    "wrr", "lc", "wlc", "lblc",
                                                       "lblcr", "dh",  "sh", "sed", "nq",
                                                       "fo",    "ovf", "mh", "twos"};
  return kSchedulers;
}

std::vector<std::string> FlagsOfScheduler(std::string_view scheduler) {
  if (scheduler == "sh") return {"sh-fallback", "sh-port", "flag-3"};
  if (scheduler == "mh") return {"mh-fallback", "mh-port", "flag-3"};
  return {"flag-1", "flag-2", "flag-3"};
}

Result<std::uint32_t> SchedulerFlagBits(std::string_view scheduler,
                                        const std::vector<std::string>& flags) {
  const std::vector<std::string> names = FlagsOfScheduler(scheduler);
  std::uint32_t bits = 0;
  for (const std::string& flag : flags) {
    bool found = false;
    for (std::size_t i = 0; i < kFlagBits.size(); ++i) {
      if (flag == names[i] || flag == "flag-" + std::to_string(i + 1)) {
        bits |= kFlagBits[i];
        found = true;
      }
    }
    if (!found) {
      return Fail(ErrorCode::kInvalid, "scheduler " + std::string(scheduler) + " has no flag " +
                                           Quoted(flag) + " (" + Joined(names) + ")");
    }
  }
  return bits;
}

std::vector<std::string> SchedulerFlagNames(std::string_view scheduler, std::uint32_t bits) {
  const std::vector<std::string> names = FlagsOfScheduler(scheduler);
  std::vector<std::string> set;
  for (std::size_t i = 0; i < kFlagBits.size(); ++i) {
    if ((bits & kFlagBits[i]) != 0) set.push_back(names[i]);
  }
  std::sort(set.begin(), set.end());
  return set;
}

Status ValidateService(const VirtualService& service) {
  if (const Status status = ValidateKey(service); !status) return status;
  if (const Status status = ValidateScheduling(service); !status) return status;
  if (const Status status = ValidatePersistence(service); !status) return status;
  std::set<Endpoint> seen;
  for (const Destination& destination : service.destinations) {
    if (const Status status = ValidateDestination(service, destination); !status) return status;
    if (!seen.insert(destination.endpoint()).second) {
      return Fail(ErrorCode::kInvalid, Named(service) + "real server " +
                                           destination.endpoint().ToString() + " is named twice");
    }
  }
  return {};
}

}  // namespace drover
