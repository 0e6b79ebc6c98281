// The real kernel behind converge/kernel.h: rtnetlink, generic netlink of ip_vs, /proc/sys. No
// program is run but modprobe, and that only when ip_vs is needed for the first time.
//
// One thread at a time.
#pragma once

#include <memory>

#include "node-helper/converge/kernel.h"
#include "protocol/result.h"

namespace drover {

// The kernel of the network namespace this thread is in now.
Result<std::unique_ptr<Kernel>> OpenLinuxKernel();

}  // namespace drover
