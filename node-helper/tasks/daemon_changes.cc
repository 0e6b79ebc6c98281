#include "node-helper/tasks/daemon_changes.h"

#include <algorithm>
#include <functional>

namespace drover {
namespace {

std::string Summary(const MetricsListen& metrics) { return metrics.at; }

template <typename T>
const T* FindNamed(const std::vector<T>& list, const T& wanted) {
  const std::string name = NameOf(wanted);
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const T& have) { return NameOf(have) == name; });
  return found == list.end() ? nullptr : &*found;
}

// Which settings differ is in the summaries, but for those that they leave out.
std::string Difference(const VrrpInstance& before, const VrrpInstance& after) {
  if (before.password != after.password) return "the password is another";
  return "settings differ";
}
template <typename T>
std::string Difference(const T& /*before*/, const T& /*after*/) {
  return "settings differ";
}

template <typename T>
void AddDifferences(const std::vector<T>& recorded, const std::vector<T>& wanted,
                    std::vector<ChangeText>& changes) {
  for (const T& resource : wanted) {
    const T* before = FindNamed(recorded, resource);
    if (before == nullptr) {
      changes.push_back({"add", NameOf(resource), "", Summary(resource), "missing"});
    } else if (!(*before == resource)) {
      changes.push_back({"change", NameOf(resource), Summary(*before), Summary(resource),
                         Difference(*before, resource)});
    }
  }
}

template <typename T>
void AddRemovals(const std::vector<T>& recorded, const std::vector<T>& whole,
                 std::vector<ChangeText>& changes) {
  for (const T& resource : recorded) {
    if (FindNamed(whole, resource) != nullptr) continue;
    changes.push_back({"remove", NameOf(resource), Summary(resource), "", "left the playbook"});
  }
}

bool Holds(const VrrpInstance& instance, const InterfaceAddress& address) {
  return !instance.vmac && instance.interface == address.interface &&
         instance.Holds(address.prefix.address);
}

}  // namespace

std::vector<ChangeText> DaemonChanges(const DesiredState& recorded, const DesiredState& wanted) {
  std::vector<ChangeText> changes;
  AddDifferences(recorded.trackers, wanted.trackers, changes);
  AddDifferences(recorded.watches, wanted.watches, changes);
  AddDifferences(recorded.vrrp_instances, wanted.vrrp_instances, changes);
  AddDifferences(recorded.vrrp_groups, wanted.vrrp_groups, changes);
  AddDifferences(recorded.metrics, wanted.metrics, changes);
  return changes;
}

std::vector<ChangeText> DaemonRemovals(const DesiredState& recorded, const DesiredState& whole) {
  std::vector<ChangeText> changes;
  AddRemovals(recorded.vrrp_groups, whole.vrrp_groups, changes);
  AddRemovals(recorded.vrrp_instances, whole.vrrp_instances, changes);
  AddRemovals(recorded.watches, whole.watches, changes);
  AddRemovals(recorded.trackers, whole.trackers, changes);
  AddRemovals(recorded.metrics, whole.metrics, changes);
  return changes;
}

DesiredState WithVirtualAddresses(DesiredState state) {
  for (const VrrpInstance& instance : state.vrrp_instances) {
    if (instance.vmac) continue;
    for (const Prefix& prefix : instance.AllAddresses()) {
      state.addresses.push_back({instance.interface, prefix});
    }
  }
  return state;
}

DesiredState WithoutVirtualAddresses(DesiredState state) {
  std::erase_if(state.addresses, [&](const InterfaceAddress& address) {
    return std::any_of(state.vrrp_instances.begin(), state.vrrp_instances.end(),
                       [&](const VrrpInstance& instance) { return Holds(instance, address); });
  });
  return state;
}

}  // namespace drover
