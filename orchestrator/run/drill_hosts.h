// The talk with the hosts of a drill: every node with pulses that keep its lock and its fault's
// lease, and the prober beside them, whose progress comes in while the nodes are asked.
//
// Called from one thread; Interrupt from any. A seat is a node, by its name, or the prober.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "orchestrator/run/event_queue.h"
#include "orchestrator/run/host_worker.h"

namespace drover {

inline constexpr const char* kProberSeat = "(prober)";  // no host can be called so

struct SeatAnswer {
  std::string seat;
  std::uint32_t task = 0;
  Result<TaskResult> result;
};
struct SeatProgress {
  std::string seat;
  ProbeProgress progress;
};
using SeatEvent = std::variant<SeatAnswer, SeatProgress>;

class DrillHosts {
 public:
  DrillHosts(RunInfo info, SessionOpener open, std::chrono::milliseconds pulse);
  ~DrillHosts();
  DrillHosts(const DrillHosts&) = delete;
  DrillHosts& operator=(const DrillHosts&) = delete;

  // A second time: how it is connected to from the next time on.
  void AddSeat(const std::string& seat, const HostConnection& connection);
  // The number of the task, whose answer will come: also when the connection breaks.
  std::uint32_t Send(const std::string& seat, const TaskAction& action);
  // Tasks without an answer yet.
  [[nodiscard]] bool IsBusy(const std::string& seat) const;
  // The task at work there is to end with what it has.
  void Finish(const std::string& seat, std::uint32_t task);
  // Leaves a connection that is not answered over any more; open tasks get errors.
  void Drop(const std::string& seat, const std::string& why);

  // The next event; nothing when there is none until `deadline`, or after an interrupt.
  std::optional<SeatEvent> Next(std::chrono::steady_clock::time_point deadline);

  void Interrupt();
  [[nodiscard]] int interrupts() const { return interrupts_; }
  // False: a thread hangs in a connection attempt, the process should end without clearing up.
  bool Close();

 private:
  struct Seat {
    HostConnection connection;
    std::unique_ptr<HostWorker> worker;
    int number = 0;  // of the worker; events of those before it are stale
    std::set<std::uint32_t> open;
  };
  void Fail(const std::string& name, Seat& seat, const Error& error);
  void Take(RolloutEvent event);

  RunInfo info_;
  SessionOpener open_;
  Heartbeat heartbeat_;
  std::shared_ptr<EventQueue> queue_;
  std::map<std::string, Seat> seats_;
  std::map<int, std::string> by_number_;
  std::vector<std::unique_ptr<HostWorker>> left_;  // dropped, still ending
  std::deque<SeatEvent> heard_;
  std::uint32_t last_task_ = 0;
  int last_number_ = 0;
  std::atomic<int> interrupts_{0};
};

}  // namespace drover
