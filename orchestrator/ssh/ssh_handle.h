// An ssh_session of libssh that closes itself, and the one way in which its calls are waited for.
//
// Belongs to one thread. libssh's own types stay in the .cc files.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

struct ssh_session_struct;

namespace drover {

struct SshCloser {
  void operator()(ssh_session_struct* session) const;
};
using SshHandle = std::unique_ptr<ssh_session_struct, SshCloser>;

// What libssh says about its last failure, without its own prefixes.
std::string SshReason(ssh_session_struct* session);

// Waits until the connection has something for libssh, or libssh may send.
Woken WaitForSsh(ssh_session_struct* session, const Bell& bell, Deadline deadline);

// Repeats a non-blocking call of libssh as long as it returns `again`, and hands back what it
// returned at last. kUnreachable: deadline ("<what>: no answer in 10 s") or bell.
Result<int> Drive(ssh_session_struct* session, const Bell& bell, std::chrono::milliseconds time,
                  int again, const std::string& what, const std::function<int()>& step);

}  // namespace drover
