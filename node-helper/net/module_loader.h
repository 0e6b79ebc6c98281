// Loads kernel modules by modprobe, for kernels that have ip_vs as a module.
//
// One thread at a time. The kernel itself loads schedulers and persistence engines.
#pragma once

#include <string>

#include "protocol/result.h"

namespace drover {

// Runs modprobe and waits for it, at most half a minute. The error says why the kernel stays
// without the module: "this kernel has no ip_vs (module ip_vs not found for 6.1.0)".
Status LoadModule(const std::string& name);

// Whether this kernel's module folder lists the module; the error is that of LoadModule. Loads
// nothing.
Status FindModule(const std::string& name);

// Whether the module is loaded or built in; true for a kernel without modules. `root` is "" outside
// tests.
bool IsModuleLoaded(const std::string& name, const std::string& root = "");

}  // namespace drover
