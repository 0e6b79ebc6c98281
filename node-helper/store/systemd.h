// Whether systemd is the init system of this node.
#pragma once

#include <unistd.h>

#include <string>

namespace drover {

// As sd_booted(3) has it. `root` is "" outside tests.
inline bool SystemdRuns(const std::string& root = "") {
  return ::access((root + "/run/systemd/system").c_str(), F_OK) == 0;
}

}  // namespace drover
