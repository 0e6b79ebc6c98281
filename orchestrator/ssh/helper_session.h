// A helper at work on one host, reached over SSH or, for ansible_connection=local, as a child of
// ours. One connection per host and run: all programs for a host go through one session.
//
// A session belongs to one thread; Abort may be called from any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "protocol/event.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// What all connections of a run have in common.
struct ConnectOptions {
  std::string helper_path;  // the node-helper binary to be put on nodes
  bool accept_new_host_keys =
      false;  // write unknown keys to known_hosts; a changed key is refused all the same
  std::string known_hosts_file;  // empty: ~/.ssh/config, then ~/.ssh/known_hosts
  std::string ssh_config_file;   // empty: ~/.ssh/config
  // What happens, for -v…-vvvv: level 1 to 4 and a line without secrets. May be called from many
  // threads.
  std::function<void(int level, const std::string& host, const std::string& line)> trace;
};

class HelperSession {
 public:
  virtual ~HelperSession() = default;
  [[nodiscard]] virtual const Hello& hello() const = 0;
  virtual Status Send(const Program& program) = 0;
  // Also while a program is at work.
  virtual Status SendPulse(const Pulse& pulse) = 0;
  virtual Status SendFinish(const Finish& finish) = 0;
  // The next event. kTimeout: none within `timeout`, the session still works. kUnreachable: the
  // connection is gone or the helper died; the message carries what it said on stderr.
  virtual Result<Event> Next(std::chrono::milliseconds timeout) = 0;
  // Ends the session from another thread; a blocked Next returns kUnreachable. The helper finishes
  // its current task.
  virtual void Abort() = 0;
};

// Connects, checks the host key, authenticates, becomes root if asked, brings the helper when its
// hash is not there yet, starts it and reads its Hello. kUnreachable: no connection, host key,
// authentication. kDenied: sudo. kInvalid: a setting that we do not carry out.
Result<std::unique_ptr<HelperSession>> OpenSession(const HostConnection& connection,
                                                   const ConnectOptions& options);

}  // namespace drover
