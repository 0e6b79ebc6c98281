// The seam to the kernel: what converge needs from it, and nothing else. The real one is
// node-helper/net/linux_kernel.h, the one that only pretends is dry_run_kernel.h, the twin for unit
// tests is tests/fakes/fake_kernel.h; one contract suite (tests/contract/) holds them to the same
// rules.
//
// One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "protocol/change.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

class Kernel {
 public:
  virtual ~Kernel() = default;

  // What the kernel has now: every address of every interface, every ip_vs service and sync
  // daemon of this network namespace, the parts of the path that are whole (of routes and rules
  // those that Drover set), and the named sysctls (keys with slashes). A sysctl that the
  // kernel does not have is left out. Without ip_vs in the kernel there are no services and no sync
  // daemons; nothing is loaded by looking. Destinations are in the order in which they were added.
  // The parts of the state that the helper's daemon carries out are empty.
  virtual Result<DesiredState> Observe(const std::vector<std::string>& sysctl_keys) = 0;

  // Sends one change. The error names the resource and the kernel's reason; kExists and kNotFound
  // mean that the observation was stale. An announced address is announced once it is usable, on
  // interfaces that are up and have neighbours (so never on lo).
  virtual Status Apply(const Change& change) = 0;

  // Changes nothing: the error that Apply would give, as far as it can be told beforehand (an
  // interface that does not exist, ip_vs neither there nor loadable). Success promises nothing.
  virtual Status Rehearse(const Change& change) = 0;
};

}  // namespace drover
