// virtual_service: one service of ip_vs with its real servers.
#include <algorithm>
#include <set>

#include "orchestrator/compile/real_servers.h"
#include "orchestrator/compile/service_key_reader.h"
#include "orchestrator/compile/service_watch.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxU32 = 4294967295;

std::optional<int> LengthOfMask(const IpAddress& mask) {
  int length = 0;
  bool ended = false;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = ((mask.data()[i] >> bit) & 1) != 0;
      if (set && ended) return std::nullopt;
      ended = ended || !set;
      length += set ? 1 : 0;
    }
  }
  return length;
}

std::optional<int> ReadNetmask(Arguments& arguments, int bits) {
  const Argument* argument = arguments.Find("persistence_netmask");
  if (argument == nullptr) return std::nullopt;
  if (const auto number = ReadInteger(argument->value)) {
    if (*number >= 1 && *number <= bits) return static_cast<int>(*number);
  } else if (const auto text = ReadText(*argument)) {
    const auto mask = IpAddress::Parse(*text);
    const auto length = mask && mask->bits() == bits ? LengthOfMask(*mask) : std::nullopt;
    if (length && *length >= 1) return length;
  }
  arguments.Say(argument->place, "\"persistence_netmask\" takes a length from 1 to " +
                                     std::to_string(bits) + " or a netmask, not " +
                                     Describe(argument->value));
  return std::nullopt;
}

void ReadPersistence(Arguments& arguments, VirtualService& service) {
  const auto span = arguments.Duration("persistence");
  if (span && *span % std::chrono::seconds(1) != std::chrono::milliseconds(0)) {
    arguments.Say(arguments.PlaceOf("persistence"), "\"persistence\" takes whole seconds");
  }
  const bool wanted = span && *span > std::chrono::milliseconds(0);
  const int bits = FamilyOf(service.key) == Family::kIpv4 ? 32 : 128;
  const auto netmask = ReadNetmask(arguments, bits);
  const auto engine = arguments.Text("persistence_engine");
  if (wanted) {
    service.persistence = Persistence{std::chrono::duration_cast<std::chrono::seconds>(*span),
                                      netmask.value_or(bits), engine.value_or("")};
    return;
  }
  if (arguments.Has("persistence")) return;  // 0: none, whatever else is set
  for (const char* key : {"persistence_netmask", "persistence_engine"}) {
    if (!arguments.Has(key)) continue;
    arguments.Say(arguments.PlaceOf(key), std::string("\"") + key + "\" needs \"persistence\"");
  }
}

void ReadScheduling(Arguments& arguments, VirtualService& service) {
  if (const auto scheduler = arguments.Text("scheduler")) {
    const auto& known = KnownSchedulers();
    if (std::find(known.begin(), known.end(), *scheduler) == known.end()) {
      arguments.Say(arguments.PlaceOf("scheduler"), "unknown scheduler \"" + *scheduler + "\"",
                    DidYouMean(*scheduler, known));
    } else {
      service.scheduler = *scheduler;
    }
  }
  const auto flags = arguments.Texts("scheduler_flags", /*commas=*/true);
  const auto bits = SchedulerFlagBits(service.scheduler, flags);
  if (bits) {
    service.scheduler_flags = SchedulerFlagNames(service.scheduler, *bits);
  } else {
    arguments.Say(arguments.PlaceOf("scheduler_flags"), bits.error().message);
  }
}

void ReadDefaults(Arguments& arguments, ServerDefaults& defaults) {
  const auto number = [&](const char* key, std::uint32_t fallback, std::int64_t most) {
    const auto value = arguments.Integer(key, 0, most);
    return value ? static_cast<std::uint32_t>(*value) : fallback;
  };
  defaults.weight = number("weight", 1, 65535);
  defaults.upper_threshold = number("upper_threshold", 0, kMaxU32);
  defaults.lower_threshold = number("lower_threshold", 0, kMaxU32);
  defaults.forward = ReadForwarding("forward", arguments).value_or(Forwarding::kDr);
  if (const auto tunnel = ReadTunnel(arguments)) defaults.tunnel = *tunnel;
}

// Hosts whose packets get no mark: MACs, or hosts of the inventory with the variable drover_mac.
// The node itself may stand in the list, so that all hosts can have the same one.
std::vector<MacAddress> ReadExceptions(Arguments& arguments, ModuleContext& context) {
  std::set<MacAddress> macs;
  for (const Argument* item : arguments.Several("except_from")) {
    const std::string text = ReadText(*item).value_or("");
    if (text == context.host) continue;
    const bool known = context.run.inventory.FindHost(text) != nullptr;
    const auto mac = known ? context.run.addresses.MacOf(text) : ParseMac(text);
    if (mac) {
      macs.insert(*mac);
    } else if (known) {
      arguments.Say(item->place, "\"" + text + "\" cannot be excepted: " + mac.error().message,
                    "set drover_mac of this host to the MAC that it forwards packets with");
    } else {
      arguments.Say(item->place, Describe(item->value) + " is no host of the inventory and no MAC",
                    DidYouMean(text, context.run.inventory.HostNames()));
    }
  }
  return {macs.begin(), macs.end()};
}

// One item of marks: "10.0.0.100:80" for TCP, "udp 10.0.0.100:53".
std::optional<SocketKey> ReadTraffic(const Argument& item, Arguments& arguments) {
  std::string text = ReadText(item).value_or("");
  Transport transport = Transport::kTcp;
  if (const std::size_t blank = text.find(' '); blank != std::string::npos) {
    const auto word = ParseTransport(text.substr(0, blank));
    if (!word) arguments.Say(item.place, word.error().message);
    transport = word.value_or(transport);
    text = text.substr(blank + 1);
  }
  const auto endpoint = Endpoint::Parse(text);
  if (!endpoint) {
    arguments.Say(item.place, endpoint.error().message, "IP:PORT, or udp IP:PORT");
    return std::nullopt;
  }
  return SocketKey{transport, endpoint->address, endpoint->port};
}

// What packets get the mark of a fwmark service.
std::vector<PathPart> ReadMarks(const ServiceKey& key, Arguments& arguments,
                                ModuleContext& context) {
  std::vector<PathPart> marks;
  const auto* fwmark = std::get_if<FwmarkKey>(&key);
  if (arguments.Has("marks") && fwmark == nullptr) {
    arguments.Say(arguments.PlaceOf("marks"), "\"marks\" needs a service by \"fwmark\"");
    return marks;
  }
  if (arguments.Has("except_from") && !arguments.Has("marks")) {
    arguments.Say(arguments.PlaceOf("except_from"), "\"except_from\" needs \"marks\"");
    return marks;
  }
  const std::vector<MacAddress> exceptions = ReadExceptions(arguments, context);
  for (const Argument* item : arguments.Several("marks")) {
    const auto traffic = ReadTraffic(*item, arguments);
    if (!traffic) continue;
    const PacketMark mark{*traffic, fwmark->mark, exceptions};
    if (const Status fine = ValidatePathPart(mark); !fine) {
      arguments.Say(item->place, fine.error().message);
    } else if (traffic->address.family() != fwmark->family) {
      arguments.Say(item->place, "the service is of the other family", "family: ipv6");
    }
    marks.emplace_back(mark);
  }
  return marks;
}

std::string WithoutPrefix(const std::string& message, const std::string& prefix) {
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

// What can be said of one real server is said at its own place.
void CheckServers(const VirtualService& service, const std::vector<PlacedServer>& servers,
                  Arguments& arguments) {
  std::map<Endpoint, Place> seen;
  for (const auto& server : servers) {
    const auto [first, added] = seen.emplace(server.destination.endpoint(), server.place);
    if (!added) {
      arguments.Say(server.place,
                    "real server " + server.destination.endpoint().ToString() + " (" + server.name +
                        ") is named twice",
                    "the first time is at " + PlaceText(first->second));
      continue;
    }
    VirtualService alone = service;
    alone.destinations = {server.destination};
    if (const Status status = ValidateService(alone); !status) {
      arguments.Say(server.place, WithoutPrefix(status.error().message, NameOf(service) + ": "));
    }
  }
}

}  // namespace

std::optional<ModuleWork> ParseVirtualService(Arguments& arguments, ModuleContext& context) {
  const std::size_t before = arguments.diagnostics().size();
  const auto key = ReadServiceKey(arguments);
  VirtualService service;
  ServerDefaults defaults;
  ReadDefaults(arguments, defaults);
  ReadScheduling(arguments, service);
  if (!key) return std::nullopt;
  service.key = *key;
  defaults.key = *key;
  ReadPersistence(arguments, service);
  service.one_packet = arguments.Bool("one_packet").value_or(false);
  const auto servers = ReadRealServers(defaults, arguments, context);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  const std::string key_name = arguments.Has("fwmark") ? "fwmark" : "address";
  if (const Status status = ValidateService(service); !status) {
    arguments.Say(arguments.PlaceOf(key_name),
                  WithoutPrefix(status.error().message, NameOf(service) + ": "));
    return std::nullopt;
  }
  CheckServers(service, servers, arguments);
  auto watch = ReadWatch(service, defaults, servers, arguments, context);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  NamedService named;
  for (const auto& server : servers) {
    service.destinations.push_back(server.destination);
    named.server_names.push_back(server.name);
  }
  named.service = service;
  context.run.cluster.NameServers(context.host, named);
  DesiredState state;
  state.path = ReadMarks(service.key, arguments, context);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  state.services.push_back(std::move(service));
  if (watch) state.watches.push_back(*std::move(watch));
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

}  // namespace drover
