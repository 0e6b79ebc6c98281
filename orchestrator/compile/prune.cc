#include "orchestrator/compile/prune.h"

#include <algorithm>

#include "orchestrator/playbook/modules.h"

namespace drover {
namespace {

bool HasClusterTasks(const Play& play) {
  return std::any_of(play.tasks.begin(), play.tasks.end(), [](const PlaybookTask& task) {
    const ModuleSpec* module = FindModule(task.module);
    return module != nullptr && module->cluster;
  });
}

}  // namespace

void AppendPruning(CompiledRun& run, const Playbook& playbook, bool check, bool diff) {
  std::map<std::string, std::size_t> last;  // play of each host
  std::map<std::string, bool> has_cluster;
  for (std::size_t i = 0; i < run.plays.size(); ++i) {
    const bool cluster = HasClusterTasks(playbook.plays[i]);
    for (const auto& host : run.plays[i].hosts) {
      if (has_cluster[host] && !cluster) continue;
      last[host] = i;
      has_cluster[host] = cluster;
    }
  }
  for (std::size_t i = 0; i < run.plays.size(); ++i) {
    CompiledTask prune;
    prune.name = "Settle: kept across reboots, what left the playbook removed";
    prune.module = "prune";
    prune.place = run.plays[i].place;
    prune.implicit = true;
    for (const auto& host : run.plays[i].hosts) {
      if (last[host] != i) continue;
      Task task;
      task.name = prune.name;
      const auto state = run.states.find(host);
      task.action = PruneTask{state == run.states.end() ? DesiredState{} : state->second};
      task.check = check;
      task.diff = diff;
      HostTask host_task;
      host_task.action = std::move(task);
      prune.hosts[host].push_back(std::move(host_task));
    }
    if (!prune.hosts.empty()) run.plays[i].tasks.push_back(std::move(prune));
  }
}

}  // namespace drover
