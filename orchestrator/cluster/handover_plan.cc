#include "orchestrator/cluster/handover_plan.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace drover {
namespace {

constexpr double kEnoughHeld = 0.99;

bool Named(const RouterStatus& router, const std::string& name) {
  return name.empty() ||
         std::any_of(router.members.begin(), router.members.end(),
                     [&](const RouterMember& member) { return member.instance->name == name; });
}

std::string Joined(const std::vector<std::string>& texts, const std::string& between) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return all;
}

// Hosts that gave no answer may be the missing master or backup.
std::vector<std::string> SilentOf(const ClusterStatus& cluster) {
  std::vector<std::string> silent;
  for (const HostStatus& host : cluster.hosts) {
    if (!host.error || !host.needs_daemon) continue;
    const std::string& why = host.error->message;
    silent.push_back(host.host +
                     (host.gave_no_answer() ? " gave no answer (" + why + ")" : ": " + why));
  }
  return silent;
}

// ": " and the texts; nothing when there are none.
std::string Because(const std::vector<std::string>& texts) {
  return texts.empty() ? "" : ": " + Joined(texts, "; ");
}

Result<std::vector<RouterStatus>> Chosen(const ClusterStatus& cluster, const std::string& name) {
  std::vector<RouterStatus> routers = RoutersOf(cluster);
  if (routers.empty()) {
    const std::vector<std::string> silent = SilentOf(cluster);
    if (silent.empty()) {
      return Fail(ErrorCode::kNotFound, "no host of this playbook runs a VRRP instance");
    }
    const bool one_answered =
        std::any_of(cluster.hosts.begin(), cluster.hosts.end(),
                    [](const HostStatus& host) { return !host.gave_no_answer(); });
    return Fail(ErrorCode::kNotFound,
                std::string(one_answered ? "no VRRP instance was found on the hosts that answered"
                                         : "none of the hosts can be asked") +
                    Because(silent));
  }
  std::string known;
  for (const RouterStatus& router : routers) known += (known.empty() ? "" : ", ") + router.name;
  std::erase_if(routers, [&](const RouterStatus& router) { return !Named(router, name); });
  if (!routers.empty()) return routers;
  return Fail(ErrorCode::kNotFound, "no VRRP instance \"" + name + "\" runs on these hosts (" +
                                        known + ")" + Because(SilentOf(cluster)));
}

// Why a member cannot take over; empty: it can.
std::string Obstacle(const RouterMember& member) {
  const InstanceStatus& instance = *member.instance;
  if (instance.state != "backup") {
    return member.host + " is in state " + instance.state +
           (instance.reason.empty() ? "" : " (" + instance.reason + ")");
  }
  const bool hears =
      instance.master && instance.last_heard &&
      (instance.master_down.count() == 0 || *instance.last_heard < instance.master_down);
  return hears ? "" : member.host + " does not hear the master";
}

HandoverStep StepOf(const RouterStatus& router, const RouterMember& member) {
  HandoverStep step;
  step.router = router.name;
  step.host = member.host;
  step.instance = member.instance->name;
  for (const Prefix& prefix : member.instance->addresses) {
    step.addresses.push_back(prefix.address.ToString());
  }
  return step;
}

}  // namespace

Result<std::vector<HandoverStep>> PlanYield(const ClusterStatus& cluster,
                                            const std::string& instance) {
  const auto routers = Chosen(cluster, instance);
  if (!routers) return Fail(routers.error());
  std::vector<HandoverStep> steps;
  for (const RouterStatus& router : *routers) {
    const auto masters = router.masters();
    const std::string what = "vrrp_instance " + router.name + ": ";
    if (masters.size() > 1) {
      return Fail(ErrorCode::kInvalid,
                  what + Joined(masters, " and ") + " are both master; find out why first");
    }
    if (masters.empty()) {
      return Fail(ErrorCode::kInvalid,
                  what + "there is no master now" + Because(SilentOf(cluster)));
    }
    std::vector<std::string> obstacles;
    std::optional<HandoverStep> step;
    std::vector<std::string> heirs;
    for (const RouterMember& member : router.members) {
      if (member.is_master()) {
        step = StepOf(router, member);
        continue;
      }
      const std::string obstacle = Obstacle(member);
      if (obstacle.empty()) {
        heirs.push_back(member.host);
      } else {
        obstacles.push_back(obstacle);
      }
    }
    if (heirs.empty()) {
      for (std::string& silent : SilentOf(cluster)) obstacles.push_back(std::move(silent));
      return Fail(ErrorCode::kInvalid, what + "there is no backup that could take over from " +
                                           masters.front() + Because(obstacles));
    }
    step->owner = masters.front();
    step->heirs = std::move(heirs);
    steps.push_back(*std::move(step));
  }
  return steps;
}

Result<std::vector<HandoverStep>> PlanReturn(const ClusterStatus& cluster,
                                             const std::string& instance) {
  const auto routers = Chosen(cluster, instance);
  if (!routers) return Fail(routers.error());
  std::vector<HandoverStep> steps;
  for (const RouterStatus& router : *routers) {
    for (const RouterMember& member : router.members) {
      if (!member.instance->yielded) continue;
      HandoverStep step = StepOf(router, member);
      step.owner = Joined(router.masters(), ", ");
      step.heirs = {member.host};
      steps.push_back(std::move(step));
    }
  }
  if (!steps.empty()) return steps;
  return Fail(ErrorCode::kInvalid, "no host has handed anything over that it could take back");
}

std::string MissingSync(const ClusterStatus& cluster, const std::vector<HandoverStep>& steps) {
  for (const HandoverStep& step : steps) {
    std::string missing;
    bool one_is_ready = false;
    for (const std::string& heir : step.heirs) {
      const NodeStatus* status = cluster.Of(heir);
      const NodeStatus* owner = cluster.Of(step.owner);
      if (status == nullptr || owner == nullptr || !status->sync || !owner->sync) {
        one_is_ready = true;  // nothing is synchronised: nothing to wait for
        continue;
      }
      if (owner->sync->connections == 0) {
        one_is_ready = true;
        continue;
      }
      const auto& peers = status->sync->peers;
      const auto least = std::min_element(
          peers.begin(), peers.end(), [](const SyncPeerStatus& left, const SyncPeerStatus& right) {
            return left.held < right.held;
          });
      if (least == peers.end()) {
        missing = heir + " has not compared its connections with the master's yet";
      } else if (least->held < kEnoughHeld) {
        std::array<char, 16> held{};
        std::snprintf(held.data(), held.size(), "%.1f", least->held * 100);
        missing = heir + " holds " + held.data() + " % of the connections of " + least->peer;
      } else {
        one_is_ready = true;
      }
    }
    if (!one_is_ready) return missing;
  }
  return "";
}

std::vector<std::string> OwnersOf(const ClusterStatus& cluster, const HandoverStep& step) {
  for (const RouterStatus& router : RoutersOf(cluster)) {
    for (const RouterMember& member : router.members) {
      if (member.host == step.host && member.instance->name == step.instance) {
        return router.masters();
      }
    }
  }
  return {};
}

}  // namespace drover
