// A responder in a thread of its own, for tests of the prober: on loopback, or in a network
// namespace of its own behind a veth pair (needs root).
//
// Nothing outlives the test: the namespaces go with the threads.
#pragma once

#include <sys/types.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "node-helper/drill/responder.h"

namespace drover {

// Moves the calling thread into a new network namespace with lo up; false when that is not allowed.
bool EnterNewNetwork();
// Runs a command line with sh; true when it exits with 0.
bool RunShell(const std::string& command);

class ResponderThread {
 public:
  // With `own_network` the thread gets a namespace with eth0 (10.77.0.2/24, MAC 02:00:00:00:77:02),
  // which is joined to probe0 (10.77.0.1/24, MAC 02:00:00:00:77:01) in the caller's.
  explicit ResponderThread(const ResponderSettings& settings, bool own_network = false);
  ~ResponderThread();
  ResponderThread(const ResponderThread&) = delete;
  ResponderThread& operator=(const ResponderThread&) = delete;

  [[nodiscard]] bool ok() const { return responder_ != nullptr; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] Responder& responder() { return *responder_; }
  // Runs in the responder's namespace.
  [[nodiscard]] bool Run(const std::string& command) const;

 private:
  std::string Serve(const ResponderSettings& settings, bool own_network,
                    std::promise<std::string>& ready);

  std::optional<StopEvent> stop_;
  std::unique_ptr<Responder> responder_;
  std::promise<void> joined_;  // the link is there
  std::string error_;
  pid_t tid_ = 0;
  std::thread thread_;
};

}  // namespace drover
