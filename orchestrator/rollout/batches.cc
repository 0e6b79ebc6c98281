#include "orchestrator/rollout/batches.h"

#include <algorithm>

namespace drover {
namespace {

std::size_t SizeOf(const BatchSize& step, std::size_t hosts, std::size_t left) {
  if (step.percent) {
    return std::clamp<std::size_t>(hosts * step.count / 100, 1, left);
  }
  return step.count == 0 ? left : std::min(step.count, left);
}

Role RoleOf(const std::map<std::string, Role>& roles, const std::string& host) {
  const auto role = roles.find(host);
  return role == roles.end() ? Role::kRealServer : role->second;
}

}  // namespace

std::vector<std::vector<std::string>> BatchesOf(const PlayPolicy& policy,
                                                const std::vector<std::string>& hosts) {
  std::vector<BatchSize> steps = policy.serial;
  if (policy.update) {
    if (policy.update->canary > 0) steps.push_back({policy.update->canary, /*percent=*/false});
    steps.push_back(policy.update->max_parallel);
  }
  if (steps.empty()) {
    steps.push_back({});
  }
  std::vector<std::vector<std::string>> batches;
  for (std::size_t at = 0, step = 0; at < hosts.size(); ++step) {
    const BatchSize& size = steps[std::min(step, steps.size() - 1)];
    const std::size_t end = at + SizeOf(size, hosts.size(), hosts.size() - at);
    batches.emplace_back(hosts.begin() + static_cast<std::ptrdiff_t>(at),
                         hosts.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  return batches;
}

std::map<std::string, Role> RolesOf(
    const CompiledRun& run, const std::map<std::string, std::vector<std::string>>& masters) {
  std::map<std::string, Role> roles;
  for (const auto& [host, state] : run.states) {
    if (state.services.empty() && state.vrrp_instances.empty()) {
      continue;
    }
    const auto own = masters.find(host);
    const bool master = own != masters.end() && !own->second.empty();
    roles[host] = master ? Role::kMaster : Role::kBackup;
  }
  return roles;
}

std::vector<std::string> InOrderOfRoles(std::vector<std::string> hosts,
                                        const std::map<std::string, Role>& roles) {
  std::stable_sort(hosts.begin(), hosts.end(),
                   [&](const std::string& left, const std::string& right) {
                     return RoleOf(roles, left) < RoleOf(roles, right);
                   });
  return hosts;
}

std::vector<std::vector<std::string>> WavesOf(const std::vector<std::string>& batch,
                                              const std::map<std::string, Role>& roles) {
  std::vector<std::vector<std::string>> waves;
  for (const std::string& host : InOrderOfRoles(batch, roles)) {
    const Role role = RoleOf(roles, host);
    const bool joins =
        !waves.empty() && role != Role::kMaster && RoleOf(roles, waves.back().front()) == role;
    if (joins) {
      waves.back().push_back(host);
    } else {
      waves.push_back({host});
    }
  }
  return waves;
}

}  // namespace drover
