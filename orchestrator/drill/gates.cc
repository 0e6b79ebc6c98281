#include "orchestrator/drill/gates.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "protocol/words.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// What asking and answering takes: an advert may be so much older than the protocol allows.
constexpr milliseconds kAskSlack{100};
constexpr std::size_t kLeastGuards = 2;

bool HasVip(const InstanceStatus& instance, const IpAddress& vip) {
  return std::any_of(instance.addresses.begin(), instance.addresses.end(),
                     [&](const Prefix& prefix) { return prefix.address == vip; });
}

const RouterStatus* RouterOf(const std::vector<RouterStatus>& routers, const IpAddress& vip) {
  for (const RouterStatus& router : routers) {
    for (const RouterMember& member : router.members) {
      if (HasVip(*member.instance, vip)) return &router;
    }
  }
  return nullptr;
}

std::string Joined(const std::vector<std::string>& texts, const char* between = ", ") {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return all;
}

std::string Percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", share * 100);
  return text.data();
}

// Why a backup could not take over; empty: it can.
std::string WhyNot(const InstanceStatus& instance, milliseconds interval) {
  if (instance.state != "backup") {
    return "is in state " + instance.state +
           (instance.reason.empty() ? "" : " (" + instance.reason + ")");
  }
  if (instance.yielded) return "was handed over on purpose (drover handover --back)";
  if (!instance.last_heard) return "hears no adverts";
  if (*instance.last_heard > interval * 3 / 2 + kAskSlack) {
    return "heard the last advert " + DurationText(*instance.last_heard) + " ago";
  }
  return "";
}

const InstanceStatus* InstanceOf(const ClusterStatus& cluster, const std::string& host,
                                 const IpAddress* vip, const std::string& name) {
  const NodeStatus* status = cluster.Of(host);
  if (status == nullptr) return nullptr;
  for (const InstanceStatus& instance : status->instances) {
    if (vip != nullptr ? HasVip(instance, *vip) : instance.name == name) return &instance;
  }
  return nullptr;
}

const ServiceStatus* ServiceOf(const ClusterStatus& cluster, const std::string& host,
                               const SocketKey& key) {
  const NodeStatus* status = cluster.Of(host);
  if (status == nullptr) return nullptr;
  for (const ServiceStatus& service : status->services) {
    if (service.service == ServiceKey(key)) return &service;
  }
  return nullptr;
}

bool IsLive(const ServerStatus& server) {
  return server.in_table && server.up && server.weight > 0;
}

// Rules as they matter for who is served: not what the checks make of weights just now.
std::set<std::string> RulesOf(const NodeStatus& status) {
  std::set<std::string> rules;
  for (const ServiceStatus& service : status.services) {
    const std::string name = ToString(service.service) + " " + service.scheduler;
    rules.insert(name);
    for (const ServerStatus& server : service.servers) {
      rules.insert(name + " -> " + server.endpoint.ToString() + " " +
                   std::string(ToString(server.forward)) + " weight " +
                   std::to_string(server.wanted));
    }
  }
  return rules;
}

// Held share of the master's connections on the least of the others; none: nothing to hold.
std::optional<double> HeldBy(const ClusterStatus& cluster, const DrilledRouter& router) {
  const NodeStatus* master = cluster.Of(router.master);
  const NodeStatus* peer = cluster.Of(router.peer);
  if (master == nullptr || peer == nullptr || !master->sync || !peer->sync) return 0;
  if (master->sync->connections == 0) return std::nullopt;
  double held = peer->sync->peers.empty() ? 0 : 1;
  for (const SyncPeerStatus& one : peer->sync->peers) held = std::min(held, one.held);
  return held;
}

bool IsDirectorsFault(Fault fault) { return fault <= Fault::kFailback || fault == Fault::kReboot; }

class Judge {
 public:
  explicit Judge(const GateLook& look) : look_(look) {}

  std::vector<Gate> Run() {
    Nodes();
    Master();
    Peer();
    Rules();
    Sync();
    RealServers();
    Drift();
    Settled();
    Clocks();
    Flags();
    Target();
    return std::move(gates_);
  }

 private:
  // Green without complaints.
  void Say(std::string name, const std::vector<std::string>& wrong, std::string well) {
    gates_.push_back({std::move(name), wrong.empty(),
                      wrong.empty() ? std::move(well) : Joined(wrong, "; "), ""});
  }

  void Nodes() {
    std::vector<std::string> wrong;
    for (const auto& [host, error] : look_.silent) wrong.push_back(host + ": " + error.message);
    for (const HostStatus& host : look_.cluster.hosts) {
      if (host.error && host.needs_daemon && !look_.silent.contains(host.host)) {
        wrong.push_back(host.host + ": " + host.error->message);
      }
    }
    Say("nodes answer", wrong, std::to_string(look_.grounds.size()) + " nodes");
  }

  void Master() {
    const std::vector<std::string>& masters = look_.router.masters;
    std::vector<std::string> wrong;
    if (masters.empty()) wrong.push_back("nobody is master of " + look_.router.instance);
    if (masters.size() > 1) wrong.push_back(Joined(masters, " and ") + " are both master");
    Say("one master", wrong, look_.router.master + " has " + look_.router.instance);
  }

  void Peer() {
    std::vector<std::string> wrong;
    const InstanceStatus* instance =
        InstanceOf(look_.cluster, look_.router.peer, nullptr, look_.router.instance);
    if (look_.router.peer.empty()) {
      wrong.push_back("nobody could take over");
    } else if (instance == nullptr) {
      wrong.push_back(look_.router.peer + " does not say how it is");
    } else {
      const std::string why = WhyNot(*instance, look_.advert_interval);
      if (!why.empty()) wrong.push_back(look_.router.peer + " " + why);
      const NodeStatus& status = *look_.cluster.Of(look_.router.peer);
      for (const Maintenance& one : status.maintenance) {
        if (one.host == look_.router.peer) {
          wrong.push_back(look_.router.peer + " is under maintenance");
        }
      }
      for (const std::string& problem : status.problems) {
        wrong.push_back(look_.router.peer + ": " + problem);
      }
    }
    Say("peer healthy", wrong, look_.router.peer + " is backup and hears the master");
  }

  void Rules() {
    const NodeStatus* master = look_.cluster.Of(look_.router.master);
    const NodeStatus* peer = look_.cluster.Of(look_.router.peer);
    if (master == nullptr || peer == nullptr || master->services.empty()) return;
    const auto here = RulesOf(*master);
    const auto there = RulesOf(*peer);
    std::vector<std::string> wrong;
    for (const std::string& rule : here) {
      if (!there.contains(rule)) wrong.push_back("only " + look_.router.master + " has " + rule);
    }
    for (const std::string& rule : there) {
      if (!here.contains(rule)) wrong.push_back("only " + look_.router.peer + " has " + rule);
    }
    Say("rules equal", wrong, std::to_string(here.size()) + " rules on both directors");
  }

  void Sync() {
    if (!look_.sync) return;
    const auto held = HeldBy(look_.cluster, look_.router);
    std::vector<std::string> wrong;
    if (held && *held < kEnoughSynced) {
      wrong.push_back(look_.router.peer + " holds " + Percent(*held) + " of the connections of " +
                      look_.router.master);
    }
    Say("sync converged", wrong,
        held ? look_.router.peer + " holds " + Percent(*held) : "no connections yet");
  }

  void RealServers() {
    if (!look_.service) return;
    const ServiceStatus* service = ServiceOf(look_.cluster, look_.router.master, *look_.service);
    std::vector<std::string> wrong;
    if (service == nullptr) {
      wrong.push_back(look_.router.master + " does not have " +
                      ToString(ServiceKey(*look_.service)));
      return Say("real servers", wrong, "");
    }
    const std::size_t live = LiveServers(look_.cluster, look_.router, look_.service);
    const std::size_t all = service->servers.size();
    const std::string count = std::to_string(live) + " of " + std::to_string(all) + " are live";
    // One may be out; and one must be left while the fault lasts.
    const bool hits_one = !IsDirectorsFault(look_.fault) && look_.target != look_.router.master;
    if (live + 1 < all || live < (hits_one ? 2U : 1U)) wrong.push_back("only " + count);
    Say("real servers", wrong, count);
  }

  void Drift() {
    std::vector<std::string> wrong;
    for (const HostStatus& host : look_.cluster.hosts) {
      if (!host.status) continue;
      for (const std::string& problem : host.status->problems) {
        if (host.host != look_.router.peer) wrong.push_back(host.host + ": " + problem);
      }
      const auto ground = look_.grounds.find(host.host);
      if (ground == look_.grounds.end()) continue;
      for (const LoggedEvent& event : host.status->events) {
        const std::chrono::microseconds age(ground->second.clock_us - event.wall_us);
        if (event.kind == "drift" && age < look_.settle) {
          wrong.push_back(host.host + " mended " + event.subject + " " + AgeText(age));
          break;
        }
      }
    }
    Say("no drift", wrong, "nothing to mend");
  }

  static std::string AgeText(std::chrono::microseconds age) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s ago";
  }

  void Settled() {
    std::vector<std::string> wrong;
    for (const std::string& host : look_.router.members) {
      const InstanceStatus* instance =
          InstanceOf(look_.cluster, host, nullptr, look_.router.instance);
      if (instance != nullptr && instance->in_state_for < look_.settle) {
        wrong.push_back(
            host + " has been " + instance->state + " for " +
            AgeText(instance->in_state_for).substr(0, AgeText(instance->in_state_for).size() - 4) +
            " only");
      }
    }
    Say("settled", wrong, "no transition in the last " + DurationText(look_.settle));
  }

  void Clocks() {
    std::vector<std::string> wrong;
    for (const auto& [host, clock] : look_.clocks) {
      const auto off = std::chrono::abs(clock.ahead);
      if (off <= kClockGate + clock.uncertainty) continue;
      const auto ms = std::chrono::duration_cast<milliseconds>(off).count();
      wrong.push_back("the clock of " + host + " is " + std::to_string(ms) + " ms " +
                      (clock.ahead.count() > 0 ? "ahead" : "behind"));
    }
    Say("clocks agree", wrong, "within " + DurationText(kClockGate));
  }

  void Flags() {
    std::vector<std::string> wrong;
    if (!look_.no_drill.empty()) wrong.push_back("control host: " + look_.no_drill);
    for (const auto& [host, ground] : look_.grounds) {
      if (!ground.no_drill.empty()) wrong.push_back(host + ": " + ground.no_drill);
    }
    Say("no no-drill flag", wrong, "none is set");
    if (!look_.blackout.empty()) Say("no blackout", {look_.blackout}, "");
    wrong.clear();
    for (const auto& [host, ground] : look_.grounds) {
      for (const std::string& id : ground.leftovers) {
        wrong.push_back(host + " still holds the journal of drill " + id);
      }
    }
    Say("nothing left behind", wrong, "no journal of an earlier drill");
  }

  void Target() {
    const auto ground = look_.grounds.find(look_.target);
    if (ground == look_.grounds.end()) return;
    Say("fault possible", ground->second.obstacles,
        std::string(ToString(look_.fault)) + " can be injected on " + look_.target);
    if (!ground->second.obstacles.empty()) return;
    std::vector<std::string> wrong;
    if (ground->second.guards.size() < kLeastGuards) {
      wrong.push_back("it would be undone by " +
                      (ground->second.guards.empty() ? "nobody" : Joined(ground->second.guards)) +
                      " only");
    }
    Say("guards", wrong, "undone by " + Joined(ground->second.guards));
  }

  const GateLook& look_;
  std::vector<Gate> gates_;
};

}  // namespace

Result<DrilledRouter> FindRouter(const ClusterStatus& cluster, const IpAddress& vip) {
  const std::vector<RouterStatus> routers = RoutersOf(cluster);
  const RouterStatus* router = RouterOf(routers, vip);
  if (router == nullptr) {
    std::vector<std::string> known;
    for (const RouterStatus& one : routers) known.push_back(one.name);
    return Fail(ErrorCode::kNotFound, "no VRRP instance has " + vip.ToString() +
                                          (known.empty() ? ": no host that answered runs one"
                                                         : "; there are " + Joined(known)));
  }
  DrilledRouter found{.instance = router->name, .masters = router->masters()};
  if (!found.masters.empty()) found.master = found.masters.front();
  int best = -1;
  for (const RouterMember& member : router->members) {
    found.members.push_back(member.host);
    if (member.host == found.master) found.instance = member.instance->name;
    const bool able = !member.is_master() && member.instance->state != "fault";
    if (able && member.instance->base_priority > best) {
      best = member.instance->base_priority;
      found.peer = member.host;
    }
  }
  return found;
}

std::vector<Gate> JudgeGates(const GateLook& look) { return Judge(look).Run(); }

bool MayBeForced(const std::string& gate) {
  return gate != "nodes answer" && gate != "one master" && gate != "fault possible" &&
         gate != "nothing left behind" && gate != "service answers";
}

std::size_t LiveServers(const ClusterStatus& cluster, const DrilledRouter& router,
                        const std::optional<SocketKey>& service) {
  if (!service) return 0;
  const ServiceStatus* status = ServiceOf(cluster, router.master, *service);
  if (status == nullptr) return 0;
  return static_cast<std::size_t>(
      std::count_if(status->servers.begin(), status->servers.end(), IsLive));
}

RedundancySample LookForRedundancy(const ClusterStatus& cluster, const WholeCluster& whole) {
  RedundancySample sample;
  const auto router = FindRouter(cluster, whole.vip);
  if (!router || router->masters.size() != 1) return sample;
  std::size_t well = 1;
  for (const std::string& host : router->members) {
    const InstanceStatus* instance = InstanceOf(cluster, host, &whole.vip, "");
    if (host == router->master || instance == nullptr) continue;
    // Who takes over in a moment is not settled yet.
    if (WhyNot(*instance, whole.advert_interval).empty() && !instance->preempts) ++well;
  }
  sample.directors_healthy = well == whole.directors;
  const auto held = whole.sync ? HeldBy(cluster, *router) : std::nullopt;
  sample.synced = !held || *held >= kEnoughSynced;
  sample.gate_green = LiveServers(cluster, *router, whole.service) >= whole.live;
  return sample;
}

bool IsHome(const ClusterStatus& cluster, const WholeCluster& whole) {
  const auto router = FindRouter(cluster, whole.vip);
  return router && router->masters.size() == 1 && router->master == whole.master;
}

}  // namespace drover
