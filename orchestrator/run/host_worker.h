// One host's thread: opens the session at the first program, sends one program after the other,
// and pushes all that the helper says to the loop's queue. Between and during programs it sends
// pulses, so that the node knows that somebody is there.
//
// Owned by the loop; all methods are called from there.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/run/event_queue.h"
#include "orchestrator/ssh/helper_session.h"
#include "protocol/program.h"

namespace drover {

// How a session with a host comes about; tests give one that needs no network.
using SessionOpener =
    std::function<Result<std::unique_ptr<HelperSession>>(const HostConnection& connection)>;

// True for an error of an SSH server that has too many handshakes going (MaxStartups): worth a
// second try, nothing has happened yet.
bool IsHandshakeReset(const Error& error);
// True when no connection came about at all. Refused logins and host keys that do not fit are not
// among them, another try would only make them worse.
bool IsNoConnection(const Error& error);

// How often a node hears from us, and for which run. Interval 0: never.
struct Heartbeat {
  std::string run_id;
  std::chrono::milliseconds interval{0};
};

class HostWorker {
 public:
  // May throw std::system_error when the system has no thread left.
  // `number` is in all events of this worker.
  HostWorker(HostConnection connection, SessionOpener open, std::shared_ptr<EventQueue> queue,
             Heartbeat heartbeat = {}, int number = 0);
  ~HostWorker();
  HostWorker(const HostWorker&) = delete;
  HostWorker& operator=(const HostWorker&) = delete;

  // `fresh`: over a new session; the one before is ended first.
  void Send(Program program, bool fresh = false);
  // The task at work is to end with what it has (protocol/drill.h); it is told a little later.
  void Finish(std::uint32_t task);
  // Ends the session when the program at work is through.
  void Close();
  // Ends the session now.
  void Abort();
  // Waits for the thread to end after Close or Abort. False: it hangs in a connection attempt and
  // was left alone; the process should end without clearing up.
  bool Join(std::chrono::milliseconds limit);

 private:
  struct Shared;
  struct Order;
  static std::optional<Order> NextOrder(Shared& shared);
  static void Pulsate(Shared& shared);
  static void PassFinish(Shared& shared);
  static void EndSession(Shared& shared);
  static void Work(const std::shared_ptr<Shared>& shared);
  static bool Open(Shared& shared);
  static bool RunProgram(Shared& shared, const Program& program);

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace drover
