#include "orchestrator/run/drill_hosts.h"

#include <system_error>
#include <utility>

namespace drover {
namespace {

constexpr std::chrono::milliseconds kJoinLimit{2000};
constexpr std::chrono::milliseconds kDroppedJoinLimit{100};

}  // namespace

DrillHosts::DrillHosts(RunInfo info, SessionOpener open, std::chrono::milliseconds pulse)
    : info_(std::move(info)),
      open_(std::move(open)),
      heartbeat_{info_.run_id, pulse},
      queue_(std::make_shared<EventQueue>()) {}

DrillHosts::~DrillHosts() = default;

void DrillHosts::AddSeat(const std::string& seat, const HostConnection& connection) {
  seats_[seat].connection = connection;
}

std::uint32_t DrillHosts::Send(const std::string& name, const TaskAction& action) {
  const std::uint32_t id = ++last_task_;
  Seat& seat = seats_[name];
  seat.open.insert(id);
  try {
    if (!seat.worker) {
      seat.number = ++last_number_;
      by_number_[seat.number] = name;
      seat.worker =
          std::make_unique<HostWorker>(seat.connection, open_, queue_, heartbeat_, seat.number);
    }
  } catch (const std::system_error& error) {
    Fail(name, seat, Error{ErrorCode::kInternal, error.what()});
    return id;
  }
  Task task;
  task.id = id;
  task.name = "drill";
  task.action = action;
  seat.worker->Send(Program{.run = info_, .tasks = {std::move(task)}});
  return id;
}

bool DrillHosts::IsBusy(const std::string& seat) const {
  const auto found = seats_.find(seat);
  return found != seats_.end() && !found->second.open.empty();
}

void DrillHosts::Finish(const std::string& seat, std::uint32_t task) {
  const auto found = seats_.find(seat);
  if (found != seats_.end() && found->second.worker) found->second.worker->Finish(task);
}

void DrillHosts::Drop(const std::string& name, const std::string& why) {
  const auto found = seats_.find(name);
  if (found == seats_.end()) return;
  Seat& seat = found->second;
  if (seat.worker) {
    seat.worker->Abort();
    left_.push_back(std::move(seat.worker));
  }
  Fail(name, seat, Error{ErrorCode::kUnreachable, why});
}

void DrillHosts::Fail(const std::string& name, Seat& seat, const Error& error) {
  by_number_.erase(seat.number);
  seat.worker.reset();  // a new one connects again
  for (const std::uint32_t task : std::exchange(seat.open, {})) {
    heard_.emplace_back(SeatAnswer{name, task, drover::Fail(error)});
  }
}

void DrillHosts::Take(RolloutEvent event) {
  if (auto* lost = std::get_if<HostLost>(&event)) {
    const auto name = by_number_.find(lost->connection);
    if (name != by_number_.end())
      Fail(std::string(name->second), seats_[name->second], lost->error);
    return;
  }
  auto* spoke = std::get_if<HostSpoke>(&event);
  if (spoke == nullptr) return;
  const auto found = by_number_.find(spoke->connection);
  if (found == by_number_.end()) return;  // of a connection that was dropped
  const std::string name = found->second;
  Seat& seat = seats_[name];
  if (auto* result = std::get_if<TaskResult>(&spoke->event)) {
    if (seat.open.erase(result->task) > 0) {
      heard_.emplace_back(SeatAnswer{name, result->task, std::move(*result)});
    }
  } else if (const auto* error = std::get_if<SessionError>(&spoke->event)) {
    Fail(name, seat, error->error);
  } else if (const auto* progress = std::get_if<TaskProgress>(&spoke->event)) {
    heard_.emplace_back(SeatProgress{name, progress->progress});
  }
}

std::optional<SeatEvent> DrillHosts::Next(std::chrono::steady_clock::time_point deadline) {
  const int interrupts = interrupts_;
  while (heard_.empty()) {
    auto event = queue_->PopUntil(deadline);
    if (!event) return std::nullopt;
    Take(*std::move(event));
    if (interrupts_ != interrupts && heard_.empty()) return std::nullopt;
  }
  SeatEvent next = std::move(heard_.front());
  heard_.pop_front();
  return next;
}

void DrillHosts::Interrupt() {
  ++interrupts_;
  queue_->Push(StopAsked{});
}

bool DrillHosts::Close() {
  bool all = true;
  for (auto& [name, seat] : seats_) {
    if (!seat.worker) continue;
    if (seat.open.empty()) {
      seat.worker->Close();
    } else {
      seat.worker->Abort();
    }
  }
  for (auto& [name, seat] : seats_) {
    if (seat.worker) all = seat.worker->Join(kJoinLimit) && all;
  }
  for (auto& worker : left_) all = worker->Join(kDroppedJoinLimit) && all;
  seats_.clear();
  left_.clear();
  return all;
}

}  // namespace drover
