// Logging in: which keys and passwords are tried, in which order, and what is said when none fits.
//
// Belongs to the session's thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/ssh/ssh_handle.h"
#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

struct LoginOptions {
  std::string host;  // inventory name, for messages
  std::string user;
  std::string explicit_key;                 // file; tried first
  std::vector<std::string> identity_files;  // of ~/.ssh/config; empty: the usual names in ~/.ssh
  bool identities_only = false;             // of the agent's keys only those that files name
  std::string agent_socket;                 // empty: no agent
  std::string password;                     // tried after the explicit key, before all others
  bool allow_keys = true;
  bool allow_password = true;
  bool allow_keyboard_interactive = true;
  std::string home;
  std::chrono::milliseconds timeout{10000};  // per try
  std::function<void(int level, const std::string& line)> trace;
};

// kUnreachable: nothing was accepted; the message says what was tried and what the server allows.
// kInvalid: the explicit key cannot be used at all.
Status LogIn(ssh_session_struct* session, const LoginOptions& options, const Bell& bell);

}  // namespace drover
