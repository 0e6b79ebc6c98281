// Opens a TCP connection within a deadline, name resolution included.
//
// Belongs to one thread; ends at once when the bell rings.
#pragma once

#include <string>

#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

struct TcpTarget {
  std::string host;  // name or address
  int port = 22;
  std::string family;        // "inet", "inet6"; anything else: both
  std::string bind_address;  // empty: the kernel chooses
};

// A non-blocking socket that finds a dead peer within about 30 seconds by itself. All addresses of
// a name are tried in turn.
Result<UniqueFd> DialTcp(const TcpTarget& target, const Bell& bell, Deadline deadline);

}  // namespace drover
