// A kernel that only pretends: it looks at a real one once and applies changes to what it saw.
// With it --check runs the very code of a real run, and later tasks of a program see what earlier
// ones would have done.
//
// One thread at a time; keep one per program.
#pragma once

#include <optional>
#include <set>

#include "node-helper/converge/kernel.h"

namespace drover {

class DryRunKernel : public Kernel {
 public:
  // `real` is only observed and asked to rehearse, and must outlive this.
  explicit DryRunKernel(Kernel& real) : real_(real) {}

  Result<DesiredState> Observe(const std::vector<std::string>& sysctl_keys) override;
  Status Apply(const Change& change) override;
  Status Rehearse(const Change& change) override;

 private:
  Kernel& real_;
  std::optional<DesiredState> state_;  // sysctls: those of known_keys_ that exist
  std::set<std::string> known_keys_;
};

}  // namespace drover
