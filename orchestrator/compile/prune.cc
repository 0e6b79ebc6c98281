#include "orchestrator/compile/prune.h"

#include <algorithm>
#include <set>

#include "orchestrator/playbook/modules.h"

namespace drover {
namespace {

bool HasClusterTasks(const Play& play) {
  return std::any_of(play.tasks.begin(), play.tasks.end(), [](const PlaybookTask& task) {
    const ModuleSpec* module = FindModule(task.module);
    return module != nullptr && module->cluster;
  });
}

// The play of each host that its settling ends.
std::map<std::string, std::size_t> LastPlays(const CompiledRun& run, const Playbook& playbook) {
  std::map<std::string, std::size_t> last;
  std::map<std::string, bool> has_cluster;
  for (std::size_t i = 0; i < run.plays.size(); ++i) {
    const bool cluster = HasClusterTasks(playbook.plays[i]);
    for (const auto& host : run.plays[i].hosts) {
      if (has_cluster[host] && !cluster) continue;
      last[host] = i;
      has_cluster[host] = cluster;
    }
  }
  return last;
}

// Hosts that share a VRRP instance are settled together. Those that get it in different plays or
// batches are taken out of `last`: they are settled when all plays are through.
std::vector<std::string> TakeScattered(const CompiledRun& run,
                                       std::map<std::string, std::size_t>& last) {
  std::set<std::string> scattered;
  for (const VirtualRouter& router : run.virtual_routers) {
    std::set<std::size_t> plays;
    std::vector<std::string> hosts;
    bool in_batches = false;
    for (const auto& [host, instance] : router.members) {
      const auto play = last.find(host);
      if (play == last.end()) continue;
      plays.insert(play->second);
      in_batches |= run.plays[play->second].policy.in_batches();
      hosts.push_back(host);
    }
    if (plays.size() > 1 || (in_batches && hosts.size() > 1)) scattered.insert(hosts.begin(), hosts.end());
  }
  for (const std::string& host : scattered) last.erase(host);
  return {scattered.begin(), scattered.end()};
}

CompiledTask Settling(const CompiledRun& run, const Place& place,
                      const std::vector<std::string>& hosts, bool check, bool diff) {
  CompiledTask prune;
  prune.name = "Settle: kept across reboots, what left the playbook removed";
  prune.module = "prune";
  prune.place = place;
  prune.implicit = true;
  for (const auto& host : hosts) {
    Task task;
    task.name = prune.name;
    const auto state = run.states.find(host);
    task.action = PruneTask{state == run.states.end() ? DesiredState{} : state->second, {}};
    task.check = check;
    task.diff = diff;
    HostTask host_task;
    host_task.action = std::move(task);
    prune.hosts[host].push_back(std::move(host_task));
  }
  return prune;
}

}  // namespace

void AppendPruning(CompiledRun& run, const Playbook& playbook, bool check, bool diff) {
  auto last = LastPlays(run, playbook);
  const std::vector<std::string> scattered = TakeScattered(run, last);
  for (std::size_t i = 0; i < run.plays.size(); ++i) {
    std::vector<std::string> hosts;
    for (const auto& host : run.plays[i].hosts) {
      const auto play = last.find(host);
      if (play != last.end() && play->second == i) hosts.push_back(host);
    }
    if (hosts.empty()) continue;
    run.plays[i].tasks.push_back(Settling(run, run.plays[i].place, hosts, check, diff));
  }
  if (scattered.empty()) return;
  CompiledPlay play;
  play.name = "Settle hosts that share VRRP instances";
  play.place = run.plays.back().place;
  play.hosts = scattered;
  play.tasks.push_back(Settling(run, play.place, scattered, check, diff));
  run.plays.push_back(std::move(play));
}

}  // namespace drover
