// The daemon as sessions and subcommands reach it: over its control socket.
//
// One thread at a time. A daemon that does not answer in time is not asked again for some seconds.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "node-helper/store/descriptor.h"
#include "node-helper/tasks/daemon_link.h"

namespace drover {

class ControlClient : public DaemonLink {
 public:
  // `root` is "" outside tests.
  explicit ControlClient(std::string root = "") : root_(std::move(root)) {}

  bool Runs() override;
  Result<Overlay> Reload() override;
  Result<Overlay> ReadOverlay() override;
  Result<std::vector<std::string>> WaitSettled(std::chrono::milliseconds patience,
                                               const std::function<bool()>& give_up) override;
  Status SettleForms(const std::vector<std::string>& unsettled) override;
  Result<NodeStatus> ReadStatus() override;
  Status Move(HandoverMove move, const std::vector<std::string>& instances, bool with_run) override;
  // The daemon runs its installed file anew, with the same process id; comes back before it does.
  Status Upgrade();

 private:
  using Clock = std::chrono::steady_clock;
  // The daemon's answer to one request line; what is wrong with it is an Error.
  Result<std::string> Ask(const std::string& request);
  Status Connect();
  Result<std::string> Exchange(const std::string& line);

  std::string root_;
  Descriptor socket_;
  std::string buffer_;
  Clock::time_point silent_until_{};
};

}  // namespace drover
