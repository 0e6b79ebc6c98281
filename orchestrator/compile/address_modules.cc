// vip and real_server: addresses on interfaces.
#include "orchestrator/compile/real_servers.h"

namespace drover {
namespace {

struct PlacedPrefix {
  Prefix prefix;
  bool has_length = false;
  Place place;
};

std::vector<PlacedPrefix> ReadPrefixes(Arguments& arguments, const std::string& key) {
  std::vector<PlacedPrefix> prefixes;
  for (const Argument* item : arguments.Several(key)) {
    const auto text = ReadText(*item);
    if (!text) {
      arguments.Say(item->place, "\"" + key + "\" of " + arguments.owner() +
                                     " takes an IP address, not " + Describe(item->value));
      continue;
    }
    const auto prefix = Prefix::Parse(*text);
    if (!prefix) {
      arguments.Say(item->place, prefix.error().message);
      continue;
    }
    prefixes.push_back({*prefix, text->find('/') != std::string::npos, item->place});
  }
  return prefixes;
}

// One of two spellings of the same key has to be there, and not both.
std::string OneKey(Arguments& arguments, const std::string& one, const std::string& many) {
  if (arguments.Has(one) && arguments.Has(many)) {
    arguments.Say(arguments.PlaceOf(many),
                  arguments.owner() + " takes either \"" + one + "\" or \"" + many + "\"");
  }
  if (arguments.Has(many)) return many;
  arguments.Require(one);
  return one;
}

void AddAddress(DesiredState& state, const InterfaceAddress& address, const Place& place,
                Arguments& arguments) {
  if (const Status status = ValidateAddress(address); !status) {
    arguments.Say(place, status.error().message);
    return;
  }
  state.addresses.push_back(address);
}

}  // namespace

std::optional<ModuleWork> ParseVip(Arguments& arguments, ModuleContext& context) {
  const std::string key = OneKey(arguments, "address", "addresses");
  arguments.Require("interface");
  const std::string interface = arguments.Text("interface").value_or("");
  const bool announce = arguments.Bool("announce").value_or(true);
  const auto length = arguments.Integer("prefix", 1, 128);
  DesiredState state;
  for (const auto& [prefix, has_length, place] : ReadPrefixes(arguments, key)) {
    InterfaceAddress address{interface, prefix, announce};
    if (length && has_length && prefix.length != *length) {
      arguments.Say(arguments.PlaceOf("prefix"),
                    "\"prefix\" contradicts the length behind the address");
    }
    if (length && !has_length) address.prefix.length = static_cast<int>(*length);
    if (!interface.empty()) AddAddress(state, address, place, arguments);
    context.run.cluster.AddVip(context.host, prefix.address);
  }
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

namespace {

// Hidden by settings: the kernel does not answer for the VIP, and does not ask in its name.
void HideBySysctl(const std::string& interface, DesiredState& state) {
  for (const std::string& name : {std::string("all"), interface}) {
    state.sysctls.push_back(Sysctl{"net/ipv4/conf/" + name + "/arp_ignore", "1"});
    state.sysctls.push_back(Sysctl{"net/ipv4/conf/" + name + "/arp_announce", "2"});
  }
}

// The address that the host is reached by, or that of `key`.
std::optional<IpAddress> OwnAddress(const char* key, Arguments& arguments, ModuleContext& context) {
  if (const auto text = arguments.Text(key)) {
    const auto address = IpAddress::Parse(*text);
    if (address) return *address;
    arguments.Say(arguments.PlaceOf(key), address.error().message);
    return std::nullopt;
  }
  const auto own = context.run.addresses.OfHost(context.host);
  if (own && own->is_v4()) return *own;
  arguments.Say(arguments.place(), "an IPv4 address of " + context.host + " is needed",
                "set drover_address or ansible_host of this host to one, or \"sender\"");
  return std::nullopt;
}

void AddPathPart(DesiredState& state, const PathPart& part, const Place& place,
                 Arguments& arguments) {
  if (const Status fine = ValidatePathPart(part); !fine) {
    arguments.Say(place, fine.error().message);
    return;
  }
  state.path.push_back(part);
}

// What is in GUE is ipip, so that its device does both.
TunnelKind DeviceKind(const Wrapping& wrapping) {
  return wrapping.kind == TunnelKind::kGue ? TunnelKind::kIpip : wrapping.kind;
}

// The device that unwraps what directors send; its packets come from clients all over, by a card
// that leads to none of them, so that strict reverse path filtering (1) would drop them. The
// greater of "all" and the interface counts: 2 (loose) makes it loose whatever "all" is.
void AddTunnel(const std::string& interface, const Wrapping& wrapping, Arguments& arguments,
               ModuleContext& context, DesiredState& state) {
  const auto own = OwnAddress("sender", arguments, context);
  if (!own) return;
  AddPathPart(state, Tunnel{interface, DeviceKind(wrapping), *own}, arguments.place(), arguments);
  if (wrapping.kind == TunnelKind::kGue) state.path.emplace_back(GueReceiver{wrapping.port});
  state.sysctls.push_back(Sysctl{"net/ipv4/conf/" + interface + "/rp_filter", "2"});
}

}  // namespace

// What direct routing and tunnels ask of a real server: it takes packets for the VIP (address on lo
// or on the tunnel) but never tells the network about it. For IPv6 the address on lo is enough:
// neighbour discovery answers for addresses of the asked interface only.
std::optional<ModuleWork> ParseRealServer(Arguments& arguments, ModuleContext& context) {
  const std::string key = OneKey(arguments, "vip", "vips");
  const auto tunnel = ReadTunnel(arguments);
  const std::string usual = tunnel ? "lvs-" + std::string(ToString(DeviceKind(*tunnel))) : "lo";
  const std::string interface = arguments.Text("interface").value_or(usual);
  const bool filter = arguments.OneOf("arp", {"sysctl", "filter"}) == "filter";
  if (arguments.Has("sender") && !filter && !tunnel) {
    arguments.Say(arguments.PlaceOf("sender"), "\"sender\" needs \"arp: filter\" or a tunnel");
  }
  DesiredState state;
  bool ipv4 = false;
  for (const auto& [prefix, has_length, place] : ReadPrefixes(arguments, key)) {
    if (has_length && prefix.length != prefix.address.bits()) {
      arguments.Say(place, "the VIP of a real server stands alone (/" +
                               std::to_string(prefix.address.bits()) + "), not in a network of /" +
                               std::to_string(prefix.length));
      continue;
    }
    if (tunnel && DeviceKind(*tunnel) == TunnelKind::kIpip && !prefix.address.is_v4()) {
      arguments.Say(place, "only IPv4 comes out of a device of kind ipip", "tunnel: gre");
      continue;
    }
    const InterfaceAddress address{interface, Prefix::Host(prefix.address), false};
    AddAddress(state, address, place, arguments);
    context.run.cluster.AddRealServer(context.host, prefix.address);
    ipv4 = ipv4 || prefix.address.is_v4();
    if (!filter || !prefix.address.is_v4()) continue;
    const auto sender = OwnAddress("sender", arguments, context);
    if (sender) AddPathPart(state, ArpFilter{prefix.address, *sender}, place, arguments);
  }
  if (ipv4 && !filter) HideBySysctl(interface, state);
  if (tunnel) AddTunnel(interface, *tunnel, arguments, context, state);
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

// A route through a router; a network in the words of `ip route`.
std::optional<ModuleWork> ParseRoute(Arguments& arguments, ModuleContext&) {
  arguments.Require("to", "default, or a network such as 10.0.0.0/8");
  arguments.Require("via", "the router's address");
  const auto to = arguments.Text("to");
  const auto via = arguments.Text("via");
  if (!to || !via) return std::nullopt;
  const auto gateway = IpAddress::Parse(*via);
  if (!gateway) {
    arguments.Say(arguments.PlaceOf("via"), gateway.error().message);
    return std::nullopt;
  }
  Prefix destination{gateway->is_v4() ? IpAddress() : IpAddress::V6({}), 0};
  if (*to != "default") {
    const auto network = Prefix::Parse(*to);
    if (!network) {
      arguments.Say(arguments.PlaceOf("to"), network.error().message);
      return std::nullopt;
    }
    destination = *network;
  }
  DesiredState state;
  AddPathPart(state, Route{destination, *gateway}, arguments.PlaceOf("to"), arguments);
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

}  // namespace drover
