// The kernel's twin for unit tests: keeps addresses, sysctls, ip_vs services and sync daemons in
// memory and is as strict as the kernel (what exists cannot be added, what is missing cannot be
// changed, interfaces and schedulers must be there). It records what was applied and can be told to
// fail.
//
// Held to the same rules as the real one by tests/contract/. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"

namespace drover {

class FakeKernel : public Kernel {
 public:
  // A node with "lo" and "eth0", every scheduler, no sysctl, no service.
  FakeKernel();

  Result<DesiredState> Observe(const std::vector<std::string>& sysctl_keys) override;
  Status Apply(const Change& change) override;
  Status Rehearse(const Change& change) override;

  // What the node has; tests change it to play an operator with ip, sysctl and ipvsadm.
  DesiredState& state() { return state_; }
  void AddInterface(const std::string& name) { interfaces_.insert(name); }
  void RemoveScheduler(const std::string& name) { schedulers_.erase(name); }
  void RemoveIpvs() { has_ipvs_ = false; }
  void SetSysctlValue(const std::string& key, const std::string& value);
  // Writing `key` also sets `other` to `value`, as ip_forward resets accept_redirects.
  void CoupleSysctl(const std::string& key, const std::string& other, const std::string& value);

  // The `n`th Apply from now (1 is the next) fails with `error` and changes nothing.
  void FailNth(int n, const Error& error);
  // Every change that took effect, in order.
  [[nodiscard]] const std::vector<Change>& applied() const { return applied_; }
  void ForgetApplied() { applied_.clear(); }
  [[nodiscard]] int observations() const { return observations_; }
  // "10.0.0.100" for every announcement made, in order.
  [[nodiscard]] const std::vector<std::string>& announced() const { return announced_; }

 private:
  Status Check(const AddAddress& add) const;
  Status Check(const RemoveAddress& remove) const;
  Status Check(const SetSysctl& set) const;
  Status Check(const AddService& add) const;
  Status Check(const EditService& edit) const;
  Status Check(const RemoveService& remove) const;
  Status Check(const AddDestination& add) const;
  Status Check(const EditDestination& edit) const;
  Status Check(const RemoveDestination& remove) const;
  Status Check(const StartSyncDaemon& start) const;
  Status Check(const AddPathPart& add) const;
  Status Check(const ReplacePathPart& replace) const;
  Status Check(const RemovePathPart& remove) const;
  [[nodiscard]] bool HasInterface(const std::string& name) const;
  [[nodiscard]] bool HasPathPart(const PathPart& part) const;
  Status Check(const StopSyncDaemon& stop) const;
  [[nodiscard]] Status CheckScheduler(const VirtualService& service) const;
  [[nodiscard]] Status CheckDestination(const ServiceKey& key,
                                        const Destination& destination) const;
  [[nodiscard]] const VirtualService* FindService(const ServiceKey& key) const;
  [[nodiscard]] bool RunsSyncDaemon(SyncRole role) const;

  DesiredState state_;
  std::set<std::string> interfaces_;
  std::set<std::string> schedulers_;
  bool has_ipvs_ = true;
  std::map<std::string, Sysctl> coupled_;
  int fail_in_ = 0;  // 0: not at all
  std::optional<Error> failure_;
  std::vector<Change> applied_;
  std::vector<std::string> announced_;
  int observations_ = 0;
};

}  // namespace drover
