// What one process of the daemon leaves to the next when it runs its file anew (an upgrade in
// place): a value, its bytes, and the file in memory that carries them through exec.
#pragma once

#include <optional>
#include <string>

#include "node-helper/daemon/core.h"
#include "node-helper/store/descriptor.h"

namespace drover {

// Descriptors go by their number: they stay open through exec.
struct Inheritance {
  CoreMemory core;
  int lock_fd = -1;     // of daemon_lock
  int control_fd = -1;  // the listening control socket
  bool detached = false;
};

std::string EncodeInheritance(const Inheritance& inheritance);
Result<Inheritance> DecodeInheritance(const std::string& bytes);

// Writes it to memory and runs `program` in this process. Comes back only when that failed; then
// everything is as before.
Error RunAnew(const std::string& program, const Inheritance& inheritance);
// Reads what RunAnew left behind `fd`, and closes it.
Result<Inheritance> TakeInheritance(int fd);

}  // namespace drover
