#include "node-helper/daemon/node_wants.h"

#include <algorithm>

#include "node-helper/tasks/daemon_changes.h"

namespace drover {
namespace {

template <typename T>
void Join(std::vector<T>& whole, const std::vector<T>& part) {
  for (const T& resource : part) {
    const std::string name = NameOf(resource);
    const bool there = std::any_of(whole.begin(), whole.end(),
                                   [&](const T& have) { return NameOf(have) == name; });
    if (!there) whole.push_back(resource);
  }
}

}  // namespace

DesiredState NodeWants(const std::vector<OwnerRecord>& records) {
  DesiredState whole;
  for (const OwnerRecord& record : records) {
    Join(whole.addresses, record.state.addresses);
    Join(whole.sysctls, record.state.sysctls);
    Join(whole.services, record.state.services);
    Join(whole.sync_daemons, record.state.sync_daemons);
    Join(whole.path, record.state.path);
    Join(whole.vrrp_instances, record.state.vrrp_instances);
    Join(whole.vrrp_groups, record.state.vrrp_groups);
    Join(whole.trackers, record.state.trackers);
    Join(whole.watches, record.state.watches);
    Join(whole.metrics, record.state.metrics);
  }
  return WithoutVirtualAddresses(std::move(whole));
}

}  // namespace drover
