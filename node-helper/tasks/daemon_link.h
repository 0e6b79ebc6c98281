// How the tasks of a session see the helper's daemon: what it makes of the records right now, and
// what it can be asked to do. The real link goes over the control socket (daemon/control_client.h),
// the one for unit tests is tests/fakes/fake_daemon.h.
//
// One thread at a time. Every call ends within some seconds.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "protocol/desired_state.h"
#include "protocol/node_status.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// A watched service: as it is recorded, and as it should stand in ip_vs after what its checks say.
struct OverlaidService {
  VirtualService wanted;
  VirtualService effective;
  bool operator==(const OverlaidService&) const = default;
};

// All watched services of the node.
struct Overlay {
  std::vector<OverlaidService> services;
  bool operator==(const Overlay&) const = default;
};

class DaemonLink {
 public:
  virtual ~DaemonLink() = default;

  // False when no daemon runs, or one that is too old to be asked.
  virtual bool Runs() = 0;
  // It reads the records anew and takes up what they say. An error when it could not: a record that
  // cannot be read, an instance that cannot be set up.
  virtual Result<Overlay> Reload() = 0;
  virtual Result<Overlay> ReadOverlay() = 0;
  // Waits until every instance is master, hears a master or is in fault with a reason, and every
  // check has a verdict. What is still open after `patience`, one sentence each; empty: all is
  // settled.
  virtual Result<std::vector<std::string>> WaitSettled(std::chrono::milliseconds patience,
                                                       const std::function<bool()>& give_up) = 0;
  // See Speaker::SettleForms.
  virtual Status SettleForms(const std::vector<std::string>& unsettled) = 0;
  virtual Result<NodeStatus> ReadStatus() = 0;
  // Tells the instances (empty: all) to yield or to return; does not wait for what follows.
  // `with_run`: as HandoverTask's.
  virtual Status Move(HandoverMove move, const std::vector<std::string>& instances,
                      bool with_run) = 0;
};

}  // namespace drover
