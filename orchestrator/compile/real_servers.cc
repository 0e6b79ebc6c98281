#include "orchestrator/compile/real_servers.h"

#include <algorithm>
#include <charconv>

namespace drover {
namespace {

constexpr std::int64_t kMaxThreshold = 4294967295;

std::uint16_t PortOf(const ServiceKey& key) {
  const auto* socket = std::get_if<SocketKey>(&key);
  return socket == nullptr ? 0 : socket->port;
}

// A host or address with the port that may stand behind it.
struct NamedPort {
  std::string name;
  std::optional<std::string> port;
};

NamedPort SplitPort(const std::string& text, const Inventory& inventory) {
  const std::size_t colon = text.rfind(':');
  const bool whole =
      colon == std::string::npos || IpAddress::Parse(text) || inventory.FindHost(text) != nullptr;
  if (whole) return {text, std::nullopt};
  std::string name = text.substr(0, colon);
  if (name.size() >= 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  return {name, text.substr(colon + 1)};
}

// The inventory's name for an address, for reports.
std::string NameFor(const IpAddress& address, ModuleContext& context) {
  for (const auto& host : context.run.inventory.HostNames()) {
    const auto own = context.run.addresses.OfHost(host);
    if (own && *own == address) return host;
  }
  return address.ToString();
}

class ServerReader {
 public:
  ServerReader(const ServerDefaults& defaults, Arguments& arguments, ModuleContext& context)
      : defaults_(defaults), arguments_(arguments), context_(context) {}

  std::optional<PlacedServer> Read(const Argument& item) {
    PlacedServer server;
    server.place = item.place;
    server.destination.port = PortOf(defaults_.key);
    server.destination.forward = defaults_.forward;
    server.destination.tunnel = defaults_.tunnel;
    server.destination.weight = defaults_.weight;
    server.destination.upper_threshold = defaults_.upper_threshold;
    server.destination.lower_threshold = defaults_.lower_threshold;
    if (item.is_mapping()) return ReadMapping(item, std::move(server));
    const auto text = ReadText(item);
    if (!text) {
      arguments_.Say(item.place, "a real server is a host, an address or a mapping, not " +
                                     Describe(item.value));
      return std::nullopt;
    }
    if (!SetHost(*text, item.place, server)) return std::nullopt;
    return server;
  }

 private:
  std::optional<PlacedServer> ReadMapping(const Argument& item, PlacedServer server) {
    Arguments entry(item, "a real server", arguments_.diagnostics());
    const std::size_t before = entry.diagnostics().size();
    entry.CheckKeys(
        {"host", "address", "port", "weight", "forward", "upper_threshold", "lower_threshold"});
    const std::string key = entry.Has("address") ? "address" : "host";
    if (entry.Has("address") && entry.Has("host")) {
      entry.Say(entry.PlaceOf("host"), "a real server takes either \"host\" or \"address\"");
    }
    entry.Require(key);
    if (const auto text = entry.Text(key)) SetHost(*text, entry.PlaceOf(key), server);
    Destination& destination = server.destination;
    if (const auto port = entry.Integer("port", 1, 65535)) {
      destination.port = static_cast<std::uint16_t>(*port);
      server.place = entry.PlaceOf("port");
    }
    if (const auto weight = entry.Integer("weight", 0, 65535)) {
      destination.weight = static_cast<std::uint32_t>(*weight);
    }
    if (const auto upper = entry.Integer("upper_threshold", 0, kMaxThreshold)) {
      destination.upper_threshold = static_cast<std::uint32_t>(*upper);
    }
    if (const auto lower = entry.Integer("lower_threshold", 0, kMaxThreshold)) {
      destination.lower_threshold = static_cast<std::uint32_t>(*lower);
    }
    if (const auto forward = ReadForwarding("forward", entry)) destination.forward = *forward;
    if (entry.diagnostics().size() != before) return std::nullopt;
    return server;
  }

  bool SetHost(const std::string& text, const Place& place, PlacedServer& server) {
    const auto [name, port] = SplitPort(text, context_.run.inventory);
    if (port) {
      const auto number = ParsePort(*port);
      if (!number) {
        arguments_.Say(place, number.error().message);
        return false;
      }
      server.destination.port = *number;
    }
    const auto address = context_.run.addresses.OfName(name);
    if (!address) {
      SayUnknown(name, address.error(), place);
      return false;
    }
    server.destination.address = *address;
    const bool known = context_.run.inventory.FindHost(name) != nullptr;
    server.name = known ? name : NameFor(*address, context_);
    return !known || SetWeight(name, place, server);
  }

  // The inventory may say what a host can carry, so that lists of hosts have weights, too.
  bool SetWeight(const std::string& host, const Place& place, PlacedServer& server) {
    const auto text = context_.run.addresses.TextOf(host, "drover_weight");
    if (!text) {
      arguments_.Say(place, "drover_weight of \"" + host + "\": " + text.error().message);
      return false;
    }
    if (text->empty()) return true;
    std::uint16_t weight = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), weight);
    if (error != std::errc() || end != text->data() + text->size()) {
      arguments_.Say(place, "drover_weight of \"" + host +
                                "\" takes a number from 0 to 65535, not \"" + *text + "\"");
      return false;
    }
    server.destination.weight = weight;
    return true;
  }

  void SayUnknown(const std::string& name, const Error& error, const Place& place) {
    if (context_.run.inventory.FindHost(name) != nullptr) {
      arguments_.Say(place, "real server \"" + name + "\" has no address: " + error.message,
                     "set drover_address or ansible_host of this host to an IP address");
      return;
    }
    arguments_.Say(place,
                   "real server \"" + name + "\" is no host of the inventory and no IP address",
                   DidYouMean(name, context_.run.inventory.HostNames()));
  }

  const ServerDefaults& defaults_;
  Arguments& arguments_;
  ModuleContext& context_;
};

}  // namespace

std::optional<Forwarding> ReadForwarding(const std::string& key, Arguments& arguments) {
  const Argument* argument = arguments.Find(key);
  const auto word = arguments.Text(key);
  if (!word) return std::nullopt;
  std::string lower = *word;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "masq" || lower == "masquerading") lower = "nat";
  if (lower == "gatewaying" || lower == "route" || lower == "gate") lower = "dr";
  if (lower == "tunneling" || lower == "ipip") lower = "tun";
  const auto forwarding = ParseForwarding(lower);
  if (forwarding) return *forwarding;
  arguments.Say(argument->place, "unknown forwarding method \"" + *word + "\"",
                DidYouMean(lower, {"dr", "nat", "tun"}));
  return std::nullopt;
}

std::optional<Wrapping> ReadTunnel(Arguments& arguments) {
  const auto word = arguments.OneOf("tunnel", {"ipip", "gre", "gue"});
  if (!word && arguments.Has("tunnel")) return std::nullopt;  // said already
  const auto kind = word ? ParseTunnelKind(*word) : Result<TunnelKind>(TunnelKind::kIpip);
  Wrapping wrapping{kind.value_or(TunnelKind::kIpip)};
  const bool gue = wrapping.kind == TunnelKind::kGue;
  for (const char* key : {"tunnel_port", "tunnel_checksum"}) {
    if (gue || !arguments.Has(key)) continue;
    arguments.Say(arguments.PlaceOf(key), std::string("\"") + key + "\" needs \"tunnel: gue\"",
                  "ipip and gre do not travel over UDP");
  }
  if (gue) {
    wrapping.port =
        static_cast<std::uint16_t>(arguments.Integer("tunnel_port", 1, 65535).value_or(kGuePort));
    const auto checksum = arguments.OneOf("tunnel_checksum", {"nocsum", "csum", "remcsum"});
    if (checksum) wrapping.checksum = ParseTunnelChecksum(*checksum).value_or(wrapping.checksum);
  }
  return word ? std::optional(wrapping) : std::nullopt;
}

std::optional<PlacedServer> ReadRealServer(const Argument& item, const ServerDefaults& defaults,
                                           Arguments& arguments, ModuleContext& context) {
  return ServerReader(defaults, arguments, context).Read(item);
}

std::vector<PlacedServer> ReadRealServers(const ServerDefaults& defaults, Arguments& arguments,
                                          ModuleContext& context) {
  std::vector<PlacedServer> servers;
  ServerReader reader(defaults, arguments, context);
  for (const Argument* item : arguments.Several("real_servers")) {
    auto server = reader.Read(*item);
    if (server) servers.push_back(std::move(*server));
  }
  return servers;
}

}  // namespace drover
