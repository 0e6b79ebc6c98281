// One SSH connection with one exec channel, as a ByteStream.
//
// Belongs to one thread. libssh runs non-blocking under our own poll, so that every step has a
// deadline and ends when the bell rings.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/ssh/byte_stream.h"
#include "orchestrator/ssh/ssh_config.h"
#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

struct SshOptions {
  std::string host;  // inventory name, for messages
  SshSettings settings;
  std::string original_host;  // the address as the inventory has it
  std::string explicit_key;   // file, expanded
  std::string password;
  std::string known_hosts_file;  // empty: those of the settings
  bool accept_new_host_keys = false;
  std::string home;
  std::chrono::milliseconds timeout{10000};  // of each step
  std::function<void(int level, const std::string& line)> trace;
};

// Connects, checks the host key, logs in and starts `command`.
Result<std::unique_ptr<ByteStream>> OpenSshStream(const SshOptions& options,
                                                  const std::string& command, const Bell& bell);

}  // namespace drover
