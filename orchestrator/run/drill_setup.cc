#include "orchestrator/run/drill_setup.h"

#include <algorithm>
#include <charconv>

namespace drover {
namespace {

constexpr std::uint16_t kDefaultPort = 80;

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

// The first VIP that VRRP moves.
std::optional<IpAddress> FirstVip(const CompiledRun& run) {
  for (const auto& [host, state] : run.states) {
    for (const VrrpInstance& instance : state.vrrp_instances) {
      if (!instance.addresses.empty()) return instance.addresses.front().address;
    }
  }
  return std::nullopt;
}

bool IsVip(const CompiledRun& run, const IpAddress& address) {
  for (const auto& [host, state] : run.states) {
    for (const VrrpInstance& instance : state.vrrp_instances) {
      for (const Prefix& prefix : instance.addresses) {
        if (prefix.address == address) return true;
      }
    }
  }
  return false;
}

// TCP services on VIPs, each once, in order.
std::vector<SocketKey> ServicesOnVips(const CompiledRun& run) {
  std::vector<SocketKey> services;
  for (const auto& [host, state] : run.states) {
    for (const VirtualService& service : state.services) {
      const auto* key = std::get_if<SocketKey>(&service.key);
      const bool fits = key != nullptr && key->transport == Transport::kTcp && key->port != 0 &&
                        IsVip(run, key->address);
      if (fits) services.push_back(*key);
    }
  }
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

const VirtualService* FindService(const DesiredState& state, const SocketKey& key) {
  for (const VirtualService& service : state.services) {
    if (service.key == ServiceKey(key)) return &service;
  }
  return nullptr;
}

const VrrpInstance* FindInstance(const DesiredState& state, const IpAddress& vip) {
  for (const VrrpInstance& instance : state.vrrp_instances) {
    for (const Prefix& prefix : instance.addresses) {
      if (prefix.address == vip) return &instance;
    }
  }
  return nullptr;
}

// Numbers of a sysctl that the playbook sets; empty: it does not.
std::vector<int> NumbersOf(const DesiredState& state, std::string_view name) {
  std::vector<int> numbers;
  for (const Sysctl& sysctl : state.sysctls) {
    if (sysctl.key != name) continue;
    const char* at = sysctl.value.data();
    const char* end = at + sysctl.value.size();
    while (at < end) {
      int value = 0;
      const auto [next, error] = std::from_chars(at, end, value);
      if (error == std::errc()) numbers.push_back(value);
      at = error == std::errc() ? next : at + 1;
    }
  }
  return numbers;
}

// The unit of the init system that the playbook starts on a host: what a real server's service is.
std::string UnitOf(const CompiledRun& run, const std::string& host) {
  for (const CompiledPlay& play : run.plays) {
    for (const CompiledTask& task : play.tasks) {
      const auto items = task.hosts.find(host);
      if (items == task.hosts.end()) continue;
      for (const HostTask& item : items->second) {
        const auto* action = std::get_if<Task>(&item.action);
        const auto* service =
            action == nullptr ? nullptr : std::get_if<ServiceTask>(&action->action);
        if (service != nullptr && service->state != ServiceState::kStopped) return service->name;
      }
    }
  }
  return "";
}

class Planner {
 public:
  Planner(const CompiledRun& run, const ClusterStatus& cluster, const DrillRequest& request)
      : run_(run), cluster_(cluster), request_(request) {}

  Result<DrillSetup> Run(const std::string& drill_id) {
    for (const Status& done : {ChooseService(), ChooseRouter(), ChooseTarget()}) {
      if (!done) return Fail(done.error());
    }
    GatherFacts();
    WriteOrder(drill_id);
    for (const auto& [host, state] : run_.states) {
      if (!state.empty() && run_.connections.contains(host)) setup_.nodes.push_back(host);
    }
    return std::move(setup_);
  }

 private:
  Status ChooseService() {
    const std::vector<SocketKey> services = ServicesOnVips(run_);
    std::vector<std::string> known;
    for (const SocketKey& key : services) {
      const Endpoint endpoint{key.address, key.port};
      known.push_back(endpoint.ToString());
      const bool named =
          request_.service == known.back() || request_.service == ToString(ServiceKey(key));
      if (!setup_.service && (request_.service.empty() || named)) setup_.service = key;
    }
    if (!request_.service.empty() && !setup_.service) {
      return Fail(ErrorCode::kNotFound,
                  "\"" + request_.service +
                      "\" is no TCP virtual service on a VIP of this playbook" +
                      (known.empty() ? "" : " (" + Joined(known) + ")"));
    }
    const bool by_hand = !request_.probe.empty();
    if (setup_.service) {
      setup_.vip = setup_.service->address;
      setup_.endpoint = {setup_.vip, setup_.service->port};
    } else if (!by_hand) {
      const auto vip = FirstVip(run_);
      if (!vip) return Fail(ErrorCode::kNotFound, "this playbook has no VIP that VRRP moves");
      setup_.vip = *vip;
      setup_.endpoint = {*vip, kDefaultPort};
    }
    if (!by_hand) return {};
    const auto probe = Endpoint::Parse(request_.probe);
    if (!probe) return Fail(probe.error().In("--probe"));
    setup_.endpoint = *probe;
    if (!setup_.service) setup_.vip = probe->address;
    return {};
  }

  Status ChooseRouter() {
    auto router = FindRouter(cluster_, setup_.vip);
    if (!router) return Fail(router.error());
    setup_.router = *std::move(router);
    if (setup_.router.master.empty()) {
      return Fail(ErrorCode::kInvalid, "nobody is master of " + setup_.router.instance +
                                           " now: there is nothing to drill");
    }
    const auto state = run_.states.find(setup_.router.master);
    const VrrpInstance* settings =
        state == run_.states.end() ? nullptr : FindInstance(state->second, setup_.vip);
    if (settings == nullptr) {
      return Fail(ErrorCode::kInvalid, setup_.router.master + " has " + setup_.vip.ToString() +
                                           ", but not by this playbook");
    }
    setup_.settings = *settings;
    return {};
  }

  // The hosts of the service under test, in the order of its rules.
  [[nodiscard]] std::vector<std::string> RealServers() const {
    std::vector<std::string> hosts;
    const VirtualService* service =
        setup_.service ? FindService(run_.states.at(setup_.router.master), *setup_.service)
                       : nullptr;
    if (service == nullptr) return hosts;
    for (const Destination& destination : service->destinations) {
      for (const auto& [host, addresses] : run_.real_servers) {
        const bool is_it = addresses.contains(destination.address) && destination.weight > 0;
        if (is_it && run_.connections.contains(host)) hosts.push_back(host);
      }
    }
    return hosts;
  }

  Status ChooseTarget() {
    const bool real_server = IsRealServerFault(request_.fault);
    const std::vector<std::string> hosts = real_server ? RealServers() : setup_.router.members;
    if (real_server && hosts.empty()) {
      return Fail(ErrorCode::kInvalid, std::string(ToString(request_.fault)) +
                                           " needs a virtual service whose real servers are hosts "
                                           "of this playbook");
    }
    setup_.target = real_server ? hosts.front() : setup_.router.master;
    if (request_.target.empty() || request_.target == setup_.target) return {};
    if (std::find(hosts.begin(), hosts.end(), request_.target) == hosts.end()) {
      return Fail(ErrorCode::kInvalid, "\"" + request_.target + "\" is no target of " +
                                           std::string(ToString(request_.fault)) +
                                           "; possible: " + Joined(hosts));
    }
    // What a master's fault does is predicted of the master.
    const bool of_a_node =
        request_.fault >= Fault::kRulesCleared && request_.fault != Fault::kReboot;
    if (!real_server && !of_a_node) {
      return Fail(ErrorCode::kInvalid, std::string(ToString(request_.fault)) +
                                           " is about the master, which is " +
                                           setup_.router.master + " now");
    }
    setup_.target = request_.target;
    return {};
  }

  void GatherFacts() {
    setup_.facts.master = setup_.settings;
    for (const std::string& host : setup_.router.members) {
      const auto state = run_.states.find(host);
      if (host == setup_.router.master || state == run_.states.end()) continue;
      if (const auto* instance = FindInstance(state->second, setup_.vip)) {
        setup_.facts.backups.push_back(*instance);
      }
    }
    const DesiredState& state = run_.states.at(setup_.router.master);
    GatherSync(state);
    if (!setup_.service) return;
    if (const VirtualService* service = FindService(state, *setup_.service)) {
      setup_.facts.real_servers = static_cast<std::uint32_t>(
          std::count_if(service->destinations.begin(), service->destinations.end(),
                        [](const Destination& destination) { return destination.weight > 0; }));
      const std::vector<int> sloppy = NumbersOf(state, "net/ipv4/vs/sloppy_tcp");
      setup_.facts.sync.stateless =
          service->scheduler == "mh" && !sloppy.empty() && sloppy.front() != 0;
    }
    for (const ServiceWatch& watch : state.watches) {
      if (watch.service == ServiceKey(*setup_.service)) setup_.facts.checks = watch.checks;
    }
  }

  void GatherSync(const DesiredState& state) {
    SyncFacts& sync = setup_.facts.sync;
    setup_.sync = !state.sync_daemons.empty();
    sync.running = setup_.sync;
    for (const std::string& host : setup_.router.members) {
      const NodeStatus* status = cluster_.Of(host);
      const bool both = status != nullptr && status->sync && status->sync->roles.size() == 2;
      sync.running = sync.running && both;
    }
    const std::vector<int> threshold = NumbersOf(state, "net/ipv4/vs/sync_threshold");
    if (threshold.size() == 2) {
      sync.threshold = threshold[0];
      sync.period = threshold[1];
    }
    const std::vector<int> refresh = NumbersOf(state, "net/ipv4/vs/sync_refresh_period");
    if (!refresh.empty()) sync.refresh = std::chrono::seconds(refresh.front());
  }

  void WriteOrder(const std::string& drill_id) {
    FaultOrder& order = setup_.order;
    order.drill_id = drill_id;
    order.fault = request_.fault;
    order.duration = request_.duration;
    constexpr double kMillion = 1e6;
    order.loss_ppm = static_cast<std::uint32_t>(request_.loss * kMillion);
    order.delay = request_.delay;
    order.may_cut_ssh = request_.may_cut_ssh;
    if (setup_.service) order.services.push_back(*setup_.service);
    if (IsRealServerFault(request_.fault)) {
      order.vips.push_back(setup_.vip);
      order.unit = request_.unit.empty() ? UnitOf(run_, setup_.target) : request_.unit;
      AddOwnEndpoints(order);
      return;
    }
    for (const VrrpInstance& instance : run_.states.at(setup_.target).vrrp_instances) {
      const bool tested = FindInstance(run_.states.at(setup_.target), setup_.vip) == &instance;
      // What is dead or cut off has no instance left; other faults are about the one under test.
      if (!tested && !CutsTheWay(request_.fault) && request_.fault != Fault::kHelperKill &&
          request_.fault != Fault::kHelperFreeze) {
        continue;
      }
      order.instances.push_back(instance.name);
      const auto known =
          std::find(order.interfaces.begin(), order.interfaces.end(), instance.interface);
      if (known == order.interfaces.end()) order.interfaces.push_back(instance.interface);
      for (const Prefix& prefix : instance.addresses) order.vips.push_back(prefix.address);
    }
  }

  // What the directors' checks ask: the service as the real server has it on its own address.
  void AddOwnEndpoints(FaultOrder& order) const {
    const VirtualService* service =
        setup_.service ? FindService(run_.states.at(setup_.router.master), *setup_.service)
                       : nullptr;
    const auto own = run_.real_servers.find(setup_.target);
    if (service == nullptr || own == run_.real_servers.end()) return;
    for (const Destination& destination : service->destinations) {
      if (!own->second.contains(destination.address)) continue;
      order.services.push_back({setup_.service->transport, destination.address, destination.port});
    }
  }

  const CompiledRun& run_;
  const ClusterStatus& cluster_;
  const DrillRequest& request_;
  DrillSetup setup_;
};

}  // namespace

bool IsRealServerFault(Fault fault) {
  return (fault >= Fault::kRealServerStop && fault <= Fault::kRealServerIsolated) ||
         fault == Fault::kArpMisconfigured;
}

bool CutsTheWay(Fault fault) {
  return fault == Fault::kDirectorCrash || fault == Fault::kDirectorIsolated ||
         fault == Fault::kLinkDown || fault == Fault::kReboot ||
         fault == Fault::kRealServerIsolated;
}

Result<DrillSetup> PlanDrill(const CompiledRun& run, const ClusterStatus& cluster,
                             const DrillRequest& request, const std::string& drill_id) {
  return Planner(run, cluster, request).Run(drill_id);
}

std::string ServiceText(const DrillSetup& setup) { return "tcp " + setup.endpoint.ToString(); }

}  // namespace drover
