#include "protocol/packet_path.h"

#include "protocol/words.h"

namespace drover {
namespace {

struct Namer {
  std::string operator()(const Tunnel& tunnel) const { return "tunnel " + tunnel.name; }
  std::string operator()(const GueReceiver& receiver) const {
    return "gue receiver " + std::to_string(receiver.port);
  }
  std::string operator()(const Route& route) const {
    return "route " + route.destination.ToString();
  }
  std::string operator()(const ArpFilter& filter) const {
    return "arp filter " + filter.address.ToString();
  }
  std::string operator()(const PacketMark& mark) const {
    return "mark " + ToString(ServiceKey(mark.traffic));
  }
};

struct Summarizer {
  std::string operator()(const Tunnel& tunnel) const {
    return std::string(ToString(tunnel.kind)) + " at " + tunnel.local.ToString();
  }
  std::string operator()(const GueReceiver& receiver) const {
    return "on UDP port " + std::to_string(receiver.port);
  }
  std::string operator()(const Route& route) const { return "via " + route.gateway.ToString(); }
  std::string operator()(const ArpFilter& filter) const {
    return "asks as " + filter.sender.ToString();
  }
  std::string operator()(const PacketMark& mark) const {
    std::string text = "fwmark " + std::to_string(mark.mark);
    if (!mark.except_from.empty()) text += " not from";
    for (const MacAddress& mac : mark.except_from) text += " " + MacText(mac);
    return text;
  }
};

bool IsUsable(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback();
}

bool HasHostBits(const Prefix& prefix) {
  for (int bit = prefix.length; bit < prefix.address.bits(); ++bit) {
    if ((prefix.address.data()[bit / 8] & (0x80 >> (bit % 8))) != 0) return true;
  }
  return false;
}

// The first offence in words, empty when there is none.
struct Judge {
  std::string operator()(const Tunnel& tunnel) const {
    if (const Status name = ValidateInterfaceName(tunnel.name); !name) return name.error().message;
    if (tunnel.kind == TunnelKind::kGue)
      return "no device is of kind gue: what comes in it is ipip";
    if (!tunnel.local.is_v4() || !IsUsable(tunnel.local)) {
      return tunnel.local.ToString() + " cannot be the IPv4 address at its end";
    }
    return "";
  }
  std::string operator()(const GueReceiver& receiver) const {
    return receiver.port == 0 ? "the port must not be 0" : "";
  }
  std::string operator()(const Route& route) const {
    if (route.gateway.family() != route.destination.address.family()) {
      return "its router " + route.gateway.ToString() + " is of the other family";
    }
    if (!IsUsable(route.gateway)) return route.gateway.ToString() + " is no router";
    if (HasHostBits(route.destination)) {
      return route.destination.ToString() + " is an address in a network, not a network";
    }
    return "";
  }
  std::string operator()(const ArpFilter& filter) const {
    for (const IpAddress& address : {filter.address, filter.sender}) {
      if (!address.is_v4()) return "ARP is about IPv4, not " + address.ToString();
      if (!IsUsable(address)) return address.ToString() + " is no address of a host";
    }
    return filter.address == filter.sender ? "it would ask in the name that it hides" : "";
  }
  std::string operator()(const PacketMark& mark) const {
    if (mark.mark == 0) return "the mark must not be 0";
    if (mark.traffic.port == 0) return "the port must not be 0";
    if (mark.except_from.size() > kMaxExceptions) {
      return "at most " + std::to_string(kMaxExceptions) + " hosts can be excepted";
    }
    for (std::size_t i = 0; i < mark.except_from.size(); ++i) {
      const MacAddress& mac = mark.except_from[i];
      if (mac == MacAddress{} || (mac[0] & 1) != 0) return "that MAC is no host's";
      if (i > 0 && mac <= mark.except_from[i - 1]) return "its MACs are not in ascending order";
    }
    return IsUsable(mark.traffic.address) ? "" : "packets do not come for that address";
  }
};

}  // namespace

std::string NameOf(const PathPart& part) { return std::visit(Namer{}, part); }
std::string Summary(const PathPart& part) { return std::visit(Summarizer{}, part); }

Status ValidatePathPart(const PathPart& part) {
  const std::string offence = std::visit(Judge{}, part);
  if (offence.empty()) return {};
  return Fail(ErrorCode::kInvalid, NameOf(part) + ": " + offence);
}

}  // namespace drover
