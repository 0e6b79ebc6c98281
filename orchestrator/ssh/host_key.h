// Is the host that answered the one we know? Holds the key it showed against known_hosts.
//
// Belongs to the session's thread; threads of many hosts may add keys at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/ssh/known_hosts.h"
#include "orchestrator/ssh/ssh_handle.h"

namespace drover {

struct HostKeyOptions {
  HostPlace place;
  std::vector<KnownHostsLine> known;  // the lines for this host
  bool accept_new = false;
  bool hash_names = false;
  std::function<void(int level, const std::string& line)> trace;
};

Result<ShownKey> KeyOf(ssh_session_struct* session);
Status CheckHostKey(ssh_session_struct* session, const HostKeyOptions& options);

}  // namespace drover
