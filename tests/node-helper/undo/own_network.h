// A network namespace of a test's own.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/shell.h"

namespace drover {

inline bool EnterOwnNetwork() {
  return ::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0 &&
         std::system(
             "ip link set lo up && ip link add eth0 type veth peer name peer0 && ip link "
             "set eth0 up && ip link set peer0 up && ip address add 10.9.0.1/24 dev "
             "eth0") == 0;
}

}  // namespace drover
