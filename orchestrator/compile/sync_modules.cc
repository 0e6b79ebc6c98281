// connection_sync and metrics: what a director tells the others and the watchers.
#include "orchestrator/compile/tracking.h"

namespace drover {
namespace {

constexpr const char* kPlace = "net/ipv4/vs/";

// With period 0 and a refresh period the first packet that is eligible (the ACK of the handshake)
// is told, then at most one per refresh period (net/netfilter/ipvs/ip_vs_sync.c,
// ip_vs_sync_conn_needed).
constexpr std::pair<const char*, const char*> kStateful[] = {
    {"sync_threshold", "3 0"}, {"sync_refresh_period", "10"}, {"sync_retries", "1"}};

void ReadGroup(SyncDaemon& daemon, Arguments& arguments) {
  const auto text = arguments.Text("group");
  if (!text) return;
  const auto group = IpAddress::Parse(*text);
  if (!group || !group->is_multicast()) {
    arguments.Say(arguments.PlaceOf("group"), "\"" + *text + "\" is no multicast address");
    return;
  }
  daemon.group = *group;
}

// Stateless: every director finds the same real server for a client by hashing, so that nothing
// has to be told. Packets of connections that a director has not seen begin must be let in.
std::optional<ModuleWork> Stateless(Arguments& arguments, ModuleContext& context) {
  for (const char* key : {"interface", "id", "group", "port", "ttl"}) {
    if (!arguments.Has(key)) continue;
    arguments.Say(arguments.PlaceOf(key),
                  std::string("\"") + key + "\" means nothing in the stateless profile");
  }
  context.run.cluster.DemandHashing(context.host, arguments.PlaceOf("profile"));
  DesiredState state;
  state.sysctls.push_back(Sysctl{std::string(kPlace) + "sloppy_tcp", "1"});
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, std::nullopt};
}

}  // namespace

// Both roles run on every director all the time and with the same id: a backup takes entries of its
// own id only, so that other clusters on the wire are left alone, and a sender does not hear itself
// (ip_vs_sync.c switches the loop of its multicast off).
std::optional<ModuleWork> ParseConnectionSync(Arguments& arguments, ModuleContext& context) {
  const std::size_t before = arguments.diagnostics().size();
  const auto profile = arguments.OneOf("profile", {"stateful", "stateless"});
  if (arguments.diagnostics().size() != before) return std::nullopt;
  if (profile == "stateless") return Stateless(arguments, context);
  SyncDaemon daemon;
  daemon.interface = ReadInterface("interface", arguments, /*required=*/true).value_or("");
  daemon.sync_id = static_cast<std::uint8_t>(arguments.Integer("id", 1, 255).value_or(1));
  ReadGroup(daemon, arguments);
  if (const auto port = arguments.Integer("port", 1, 65535)) {
    daemon.port = static_cast<std::uint16_t>(*port);
  }
  if (const auto ttl = arguments.Integer("ttl", 1, 255)) {
    daemon.ttl = static_cast<std::uint8_t>(*ttl);
  }
  if (arguments.diagnostics().size() != before) return std::nullopt;
  DesiredState state;
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    daemon.role = role;
    state.sync_daemons.push_back(daemon);
  }
  for (const auto& [key, value] : kStateful) {
    context.run.cluster.Imply(
        context.host, {NameOf(state.sync_daemons.front()), {std::string(kPlace) + key, value}});
  }
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, std::nullopt};
}

std::optional<ModuleWork> ParseMetrics(Arguments& arguments, ModuleContext&) {
  arguments.Require("listen", "127.0.0.1:9630, or the path of a socket file");
  const auto text = arguments.Text("listen");
  if (!text) return std::nullopt;
  const MetricsListen metrics{*text};
  if (const Status fine = ValidateMetrics(metrics); !fine) {
    arguments.Say(arguments.PlaceOf("listen"), fine.error().message,
                  "a loopback address with port, or an absolute path");
    return std::nullopt;
  }
  DesiredState state;
  state.metrics.push_back(metrics);
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, arguments.PlaceOf("listen")};
}

}  // namespace drover
