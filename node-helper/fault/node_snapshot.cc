#include "node-helper/fault/node_snapshot.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "node-helper/fault/process_table.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/net/network_snapshot.h"
#include "node-helper/net/sysctl_files.h"
#include "node-helper/undo/firewall_text.h"

namespace drover {
namespace {

constexpr std::uint64_t kNearlyFullPercent = 95;
constexpr std::chrono::seconds kToolPatience{20};

SnapshotSection Section(std::string name, std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return {std::move(name), std::move(lines)};
}

// Lines of a program's output; none when it is not there.
std::vector<std::string> Output(const DrillParts& parts, const std::vector<std::string>& argv) {
  ProcessSpec spec;
  spec.argv = argv;
  spec.timeout = kToolPatience;
  const auto outcome = parts.run(spec);
  if (!outcome || outcome->command.exit_code != 0) return {};
  std::vector<std::string> lines;
  std::istringstream text(outcome->command.stdout_text);
  for (std::string line; std::getline(text, line);) {
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

void AddNetwork(const NetworkSnapshot& network, const HeldElsewhere& held, NodeSnapshot& snapshot) {
  InterfaceNames names;
  for (const LinkState& link : network.links) names[link.index] = link.name;
  std::vector<std::string> links;
  for (const LinkState& link : network.links) {
    if (held.interface(link.name)) continue;
    links.push_back(link.name + (link.up ? " up" : " down") + " mtu " + std::to_string(link.mtu));
  }
  std::vector<std::string> addresses;
  for (const AddressState& address : network.addresses) {
    const std::string& interface = names[address.index];
    if (address.by_kernel || held.interface(interface)) continue;
    if (address.lifetime && held.address({interface, address.prefix, false})) continue;
    addresses.push_back(NameOf(address, names));
  }
  std::vector<std::string> routes;
  for (const RouteState& route : network.routes) {
    if (!route.by_kernel) routes.push_back(NameOf(route, names));
  }
  for (const RuleState& rule : network.rules) routes.push_back(NameOf(rule));
  snapshot.sections.push_back(Section("links", std::move(links)));
  snapshot.sections.push_back(Section("addresses", std::move(addresses)));
  snapshot.sections.push_back(Section("routes", std::move(routes)));
}

std::vector<std::string> Firewall(const DrillParts& parts) {
  std::string text;
  for (const std::string& line : Output(parts, {"nft", "-s", "list", "ruleset"})) {
    text += line + "\n";
  }
  std::vector<std::string> tables;
  for (const NftTable& table : SplitRuleset(text, "")) {
    tables.push_back(table.family + " " + table.name + ": " + StableRules(table.text));
  }
  return tables;
}

std::vector<std::string> Sysctls(const HeldElsewhere& held) {
  const SysctlFiles files;
  std::vector<std::string> keys = {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"};
  for (const std::string& key : files.Keys("net/ipv4/vs")) keys.push_back(key);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/sys/net/ipv4/conf", error)) {
    const std::string name = entry.path().filename().string();
    if (held.interface(name)) continue;
    for (const char* setting : {"arp_ignore", "arp_announce", "arp_accept", "rp_filter",
                                "send_redirects", "accept_redirects", "forwarding"}) {
      keys.push_back("net/ipv4/conf/" + name + "/" + setting);
    }
  }
  std::vector<std::string> lines;
  for (const std::string& key : keys) {
    const auto value = files.Read(key);
    if (value && *value) lines.push_back(key + " = " + **value);
  }
  return lines;
}

// Weights are the checks' affair: only whether a destination gets anything is told.
Result<std::vector<std::string>> Rules(const DrillParts& parts) {
  const auto kernel = parts.open_kernel();
  if (!kernel) return Fail(kernel.error());
  const auto state = (*kernel)->Observe({});
  if (!state) return Fail(state.error());
  std::vector<std::string> lines;
  for (const VirtualService& service : state->services) {
    const std::string name = ToString(service.key);
    std::string flags;
    for (const std::string& flag : service.scheduler_flags) flags += " " + flag;
    lines.push_back(name + " " + service.scheduler + flags +
                    (service.persistence ? " persistent" : ""));
    for (const Destination& destination : service.destinations) {
      lines.push_back(name + " -> " + destination.endpoint().ToString() +
                      (destination.weight == 0 ? " quiesced" : ""));
    }
  }
  for (const SyncDaemon& daemon : state->sync_daemons) {
    lines.push_back(NameOf(daemon) + " on " + daemon.interface + " id " +
                    std::to_string(daemon.sync_id) + " port " + std::to_string(daemon.port));
  }
  return lines;
}

std::vector<std::string> Processes() {
  std::vector<std::string> lines;
  const auto daemon = RunningDaemon("");
  lines.push_back(daemon ? "the helper's daemon runs" : "the helper's daemon does not run");
  if (daemon && drover::StateOf(*daemon) == 'T')
    lines.emplace_back("the helper's daemon is stopped");
  for (const char* kind : {"guard", "burn", "answer", "reboot"}) {
    for (const ProcessId& process : HelpersWith({kind})) {
      lines.push_back(std::string("drill ") + kind + " (" + process.name + ")");
    }
  }
  return lines;
}

std::vector<std::string> FullMounts() {
  std::vector<std::string> lines;
  for (const char* path : {"/", "/var", "/var/log", "/var/lib/drover", "/run", "/tmp"}) {
    struct statvfs space {};
    if (::statvfs(path, &space) != 0 || space.f_blocks == 0) continue;
    const std::uint64_t used = (space.f_blocks - space.f_bfree) * 100 / space.f_blocks;
    if (used > kNearlyFullPercent) lines.push_back(std::string(path) + " is nearly full");
  }
  return lines;
}

}  // namespace

Result<NodeSnapshot> TakeNodeSnapshot(const DrillParts& parts) {
  const auto network = TakeNetworkSnapshot();
  if (!network) return Fail(network.error());
  auto rules = Rules(parts);
  if (!rules) return Fail(rules.error());
  const HeldElsewhere held = parts.held();
  NodeSnapshot snapshot;
  AddNetwork(*network, held, snapshot);
  snapshot.sections.push_back(
      Section("neighbours", Output(parts, {"ip", "neighbour", "show", "nud", "permanent"})));
  snapshot.sections.push_back(Section("nft", Firewall(parts)));
  snapshot.sections.push_back(Section("qdiscs", Output(parts, {"tc", "qdisc", "show"})));
  snapshot.sections.push_back(Section("sysctls", Sysctls(held)));
  snapshot.sections.push_back(Section("ip_vs", std::move(*rules)));
  snapshot.sections.push_back(Section("processes", Processes()));
  snapshot.sections.push_back(Section("mounts", FullMounts()));
  return snapshot;
}

}  // namespace drover
