// Kernel settings as files under /proc/sys.
//
// One thread at a time. Values are normalised as in desired_state.h; which of them a node should
// have is left to converge/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

class SysctlFiles {
 public:
  // Tests give another root.
  explicit SysctlFiles(std::string root = "/proc/sys") : root_(std::move(root)) {}

  // Nothing when the kernel has no such setting. A setting that has no value yet (EIO, as
  // stable_secret) is empty; one that can only be written is kInvalid: it has no state.
  [[nodiscard]] Result<std::optional<std::string>> Read(const std::string& key) const;

  // All settings below a folder of them ("net") that can be read and written, sorted. Secrets
  // (keys and seeds of the kernel) are left out.
  [[nodiscard]] std::vector<std::string> Keys(const std::string& folder) const;

  // Writes and reads back: kInvalid when the kernel refuses the value or keeps another one.
  [[nodiscard]] Status Write(const Sysctl& sysctl) const;

 private:
  // The file of a key; kInvalid for anything that is no key in its spelling with slashes.
  [[nodiscard]] Result<std::string> PathOf(const std::string& key) const;

  std::string root_;
};

}  // namespace drover
