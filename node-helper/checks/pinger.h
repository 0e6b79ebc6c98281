// ICMP echo for all ping checks: one raw socket for each family, however many servers are asked.
//
// One thread: the one that runs the loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "node-helper/checks/icmp_echo.h"
#include "node-helper/checks/probe.h"
#include "node-helper/checks/target.h"

namespace boost::asio {
class io_context;
}

namespace drover {

class Pinger {
 public:
  explicit Pinger(boost::asio::io_context& loop);
  ~Pinger();

  // Asks `address`; `done` is called with the answer unless Forget comes before. An outcome: it
  // cannot be asked.
  std::optional<CheckAnswer> Ask(const IpAddress& address, Probe::Done done, EchoMark& mark);
  void Forget(Family family, const EchoMark& mark);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// `target.settings.kind` is PingCheck. `pinger` must outlive it.
std::unique_ptr<Probe> MakePingProbe(Pinger& pinger, const Target& target);

}  // namespace drover
