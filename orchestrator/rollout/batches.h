// Which hosts of a play go together, and in which order: batches as the playbook asks for them
// (Ansible's serial, or an update block), and inside a batch waves by what hosts are for: real
// servers, then directors that are backup, then those that are master.
//
// Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"

namespace drover {

// Cut from `hosts` in their order. A percentage is of all of them, rounded down, at least one host;
// the last step of a list repeats itself; a step of 0 takes all that are left.
std::vector<std::vector<std::string>> BatchesOf(const PlayPolicy& policy,
                                                const std::vector<std::string>& hosts);

// What a host is for, as far as the order depends on it.
enum class Role { kRealServer, kBackup, kMaster };

// The roles of hosts by what they are to have and which VRRP instances they own now.
std::map<std::string, Role> RolesOf(const CompiledRun& run,
                                    const std::map<std::string, std::vector<std::string>>& masters);

// `hosts` in the order of their roles, otherwise as they are.
std::vector<std::string> InOrderOfRoles(std::vector<std::string> hosts,
                                        const std::map<std::string, Role>& roles);

// Hosts of one role go together; masters go one by one, because each has to hand over before.
std::vector<std::vector<std::string>> WavesOf(const std::vector<std::string>& batch,
                                              const std::map<std::string, Role>& roles);

}  // namespace drover
