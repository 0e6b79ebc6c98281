#include "orchestrator/run/restore_run.h"

#include <utility>

namespace drover {
namespace {

bool IsDirector(const CompiledRun& run, const std::string& host) {
  const auto state = run.states.find(host);
  return state != run.states.end() &&
         (!state->second.vrrp_instances.empty() || !state->second.services.empty());
}

}  // namespace

CompiledRun RestoreRun(const CompiledRun& run, const GroupGeneration& generation,
                       const std::set<std::string>& hosts, const std::set<std::string>& masters,
                       bool check, bool diff) {
  std::vector<std::pair<const char*, std::vector<std::string>>> steps = {
      {"Real servers", {}}, {"Backup directors", {}}, {"Master directors", {}}};
  for (const std::string& host : hosts) {
    const std::size_t step = masters.contains(host) ? 2 : IsDirector(run, host) ? 1 : 0;
    steps[step].second.push_back(host);
  }
  CompiledRun restore = run;
  restore.plays.clear();
  restore.playbook_hash = generation.run.playbook_hash;
  std::uint32_t id = 0;
  for (auto& [name, members] : steps) {
    if (members.empty()) continue;
    CompiledTask compiled;
    compiled.name = "Back to generation " + std::to_string(generation.number);
    compiled.module = "rollback";
    for (const std::string& host : members) {
      Task task;
      task.id = ++id;
      task.name = compiled.name;
      task.action = RestoreTask{generation.number};
      task.check = check;
      task.diff = diff;
      HostTask item;
      item.action = std::move(task);
      compiled.hosts[host].push_back(std::move(item));
    }
    CompiledPlay play;
    play.name = name;
    play.hosts = std::move(members);
    play.tasks.push_back(std::move(compiled));
    restore.plays.push_back(std::move(play));
  }
  return restore;
}

}  // namespace drover
