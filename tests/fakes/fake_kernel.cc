#include "tests/fakes/fake_kernel.h"

#include <algorithm>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

const Destination* FindDestination(const VirtualService& service, const Endpoint& endpoint) {
  for (const Destination& destination : service.destinations) {
    if (destination.endpoint() == endpoint) return &destination;
  }
  return nullptr;
}

template <typename Action>
Error Refusal(const Action& action, ErrorCode code, const std::string& reason) {
  return Error{code, Describe(Change{action, ""}).resource + ": " + reason};
}

}  // namespace

FakeKernel::FakeKernel() : interfaces_{"lo", "eth0"} {
  for (const std::string& scheduler : KnownSchedulers()) schedulers_.insert(scheduler);
}

void FakeKernel::SetSysctlValue(const std::string& key, const std::string& value) {
  std::erase_if(state_.sysctls, [&key](const Sysctl& sysctl) { return sysctl.key == key; });
  state_.sysctls.push_back({key, value});
}

void FakeKernel::CoupleSysctl(const std::string& key, const std::string& other,
                              const std::string& value) {
  coupled_[key] = Sysctl{other, value};
}

void FakeKernel::FailNth(int n, const Error& error) {
  fail_in_ = n;
  failure_ = error;
}

Result<DesiredState> FakeKernel::Observe(const std::vector<std::string>& sysctl_keys) {
  ++observations_;
  const std::set<std::string> wanted(sysctl_keys.begin(), sysctl_keys.end());
  DesiredState observed = state_;
  std::erase_if(observed.sysctls,
                [&wanted](const Sysctl& sysctl) { return wanted.count(sysctl.key) == 0; });
  for (InterfaceAddress& address : observed.addresses) address.announce = false;
  return Canonical(observed);
}

Status FakeKernel::Apply(const Change& change) {
  if (fail_in_ > 0 && --fail_in_ == 0) return Fail(*failure_);
  const Status allowed =
      std::visit([this](const auto& action) { return Check(action); }, change.action);
  if (!allowed) return allowed;
  state_ = Advance(std::move(state_), change);
  if (const auto* set = std::get_if<SetSysctl>(&change.action)) {
    const auto coupled = coupled_.find(set->sysctl.key);
    if (coupled != coupled_.end()) SetSysctlValue(coupled->second.key, coupled->second.value);
  }
  if (std::holds_alternative<StartSyncDaemon>(change.action)) {
    SyncDaemon& daemon = state_.sync_daemons.back();
    const std::uint16_t headers = daemon.group.is_v4() ? 28 : 48;
    const std::uint16_t shortest = daemon.role == SyncRole::kBackup ? 1024 : 1;
    daemon.max_length = daemon.max_length == 0 ? 1500 - headers
                                               : std::clamp<std::uint16_t>(
                                                     daemon.max_length, shortest, 65535 - headers);
  }
  if (const auto* add = std::get_if<AddAddress>(&change.action)) {
    if (add->address.announce && add->address.interface != "lo") {
      announced_.push_back(add->address.prefix.address.ToString());
    }
  }
  applied_.push_back(change);
  return {};
}

Status FakeKernel::Rehearse(const Change& change) {
  if (const auto* add = std::get_if<AddAddress>(&change.action)) {
    if (interfaces_.count(add->address.interface) == 0) return Check(*add);
  }
  if (const auto* add = std::get_if<AddService>(&change.action)) {
    if (!has_ipvs_) return Check(*add);
  }
  if (const auto* start = std::get_if<StartSyncDaemon>(&change.action)) {
    if (!has_ipvs_ || interfaces_.count(start->daemon.interface) == 0) return Check(*start);
  }
  return {};
}

Status FakeKernel::Check(const AddAddress& add) const {
  if (!HasInterface(add.address.interface)) {
    return Fail(
        Refusal(add, ErrorCode::kInvalid, "there is no interface " + add.address.interface));
  }
  for (const InterfaceAddress& other : state_.addresses) {
    if (other.interface != add.address.interface) continue;
    // IPv6 keeps an address once, IPv4 once per prefix length.
    const bool same = add.address.prefix.address.is_v4()
                          ? other.prefix == add.address.prefix
                          : other.prefix.address == add.address.prefix.address;
    if (same) return Fail(Refusal(add, ErrorCode::kExists, "it is already there"));
  }
  return {};
}

bool FakeKernel::HasInterface(const std::string& name) const {
  return interfaces_.contains(name) || HasTunnel(state_, name);
}

Status FakeKernel::Check(const RemoveAddress& remove) const {
  if (!HasInterface(remove.address.interface)) {
    return Fail(
        Refusal(remove, ErrorCode::kInvalid, "there is no interface " + remove.address.interface));
  }
  for (const InterfaceAddress& other : state_.addresses) {
    if (other.interface == remove.address.interface && other.prefix == remove.address.prefix) {
      return {};
    }
  }
  return Fail(Refusal(remove, ErrorCode::kNotFound, "it is not there"));
}

Status FakeKernel::Check(const SetSysctl& set) const {
  for (const Sysctl& sysctl : state_.sysctls) {
    if (sysctl.key == set.sysctl.key) return {};
  }
  return Fail(Refusal(set, ErrorCode::kInvalid, "this kernel has no such setting"));
}

const VirtualService* FakeKernel::FindService(const ServiceKey& key) const {
  for (const VirtualService& service : state_.services) {
    if (service.key == key) return &service;
  }
  return nullptr;
}

Status FakeKernel::CheckScheduler(const VirtualService& service) const {
  if (schedulers_.count(service.scheduler) != 0) return {};
  return Fail(ErrorCode::kInvalid,
              NameOf(service) + ": this kernel has no scheduler " + service.scheduler);
}

Status FakeKernel::CheckDestination(const ServiceKey& key, const Destination& destination) const {
  const std::string name = "real server " + destination.endpoint().ToString();
  if (destination.lower_threshold > destination.upper_threshold) {
    return Fail(ErrorCode::kInvalid, name + ": the lower threshold is above the upper one");
  }
  const bool mixed = destination.address.family() != FamilyOf(key);
  if (mixed && destination.forward != Forwarding::kTun) {
    return Fail(ErrorCode::kInvalid, name + ": only tun mixes IPv4 and IPv6");
  }
  if (mixed && !state_.sync_daemons.empty()) {
    return Fail(ErrorCode::kInvalid,
                name + ": IPv4 and IPv6 cannot be mixed while a sync daemon runs");
  }
  return {};
}

Status FakeKernel::Check(const AddService& add) const {
  if (!has_ipvs_) return Fail(Refusal(add, ErrorCode::kInvalid, "this kernel has no ip_vs"));
  if (FindService(add.service.key) != nullptr) {
    return Fail(Refusal(add, ErrorCode::kExists, "it is already there"));
  }
  return CheckScheduler(add.service);
}

Status FakeKernel::Check(const EditService& edit) const {
  if (FindService(edit.service.key) == nullptr) {
    return Fail(Refusal(edit, ErrorCode::kNotFound, "there is no such service"));
  }
  return CheckScheduler(edit.service);
}

Status FakeKernel::Check(const RemoveService& remove) const {
  if (FindService(remove.service.key) != nullptr) return {};
  return Fail(Refusal(remove, ErrorCode::kNotFound, "there is no such service"));
}

Status FakeKernel::Check(const AddDestination& add) const {
  const VirtualService* service = FindService(add.service);
  if (service == nullptr) {
    return Fail(Refusal(add, ErrorCode::kNotFound, "there is no such service"));
  }
  if (const Status fine = CheckDestination(add.service, add.destination); !fine) return fine;
  if (FindDestination(*service, add.destination.endpoint()) == nullptr) return {};
  return Fail(Refusal(add, ErrorCode::kExists, "it is already there"));
}

Status FakeKernel::Check(const EditDestination& edit) const {
  const VirtualService* service = FindService(edit.service);
  if (service == nullptr) {
    return Fail(Refusal(edit, ErrorCode::kNotFound, "there is no such service"));
  }
  if (const Status fine = CheckDestination(edit.service, edit.destination); !fine) return fine;
  if (FindDestination(*service, edit.destination.endpoint()) != nullptr) return {};
  return Fail(Refusal(edit, ErrorCode::kNotFound, "there is no such real server"));
}

Status FakeKernel::Check(const RemoveDestination& remove) const {
  const VirtualService* service = FindService(remove.service);
  if (service == nullptr) {
    return Fail(Refusal(remove, ErrorCode::kNotFound, "there is no such service"));
  }
  if (FindDestination(*service, remove.destination.endpoint()) != nullptr) return {};
  return Fail(Refusal(remove, ErrorCode::kNotFound, "there is no such real server"));
}

bool FakeKernel::RunsSyncDaemon(SyncRole role) const {
  return std::any_of(state_.sync_daemons.begin(), state_.sync_daemons.end(),
                     [role](const SyncDaemon& daemon) { return daemon.role == role; });
}

Status FakeKernel::Check(const StartSyncDaemon& start) const {
  if (!has_ipvs_) return Fail(Refusal(start, ErrorCode::kInvalid, "this kernel has no ip_vs"));
  for (const VirtualService& service : state_.services) {
    for (const Destination& destination : service.destinations) {
      if (destination.address.family() == FamilyOf(service.key)) continue;
      return Fail(Refusal(start, ErrorCode::kInvalid, "a service mixes IPv4 and IPv6"));
    }
  }
  if (RunsSyncDaemon(start.daemon.role)) {
    return Fail(Refusal(start, ErrorCode::kExists, "it already runs"));
  }
  if (interfaces_.count(start.daemon.interface) != 0) return {};
  return Fail(
      Refusal(start, ErrorCode::kInvalid, "there is no interface " + start.daemon.interface));
}

Status FakeKernel::Check(const StopSyncDaemon& stop) const {
  if (RunsSyncDaemon(stop.daemon.role)) return {};
  return Fail(Refusal(stop, ErrorCode::kNotFound, "it does not run"));
}

bool FakeKernel::HasPathPart(const PathPart& part) const {
  return std::any_of(state_.path.begin(), state_.path.end(),
                     [&](const PathPart& other) { return NameOf(other) == NameOf(part); });
}

// A tunnel that is there is changed, a rule is set in the place of the old one; only a route and a
// receiver are refused.
Status FakeKernel::Check(const AddPathPart& add) const {
  if (!HasPathPart(add.part)) return {};
  if (std::holds_alternative<GueReceiver>(add.part)) {
    return Fail(Refusal(add, ErrorCode::kExists, "the UDP port of the node is taken"));
  }
  if (!std::holds_alternative<Route>(add.part)) return {};
  return Fail(Refusal(add, ErrorCode::kExists, "the node has a route to the same destination"));
}

Status FakeKernel::Check(const ReplacePathPart&) const { return {}; }

Status FakeKernel::Check(const RemovePathPart& remove) const {
  if (HasPathPart(remove.part)) return {};
  return Fail(Refusal(remove, ErrorCode::kNotFound, "it is not there"));
}

}  // namespace drover
