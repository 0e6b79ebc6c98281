// Counts running processes by name or executable, from /proc. While enough of those found before
// still run, only they are looked at.
//
// One thread at a time; short calls.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace drover {

// The name of a process and whether it lives, from the text of /proc/PID/stat. False for a zombie,
// for a dead one and for what is no such text.
bool LivesAs(std::string_view stat, std::string_view name);

class ProcessScan {
 public:
  // A name (its first 15 bytes count, as the kernel keeps no more) or an absolute path.
  explicit ProcessScan(std::string process);

  // How many run, counted up to `enough`.
  std::size_t Count(std::size_t enough);

 private:
  [[nodiscard]] bool Matches(pid_t pid) const;

  std::string process_;
  std::vector<pid_t> found_;
};

}  // namespace drover
