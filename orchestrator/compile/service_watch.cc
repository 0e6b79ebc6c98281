#include "orchestrator/compile/service_watch.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "orchestrator/compile/check_reader.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxU32 = 4294967295;
constexpr const char* kBesideCheck[] = {"on_failure", "slow_start", "quorum", "hysteresis",
                                        "sorry_server"};

std::uint64_t TotalWeight(const std::vector<PlacedServer>& servers) {
  std::uint64_t total = 0;
  for (const auto& server : servers) total += server.destination.weight;
  return total;
}

void ReadQuorum(ServiceWatch& watch, const std::vector<PlacedServer>& servers,
                Arguments& arguments) {
  if (const auto n = arguments.Integer("quorum", 1, kMaxU32)) {
    watch.quorum = static_cast<std::uint32_t>(*n);
  }
  if (const auto n = arguments.Integer("hysteresis", 0, kMaxU32)) {
    watch.hysteresis = static_cast<std::uint32_t>(*n);
  }
  const std::uint64_t total = TotalWeight(servers);
  if (watch.hysteresis >= watch.quorum && watch.hysteresis != 0) {
    arguments.Say(
        arguments.PlaceOf("hysteresis"),
        "\"hysteresis\" must be less than \"quorum\", which is " + std::to_string(watch.quorum));
  } else if (arguments.Has("quorum") && std::uint64_t{watch.quorum} + watch.hysteresis > total) {
    arguments.Say(arguments.PlaceOf("quorum"),
                  "the quorum can never be reached: all real servers together weigh " +
                      std::to_string(total));
  }
}

void ReadSorryServer(ServiceWatch& watch, const VirtualService& service,
                     const ServerDefaults& defaults, const std::vector<PlacedServer>& servers,
                     Arguments& arguments, ModuleContext& context) {
  const Argument* argument = arguments.Find("sorry_server");
  if (argument == nullptr) return;
  if (argument->is_list()) {
    arguments.Say(argument->place, "there is one sorry server, not a list");
    return;
  }
  const auto sorry = ReadRealServer(*argument, defaults, arguments, context);
  if (!sorry) return;
  const bool twice = std::any_of(servers.begin(), servers.end(), [&](const PlacedServer& server) {
    return server.destination.endpoint() == sorry->destination.endpoint();
  });
  if (twice) {
    arguments.Say(sorry->place, "the sorry server " + sorry->destination.endpoint().ToString() +
                                    " is one of the real servers");
    return;
  }
  if (sorry->destination.weight == 0) {
    arguments.Say(sorry->place, "a sorry server of weight 0 would take no connections");
    return;
  }
  VirtualService alone = service;
  alone.destinations = {sorry->destination};
  if (const Status status = ValidateService(alone); !status) {
    arguments.Say(sorry->place, "sorry server: " + status.error().message);
    return;
  }
  watch.sorry_server = sorry->destination;
}

// What ValidateWatch says of through_vip, at the check's place.
bool GoesThroughVip(const CheckSettings& check, const ServiceKey& service) {
  const auto* key = std::get_if<SocketKey>(&service);
  const bool asks_tcp = std::holds_alternative<TcpCheck>(check.kind) ||
                        std::holds_alternative<HttpCheck>(check.kind) ||
                        std::holds_alternative<SmtpCheck>(check.kind);
  return key != nullptr && key->transport == Transport::kTcp && key->port != 0 && asks_tcp &&
         !check.port;
}

// A service of every port leaves the checks without one.
bool NeedsPort(const CheckSettings& check) {
  return !std::holds_alternative<PingCheck>(check.kind) &&
         !std::holds_alternative<ScriptCheck>(check.kind);
}

void ReadChecks(ServiceWatch& watch, const std::vector<PlacedServer>& servers,
                Arguments& arguments) {
  const bool portless = std::any_of(servers.begin(), servers.end(),
                                    [](const PlacedServer& s) { return s.destination.port == 0; });
  for (const Argument* item : arguments.Several("check")) {
    auto check = ReadCheck(*item, arguments);
    if (!check) continue;
    if (check->through_vip && !GoesThroughVip(*check, watch.service)) {
      arguments.Say(item->place,
                    "\"through_vip\" goes with tcp, http, https and smtp checks of a TCP service "
                    "by address, on the service's own port");
      continue;
    }
    if (portless && !check->port && NeedsPort(*check)) {
      arguments.Say(item->place, "the real servers of this service have no port to ask",
                    "give the check a \"port\"");
      continue;
    }
    watch.checks.push_back(*std::move(check));
  }
}

// Where the host has the VIP while it is its master; empty: nowhere that is known here, or on lo.
std::string InterfaceOf(const IpAddress& vip, const DesiredState& state) {
  for (const VrrpInstance& instance : state.vrrp_instances) {
    if (instance.Holds(vip)) return instance.interface;
  }
  for (const InterfaceAddress& address : state.addresses) {
    if (address.interface != "lo" && address.prefix.address == vip) return address.interface;
  }
  return "";
}

// The IPv4 address that checks of the watch go through.
std::optional<IpAddress> VipAsked(const ServiceWatch& watch) {
  const auto* key = std::get_if<SocketKey>(&watch.service);
  const bool asks = std::any_of(watch.checks.begin(), watch.checks.end(),
                                [](const CheckSettings& check) { return check.through_vip; });
  if (!asks || key == nullptr || !key->address.is_v4()) return std::nullopt;
  return key->address;
}

}  // namespace

std::optional<ServiceWatch> ReadWatch(const VirtualService& service, const ServerDefaults& defaults,
                                      const std::vector<PlacedServer>& servers,
                                      Arguments& arguments, ModuleContext& context) {
  if (!arguments.Has("check") || arguments.Several("check").empty()) {
    for (const char* key : kBesideCheck) {
      if (!arguments.Has(key)) continue;
      arguments.Say(arguments.PlaceOf(key), std::string("\"") + key + "\" needs \"check\"");
    }
    return std::nullopt;
  }
  const std::size_t before = arguments.diagnostics().size();
  ServiceWatch watch;
  watch.service = service.key;
  ReadChecks(watch, servers, arguments);
  if (const auto word = arguments.OneOf("on_failure", {"quiesce", "remove"})) {
    watch.on_failure = *ParseOnFailure(*word);
  }
  watch.slow_start =
      arguments.Duration("slow_start", std::chrono::milliseconds(0), std::chrono::hours(1))
          .value_or(std::chrono::milliseconds(0));
  ReadQuorum(watch, servers, arguments);
  ReadSorryServer(watch, service, defaults, servers, arguments, context);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  if (const Status fine = ValidateWatch(watch); !fine) {
    arguments.Say(arguments.PlaceOf("check"), fine.error().message);
    return std::nullopt;
  }
  return watch;
}

void ImplyAnswersFromVips(ClusterState& cluster) {
  for (const auto& [host, state] : cluster.states()) {
    for (const ServiceWatch& watch : state.watches) {
      const auto vip = VipAsked(watch);
      const std::string interface = vip ? InterfaceOf(*vip, state) : "";
      if (interface.empty()) continue;
      cluster.Imply(host, {NameOf(watch), {"net/ipv4/conf/" + interface + "/accept_local", "1"}});
    }
  }
}

}  // namespace drover
