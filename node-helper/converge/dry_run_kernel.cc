#include "node-helper/converge/dry_run_kernel.h"

#include <algorithm>

#include "node-helper/converge/plan.h"

namespace drover {

Result<DesiredState> DryRunKernel::Observe(const std::vector<std::string>& sysctl_keys) {
  std::vector<std::string> unknown;
  for (const std::string& key : sysctl_keys) {
    if (known_keys_.count(key) == 0) unknown.push_back(key);
  }
  if (!state_ || !unknown.empty()) {
    Result<DesiredState> seen = real_.Observe(unknown);
    if (!seen) return seen;
    if (!state_) {
      state_ = std::move(*seen);
    } else {
      state_->sysctls.insert(state_->sysctls.end(), seen->sysctls.begin(), seen->sysctls.end());
    }
    known_keys_.insert(unknown.begin(), unknown.end());
  }
  const std::set<std::string> wanted(sysctl_keys.begin(), sysctl_keys.end());
  DesiredState observed = *state_;
  std::erase_if(observed.sysctls,
                [&wanted](const Sysctl& sysctl) { return wanted.count(sysctl.key) == 0; });
  return observed;
}

Status DryRunKernel::Apply(const Change& change) {
  if (Status refused = Rehearse(change); !refused) return refused;
  if (!state_) {
    if (const Result<DesiredState> seen = Observe({}); !seen) return Fail(seen.error());
  }
  if (const auto* set = std::get_if<SetSysctl>(&change.action)) {
    known_keys_.insert(set->sysctl.key);
  }
  state_ = Advance(std::move(*state_), change);
  return {};
}

Status DryRunKernel::Rehearse(const Change& change) {
  const auto* add = std::get_if<AddAddress>(&change.action);
  // The real kernel does not have the interface yet.
  if (add != nullptr && state_ && HasTunnel(*state_, add->address.interface)) return {};
  return real_.Rehearse(change);
}

}  // namespace drover
