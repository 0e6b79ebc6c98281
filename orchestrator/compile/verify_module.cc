// verify: which connections a probe makes, and what they should find. It looks at the desired
// states of all hosts, so it is worked out after every other task.
#include <algorithm>
#include <set>

#include "orchestrator/compile/module_context.h"
#include "orchestrator/verify/persistence_law.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxConnections = 100000;
constexpr std::uint32_t kLeastConnections = 12;
constexpr std::uint32_t kConnectionsPerServer = 4;
constexpr std::uint32_t kMaxRound = 1000;
constexpr std::uint32_t kMaxUploads = 8;
// Persistence that lasts no longer is waited out.
constexpr std::chrono::seconds kLongestPersistence{60};

template <typename T>
void AddOnce(std::vector<T>& list, const T& one) {
  if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
}

// What clients connect to, and the virtual service that has it.
struct Door {
  SocketKey key;
  const NamedService* named = nullptr;
};

// The ports that a virtual service of a host has: its own, or those that get its mark.
std::vector<SocketKey> PortsOf(const VirtualService& service, const DesiredState& state) {
  if (const auto* key = std::get_if<SocketKey>(&service.key)) return {*key};
  std::vector<SocketKey> ports;
  const auto& fwmark = std::get<FwmarkKey>(service.key);
  for (const PathPart& part : state.path) {
    const auto* mark = std::get_if<PacketMark>(&part);
    if (mark != nullptr && mark->mark == fwmark.mark &&
        mark->traffic.address.family() == fwmark.family) {
      ports.push_back(mark->traffic);
    }
  }
  return ports;
}

// Every TCP and UDP port of the playbook's services once; the host that holds the VIP knows it
// best.
std::vector<Door> Doors(const ClusterState& cluster) {
  std::map<SocketKey, const NamedService*> found;
  for (const auto& [host, services] : cluster.services()) {
    for (const auto& named : services) {
      for (const SocketKey& key : PortsOf(named.service, cluster.Of(host))) {
        if (key.transport == Transport::kSctp || key.port == 0) continue;
        const auto& holders = cluster.HoldersOf(key.address);
        const bool holder = std::find(holders.begin(), holders.end(), host) != holders.end();
        if (!found.contains(key) || holder) found[key] = &named;
      }
    }
  }
  std::vector<Door> doors;
  for (const auto& [key, named] : found) doors.push_back({key, named});
  return doors;
}

// What a task looks at.
struct Subjects {
  std::vector<Door> doors;
  std::vector<SocketKey> own;   // ports that whoever has the VIP serves itself
  std::vector<IpAddress> vips;  // that VRRP moves, with a service or without
};

// Addresses of instances. A link-local one means something only together with a link.
std::vector<IpAddress> MovedAddresses(const ClusterState& cluster) {
  std::set<IpAddress> moved;
  const auto link_local = Prefix::Parse("fe80::/10");
  for (const auto& [host, state] : cluster.states()) {
    for (const VrrpInstance& instance : state.vrrp_instances) {
      for (const Prefix& prefix : instance.AllAddresses()) {
        if (!link_local->Contains(prefix.address)) moved.insert(prefix.address);
      }
    }
  }
  return {moved.begin(), moved.end()};
}

bool Wanted(const SocketKey& key, const std::string& text) {
  return Endpoint{key.address, key.port}.ToString() == text || key.address.ToString() == text;
}

// An address of an instance, or a port of it that no virtual service has.
bool ChooseMoved(const std::string& text, const std::vector<IpAddress>& moved, Subjects& chosen) {
  const auto endpoint = Endpoint::Parse(text);
  const auto address = endpoint ? Result<IpAddress>(endpoint->address) : IpAddress::Parse(text);
  if (!address || std::find(moved.begin(), moved.end(), *address) == moved.end()) return false;
  if (endpoint) chosen.own.push_back({Transport::kTcp, endpoint->address, endpoint->port});
  chosen.vips.push_back(*address);
  return true;
}

void KeepChosen(Subjects& subjects, Arguments& arguments) {
  if (!arguments.Has("services")) return;
  Subjects chosen;
  std::set<SocketKey> kept;
  for (const Argument* item : arguments.Several("services")) {
    const std::string text = ReadText(*item).value_or("");
    bool found = false;
    for (const Door& door : subjects.doors) {
      if (!Wanted(door.key, text)) continue;
      found = true;
      if (kept.insert(door.key).second) chosen.doors.push_back(door);
    }
    if (found || ChooseMoved(text, subjects.vips, chosen)) continue;
    std::vector<std::string> known;
    for (const Door& door : subjects.doors) {
      known.push_back(Endpoint{door.key.address, door.key.port}.ToString());
    }
    arguments.Say(
        item->place,
        Describe(item->value) +
            " is no virtual service over TCP or UDP of this playbook, and no port of an address "
            "that its instances move",
        DidYouMean(text, known));
  }
  subjects = std::move(chosen);
}

// Full rounds of the scheduler, so that its law can be judged exactly.
std::uint32_t DefaultConnections(const VirtualService& service) {
  std::uint32_t servers = 0;
  std::uint32_t weights = 0;
  for (const auto& destination : service.destinations) {
    if (destination.weight == 0) continue;
    ++servers;
    weights += destination.weight;
  }
  const std::uint32_t round =
      service.scheduler == "wrr" && weights <= kMaxRound ? weights : servers;
  const std::uint32_t wanted = std::max(kLeastConnections, kConnectionsPerServer * servers);
  return round == 0 ? wanted : (wanted + round - 1) / round * round;
}

// Nothing when the task does not say.
std::optional<std::string> HttpPath(Arguments& arguments) {
  const Argument* http = arguments.Find("http");
  if (http == nullptr) return std::nullopt;
  std::string path = "/";
  if (http->is_mapping()) {
    Arguments entry(*http, "\"http\"", arguments.diagnostics());
    entry.CheckKeys({"path"});
    path = entry.Text("path").value_or("/");
  } else if (http->value.is_boolean()) {
    return http->value.get<bool>() ? path : "";
  } else {
    path = ReadText(*http).value_or("");
  }
  if (const Status fine = ValidateHttpPath(path); !fine) {
    arguments.Say(http->place, "\"http\": " + fine.error().message);
  }
  return path;
}

// The checks of a virtual service that ask what clients of this port get.
std::vector<CheckSettings> ChecksOf(const ClusterState& cluster, const Door& door) {
  std::vector<CheckSettings> checks;
  const bool by_mark = std::holds_alternative<FwmarkKey>(door.named->service.key);
  for (const auto& [host, state] : cluster.states()) {
    for (const auto& watch : state.watches) {
      if (watch.service != door.named->service.key) continue;
      for (const auto& check : watch.checks) {
        if (by_mark ? check.port == door.key.port : !check.port) checks.push_back(check);
      }
    }
  }
  return checks;
}

bool IsTls(const CheckSettings& check) {
  const auto* http = std::get_if<HttpCheck>(&check.kind);
  return http != nullptr && http->tls;
}

// What to ask for at a port: what the task says, else what the service's own check asks for, when
// clients can ask for it too. Who speaks TLS is not asked: the probe does not.
std::string PathAt(const Door& door, const ClusterState& cluster,
                   const std::optional<std::string>& path) {
  if (door.key.transport != Transport::kTcp) return "";
  const auto checks = ChecksOf(cluster, door);
  if (std::any_of(checks.begin(), checks.end(), IsTls)) return "";
  if (path) return *path;
  for (const auto& check : checks) {
    const auto* http = std::get_if<HttpCheck>(&check.kind);
    if (http != nullptr && http->host.empty() && http->headers.empty()) return http->path;
  }
  return "";
}

// The question of the service's own check, when it has one that must be answered.
std::optional<CheckKind> QuestionAt(const Door& door, const ClusterState& cluster) {
  if (door.key.transport != Transport::kUdp) return std::nullopt;
  for (const auto& check : ChecksOf(cluster, door)) {
    const auto* udp = std::get_if<UdpCheck>(&check.kind);
    const bool asks =
        std::holds_alternative<DnsCheck>(check.kind) || (udp != nullptr && !udp->expect.empty());
    if (asks) return check.kind;
  }
  return std::nullopt;
}

// So many large requests that turns bring one to every real server, or at least to some.
std::uint32_t Uploads(const VirtualService& service) {
  const auto servers =
      std::count_if(service.destinations.begin(), service.destinations.end(),
                    [](const Destination& destination) { return destination.weight > 0; });
  return std::min(static_cast<std::uint32_t>(servers), kMaxUploads);
}

bool IsChecked(const ClusterState& cluster, const ServiceKey& service) {
  const auto& states = cluster.states();
  return std::any_of(states.begin(), states.end(), [&](const auto& entry) {
    const auto& watches = entry.second.watches;
    return std::any_of(watches.begin(), watches.end(), [&](const ServiceWatch& watch) {
      return watch.service == service && !watch.checks.empty();
    });
  });
}

ExpectedService Expect(const Door& door, const ClusterState& cluster) {
  const NamedService& named = *door.named;
  ExpectedService expected;
  expected.checked = IsChecked(cluster, named.service.key);
  expected.key = door.key;
  if (const auto* mark = std::get_if<FwmarkKey>(&named.service.key)) expected.mark = *mark;
  expected.scheduler = named.service.scheduler;
  expected.persistent = named.service.persistence.has_value();
  if (expected.persistent) expected.persistence_timeout = named.service.persistence->timeout;
  expected.scheduler_flags = named.service.scheduler_flags;
  expected.one_packet = named.service.one_packet;
  for (std::size_t i = 0; i < named.service.destinations.size(); ++i) {
    expected.servers.push_back({named.server_names[i], named.service.destinations[i]});
  }
  return expected;
}

// Hosts that may have the VIP.
void AddHolders(const IpAddress& vip, const ClusterState& cluster, VerifyExpectation& expectation) {
  const auto& holders = cluster.HoldersOf(vip);
  for (const auto& host : holders) AddOnce(expectation.directors, host);
  if (!holders.empty()) expectation.holders[vip] = holders;
}

// Who may answer for the VIP: the hosts that hold it, or, when something else moves it, all that
// have the service.
void AddHosts(const Door& door, ModuleContext& context, VerifyExpectation& expectation) {
  const ClusterState& cluster = context.run.cluster;
  const auto& [key, named] = door;
  const auto& holders = cluster.HoldersOf(key.address);
  AddHolders(key.address, cluster, expectation);
  for (const auto& [host, services] : cluster.services()) {
    const bool has = std::any_of(services.begin(), services.end(), [&](const NamedService& other) {
      return other.service.key == door.named->service.key;
    });
    if (has && holders.empty()) AddOnce(expectation.directors, host);
  }
  for (const auto& host : cluster.RealServersOf(key.address)) {
    AddOnce(expectation.real_servers, host);
  }
  for (const auto& name : named->server_names) {
    if (context.run.inventory.FindHost(name) != nullptr) AddOnce(expectation.real_servers, name);
  }
}

// A port that whoever has the address serves: each of them is its own real server.
ExpectedService ExpectOwn(const SocketKey& key, ModuleContext& context) {
  ExpectedService expected;
  expected.key = key;
  expected.own = true;
  for (const auto& host : context.run.cluster.HoldersOf(key.address)) {
    const auto address = context.run.addresses.OfHost(host);
    if (!address) continue;
    expected.servers.push_back({host, {.address = *address, .port = key.port}});
  }
  return expected;
}

void AddPeers(ProbeTask& probe, const VerifyExpectation& expectation, ModuleContext& context) {
  std::set<std::string> names(expectation.directors.begin(), expectation.directors.end());
  names.insert(expectation.real_servers.begin(), expectation.real_servers.end());
  for (const auto& [host, state] : context.run.cluster.states()) names.insert(host);
  for (const auto& name : names) {
    const auto address = context.run.addresses.OfHost(name);
    const auto& servers = expectation.real_servers;
    const bool is_server = std::find(servers.begin(), servers.end(), name) != servers.end();
    if (address) probe.peers.push_back({name, *address, is_server});
  }
}

}  // namespace

std::optional<ModuleWork> ParseVerify(Arguments& arguments, ModuleContext& context) {
  const ClusterState& cluster = context.run.cluster;
  Subjects subjects{Doors(cluster), {}, MovedAddresses(cluster)};
  if (subjects.doors.empty() && subjects.vips.empty()) {
    arguments.Say(context.task.module_place,
                  "\"verify\" has nothing to verify: the playbook gives no host a "
                  "virtual_service over TCP or UDP, marks of one by fwmark, or a vrrp_instance");
    return std::nullopt;
  }
  KeepChosen(subjects, arguments);
  const auto connections = arguments.Integer("connections", 1, kMaxConnections);
  const auto timeout = arguments.Duration("timeout");
  if (timeout && *timeout < std::chrono::milliseconds(1)) {
    arguments.Say(arguments.PlaceOf("timeout"), "\"timeout\" must be longer than nothing");
  }
  const auto path = HttpPath(arguments);
  const auto longest = arguments.Duration("wait_persistence").value_or(kLongestPersistence);
  ProbeTask probe;
  VerifyExpectation expectation;
  const auto add = [&](const SocketKey& key, std::uint32_t usual, std::uint32_t uploads,
                       const std::string& http_path) {
    ProbeService service;
    service.service = key;
    service.connections = connections ? static_cast<std::uint32_t>(*connections) : usual;
    service.http_path = http_path;
    service.uploads = service.http_path.empty() ? 0 : uploads;
    service.timeout = timeout.value_or(service.timeout);
    probe.services.push_back(std::move(service));
    AddOnce(probe.vips, key.address);
  };
  for (const Door& door : subjects.doors) {
    const VirtualService& service = door.named->service;
    expectation.services.push_back(Expect(door, cluster));
    AddHosts(door, context, expectation);
    AddOnce(probe.vips, door.key.address);
    const auto question = QuestionAt(door, cluster);
    if (door.key.transport == Transport::kUdp && !question) continue;
    add(door.key, DefaultConnections(service), Uploads(service), PathAt(door, cluster, path));
    probe.services.back().question = question;
    probe.services.back().outlast = OutlastOf(expectation.services.back(), longest);
  }
  for (const SocketKey& key : subjects.own) {
    add(key, kLeastConnections, 1, path.value_or(""));
    expectation.services.push_back(ExpectOwn(key, context));
  }
  for (const IpAddress& vip : subjects.vips) {
    AddOnce(probe.vips, vip);
    AddOnce(expectation.vips, vip);
    AddHolders(vip, cluster, expectation);
  }
  // A director may be a real server too, and then answers by right.
  std::erase_if(expectation.real_servers, [&](const std::string& host) {
    const auto& directors = expectation.directors;
    return std::find(directors.begin(), directors.end(), host) != directors.end();
  });
  AddPeers(probe, expectation, context);
  std::optional<ModuleWork> work(std::in_place);
  work->action.emplace<ProbeTask>(std::move(probe));
  work->expectation = std::move(expectation);
  return work;
}

}  // namespace drover
