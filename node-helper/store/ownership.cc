#include "node-helper/store/ownership.h"

#include <algorithm>

namespace drover {
namespace {

// One overload set for all kinds of resources, so that the rules below are written once.
const std::string& KeyOf(const Sysctl& sysctl) { return sysctl.key; }
const ServiceKey& KeyOf(const VirtualService& service) { return service.key; }
const ServiceKey& KeyOf(const ServiceWatch& watch) { return watch.service; }
template <typename T>
std::string KeyOf(const T& resource) {
  return NameOf(resource);
}

bool SameValue(const Sysctl& left, const Sysctl& right) { return left.value == right.value; }
bool SameValue(const InterfaceAddress& left, const InterfaceAddress& right) {
  return left.prefix == right.prefix;  // `announce` is a wish, two owners may differ in it
}
template <typename T>
bool SameValue(const T& left, const T& right) {
  return left == right;
}

std::string ValueText(const Sysctl& sysctl) { return sysctl.value; }
std::string ValueText(const InterfaceAddress& address) { return address.prefix.ToString(); }
std::string ValueText(const VirtualService& service) {
  return "scheduler " + service.scheduler + " and " + std::to_string(service.destinations.size()) +
         " real servers";
}
std::string ValueText(const MetricsListen& metrics) { return metrics.at; }
template <typename T>
std::string ValueText(const T& resource) {
  return Summary(resource);  // never with a password
}

// Calls `step` with every list of a state that Drover records.
template <typename Step>
void ForEachPart(const Step& step) {
  step(&DesiredState::addresses);
  step(&DesiredState::sysctls);
  step(&DesiredState::services);
  step(&DesiredState::sync_daemons);
  step(&DesiredState::path);
  step(&DesiredState::vrrp_instances);
  step(&DesiredState::vrrp_groups);
  step(&DesiredState::trackers);
  step(&DesiredState::watches);
  step(&DesiredState::metrics);
}

template <typename T>
auto Find(std::vector<T>& list, const T& wanted) {
  return std::find_if(list.begin(), list.end(),
                      [&](const T& have) { return KeyOf(have) == KeyOf(wanted); });
}

template <typename T>
const T* FindIn(const std::vector<T>& list, const T& wanted) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const T& have) { return KeyOf(have) == KeyOf(wanted); });
  return found == list.end() ? nullptr : &*found;
}

bool HasAddress(const std::vector<Prefix>& list, const IpAddress& address) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Prefix& prefix) { return prefix.address == address; });
}

template <typename T>
Status CheckConflicts(const std::vector<T>& wanted, std::vector<T> DesiredState::*part,
                      const std::vector<OwnerRecord>& others) {
  for (const T& resource : wanted) {
    for (const OwnerRecord& other : others) {
      const T* held = FindIn(other.state.*part, resource);
      if (held == nullptr || SameValue(*held, resource)) continue;
      return Fail(ErrorCode::kInvalid,
                  NameOf(resource) + ": " + other.owner + " owns it with " + ValueText(*held) +
                      ", this run wants " + ValueText(resource) +
                      "; take it out of one of the two playbooks (if " + other.owner +
                      " is gone: node-helper uninstall --owner " + other.owner + ")");
    }
  }
  return {};
}

// Two owners may not run one virtual router, or hold one address by VRRP twice or beside a fixed
// one, under different names.
Status CheckVirtualRouters(const DesiredState& wanted, const std::vector<OwnerRecord>& others) {
  const auto clash = [](const VrrpInstance& mine, const OwnerRecord& other,
                        const std::string& what) {
    return Fail(ErrorCode::kInvalid, NameOf(mine) + ": " + other.owner + " owns " + what +
                                         "; take it out of one of the two playbooks");
  };
  for (const VrrpInstance& mine : wanted.vrrp_instances) {
    for (const OwnerRecord& other : others) {
      for (const VrrpInstance& theirs : other.state.vrrp_instances) {
        if (theirs.name == mine.name) continue;  // the same value, or refused already
        if (theirs.interface == mine.interface && theirs.vrid == mine.vrid &&
            theirs.family() == mine.family()) {
          return clash(mine, other,
                       "virtual router " + std::to_string(mine.vrid) + " on " + mine.interface +
                           " as " + NameOf(theirs));
        }
        for (const Prefix& prefix : mine.addresses) {
          if (!HasAddress(theirs.addresses, prefix.address)) continue;
          return clash(mine, other, prefix.address.ToString() + " as part of " + NameOf(theirs));
        }
      }
      for (const InterfaceAddress& fixed : other.state.addresses) {
        if (fixed.interface == mine.interface && HasAddress(mine.addresses, fixed.prefix.address)) {
          return clash(mine, other, NameOf(fixed));
        }
      }
    }
  }
  return {};
}

// An address or service was there before Drover came when the node has it and no record does; a
// resource that Drover has to set again is Drover's from then on.
template <typename T>
void Adopt(OwnerRecord& record, const T& resource, const std::string& name, bool held_before,
           bool observed, std::vector<T> DesiredState::*part,
           const std::vector<OwnerRecord>& others) {
  if (!observed) {
    record.adopted.erase(name);
    return;
  }
  if (held_before) return;
  for (const OwnerRecord& other : others) {
    if (FindIn(other.state.*part, resource) == nullptr) continue;
    if (other.adopted.contains(name)) record.adopted.insert(name);
    return;
  }
  record.adopted.insert(name);
}

template <typename T>
bool Take(std::vector<T>& list, const T& resource) {
  const auto found = Find(list, resource);
  if (found == list.end()) {
    list.push_back(resource);
    return false;
  }
  *found = resource;
  return true;
}

template <typename T>
void TakeAll(std::vector<T>& list, const std::vector<T>& wanted) {
  for (const T& resource : wanted) Take(list, resource);
}

void KeepOriginal(OwnerRecord& record, const Sysctl& sysctl, const DesiredState& observed,
                  const std::vector<OwnerRecord>& others) {
  if (record.original_sysctls.contains(sysctl.key)) return;
  for (const OwnerRecord& other : others) {
    const auto original = other.original_sysctls.find(sysctl.key);
    if (original == other.original_sysctls.end()) continue;
    record.original_sysctls.insert(*original);
    return;
  }
  const Sysctl* now = FindIn(observed.sysctls, sysctl);
  if (now != nullptr) record.original_sysctls.emplace(now->key, now->value);
}

// Returns how many went.
template <typename T>
std::size_t KeepNamed(std::vector<T>& list, const std::vector<T>& named) {
  return std::erase_if(list, [&](const T& have) { return FindIn(named, have) == nullptr; });
}

template <typename T>
void DropShared(std::vector<T>& list, std::vector<T> DesiredState::*part,
                const std::vector<OwnerRecord>& others) {
  std::erase_if(list, [&](const T& have) {
    return std::any_of(others.begin(), others.end(), [&](const OwnerRecord& other) {
      return FindIn(other.state.*part, have) != nullptr;
    });
  });
}

// Forgets the past of what the state no longer names.
void TrimPast(OwnerRecord& record) {
  std::set<std::string> names;
  for (const InterfaceAddress& address : record.state.addresses) names.insert(NameOf(address));
  for (const VirtualService& service : record.state.services) names.insert(NameOf(service));
  for (const SyncDaemon& daemon : record.state.sync_daemons) names.insert(NameOf(daemon));
  for (const PathPart& part : record.state.path) names.insert(NameOf(part));
  std::erase_if(record.adopted, [&](const std::string& name) { return !names.contains(name); });
  std::erase_if(record.original_sysctls, [&](const auto& entry) {
    return FindIn(record.state.sysctls, Sysctl{entry.first, ""}) == nullptr;
  });
}

}  // namespace

Result<OwnerRecord> Claim(OwnerRecord record, const DesiredState& wanted,
                          const DesiredState& observed, const std::vector<OwnerRecord>& others) {
  Status fine;
  ForEachPart([&](auto part) {
    if (fine) fine = CheckConflicts(wanted.*part, part, others);
  });
  if (fine) fine = CheckVirtualRouters(wanted, others);
  if (!fine) return Fail(fine.error());
  const OwnerRecord old = record;
  for (const InterfaceAddress& address : wanted.addresses) {
    const bool held = Take(record.state.addresses, address);
    Adopt(record, address, NameOf(address), held, FindIn(observed.addresses, address) != nullptr,
          &DesiredState::addresses, others);
  }
  for (const VirtualService& service : wanted.services) {
    const bool held = Take(record.state.services, service);
    Adopt(record, service, NameOf(service), held, FindIn(observed.services, service) != nullptr,
          &DesiredState::services, others);
  }
  for (const SyncDaemon& daemon : wanted.sync_daemons) {
    const bool held = Take(record.state.sync_daemons, daemon);
    Adopt(record, daemon, NameOf(daemon), held, FindIn(observed.sync_daemons, daemon) != nullptr,
          &DesiredState::sync_daemons, others);
  }
  for (const PathPart& part : wanted.path) {
    const bool held = Take(record.state.path, part);
    Adopt(record, part, NameOf(part), held, FindIn(observed.path, part) != nullptr,
          &DesiredState::path, others);
  }
  for (const Sysctl& sysctl : wanted.sysctls) {
    Take(record.state.sysctls, sysctl);
    KeepOriginal(record, sysctl, observed, others);
  }
  TakeAll(record.state.vrrp_instances, wanted.vrrp_instances);
  TakeAll(record.state.vrrp_groups, wanted.vrrp_groups);
  TakeAll(record.state.trackers, wanted.trackers);
  TakeAll(record.state.watches, wanted.watches);
  TakeAll(record.state.metrics, wanted.metrics);
  if (!SameContent(record, old)) record.complete = false;
  return record;
}

std::uint64_t NextGeneration(const OwnerRecord& record, std::uint64_t number) {
  return std::max(record.generation + 1, number);
}

OwnerRecord Conclude(OwnerRecord record, const DesiredState& whole, std::uint64_t number) {
  std::size_t gone = 0;
  ForEachPart([&](auto part) { gone += KeepNamed(record.state.*part, whole.*part); });
  if (gone == 0 && (record.complete || (record.generation == 0 && record.state.empty()))) {
    return record;
  }
  TrimPast(record);
  record.complete = true;
  record.generation = NextGeneration(record, number);
  return record;
}

DesiredState HeldAlone(const OwnerRecord& record, const std::vector<OwnerRecord>& others) {
  DesiredState state = record.state;
  ForEachPart([&](auto part) { DropShared(state.*part, part, others); });
  return state;
}

DesiredState Adopted(const OwnerRecord& record) {
  DesiredState state;
  for (const InterfaceAddress& address : record.state.addresses) {
    if (record.adopted.contains(NameOf(address))) state.addresses.push_back(address);
  }
  for (const VirtualService& service : record.state.services) {
    if (record.adopted.contains(NameOf(service))) state.services.push_back(service);
  }
  for (const SyncDaemon& daemon : record.state.sync_daemons) {
    if (record.adopted.contains(NameOf(daemon))) state.sync_daemons.push_back(daemon);
  }
  for (const PathPart& part : record.state.path) {
    if (record.adopted.contains(NameOf(part))) state.path.push_back(part);
  }
  return state;
}

bool SameContent(const OwnerRecord& left, const OwnerRecord& right) {
  return left.owner == right.owner && left.generation == right.generation &&
         left.complete == right.complete && left.state == right.state &&
         left.original_sysctls == right.original_sysctls && left.adopted == right.adopted;
}

}  // namespace drover
