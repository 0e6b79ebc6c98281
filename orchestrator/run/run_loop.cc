#include "orchestrator/run/run_loop.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kPulsesPerLease = 3;
constexpr std::chrono::seconds kJoinLimit{20};  // sessions end well within it
constexpr std::chrono::milliseconds kAbortLimit{500};

// Does what Rollout says.
class Loop {
 public:
  Loop(const CompiledRun& run, const RolloutOptions& options, const SessionOpener& open,
       const std::function<void(const Shown&)>& show, std::shared_ptr<EventQueue> queue,
       const LoopHands& hands)
      : run_(run),
        rollout_(run, options),
        open_(open),
        show_(show),
        queue_(std::move(queue)),
        hands_(hands) {
    if (options.transaction == TransactionMode::kFull) {
      heartbeat_ = {options.run.run_id, options.lease / kPulsesPerLease};
    }
  }

  RunOutcome Run() {
    queue_->Push(RunStarted{});
    while (!rollout_.finished()) {
      const RolloutEvent event = NextEvent();
      if (IsLate(event)) {
        continue;
      }
      aborting_ |= std::holds_alternative<AbortAsked>(event);
      Measure(event);
      if (const auto* lost = std::get_if<HostLost>(&event);
          lost != nullptr && workers_[lost->host]) {
        workers_[lost->host]->Close();
        GiveUp(lost->host);
      }
      for (const RolloutAction& action : rollout_.Step(event)) {
        std::visit([this](const auto& a) { Do(a); }, action);
      }
    }
    JoinAll();
    outcome_.tallies = rollout_.tallies();
    outcome_.interrupted = rollout_.interrupted();
    outcome_.left_midway = rollout_.left_midway();
    outcome_.end = rollout_.end();
    return std::move(outcome_);
  }

 private:
  RolloutEvent NextEvent() {
    if (!wake_at_) {
      return queue_->Pop();
    }
    if (auto event = queue_->PopUntil(*wake_at_)) {
      return *std::move(event);
    }
    wake_at_.reset();
    return Woken{};
  }

  // From a connection that was given up.
  bool IsLate(const RolloutEvent& event) const {
    const auto late = [this](const std::string& host, int connection) {
      const auto number = numbers_.find(host);
      return connection != 0 && (number == numbers_.end() || number->second != connection);
    };
    if (const auto* spoke = std::get_if<HostSpoke>(&event)) {
      return late(spoke->host, spoke->connection);
    }
    const auto* lost = std::get_if<HostLost>(&event);
    return lost != nullptr && late(lost->host, lost->connection);
  }

  void Do(const SendProgram& action) {
    started_[action.host] = Clock::now();
    ++outcome_.times[action.host].programs;
    auto& worker = workers_[action.host];
    if (!worker) {
      const auto connection = run_.connections.find(action.host);
      if (connection == run_.connections.end()) {
        queue_->Push(HostLost{action.host, Error{ErrorCode::kInternal, "no way to this host"}});
        return;
      }
      try {
        worker = std::make_unique<HostWorker>(connection->second, open_, queue_, heartbeat_,
                                              numbers_[action.host] = ++last_number_);
      } catch (const std::system_error& error) {
        queue_->Push(HostLost{
            action.host,
            Error{ErrorCode::kInternal, std::string("cannot start a thread: ") + error.what()}});
        return;
      }
    }
    worker->Send(action.program, action.fresh);
  }
  void Do(const CloseHost& action) {
    if (auto& worker = workers_[action.host]) {
      worker->Close();
    }
  }
  void Do(const AbortHost& action) {
    if (auto& worker = workers_[action.host]) {
      worker->Abort();
      GiveUp(action.host);
    }
  }
  // Its thread ends by itself; the host's next program gets another.
  void GiveUp(const std::string& host) {
    leaving_.push_back(std::move(workers_[host]));
    numbers_.erase(host);
  }
  // What takes time is done beside the loop, one thing at a time.
  void Aside(std::function<RolloutEvent()> work) {
    if (aside_.joinable()) {
      aside_.join();
    }
    aside_ = std::thread([this, work = std::move(work)] { queue_->Push(work()); });
  }
  void Do(const ProbeVips& action) {
    if (hands_.probe) {
      Aside([this, action] { return VipsProbed{hands_.probe(action, abandoned_)}; });
    } else {
      queue_->Push(VipsProbed{});
    }
  }
  void Do(const AskOperator& action) {
    if (hands_.ask) {
      Aside([this, action] { return OperatorSaid{hands_.ask(action.question, abandoned_)}; });
    } else {
      queue_->Push(OperatorSaid{false});
    }
  }
  void Do(const WakeAfter& action) { wake_at_ = Clock::now() + action.span; }
  void Do(const Shown& shown) { show_(shown); }
  void Do(const FinishRun& /*action*/) {}

  void Measure(const RolloutEvent& event) {
    const auto* spoke = std::get_if<HostSpoke>(&event);
    if (spoke == nullptr) {
      return;
    }
    HostTimes& times = outcome_.times[spoke->host];
    auto& since = started_[spoke->host];
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since);
    if (std::holds_alternative<Hello>(spoke->event)) {
      times.connect += elapsed;
      since = Clock::now();
    } else if (std::holds_alternative<ProgramDone>(spoke->event)) {
      times.work += elapsed;
    } else if (const auto* result = std::get_if<TaskResult>(&spoke->event)) {
      ++times.tasks;
      times.changes += static_cast<int>(result->changes.size());
    }
  }

  void JoinAll() {
    abandoned_ = true;
    if (aside_.joinable()) {
      aside_.join();
    }
    for (auto& [host, worker] : workers_) {
      if (worker) {
        worker->Close();
        leaving_.push_back(std::move(worker));
      }
    }
    const auto until = Clock::now() + (aborting_ ? kAbortLimit : kJoinLimit);
    for (const auto& worker : leaving_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      if (!worker->Join(std::max(left, std::chrono::milliseconds(1)))) {
        outcome_.thread_left_behind = true;
      }
    }
  }

  const CompiledRun& run_;
  Rollout rollout_;
  const SessionOpener& open_;
  const std::function<void(const Shown&)>& show_;
  std::shared_ptr<EventQueue> queue_;
  const LoopHands& hands_;
  std::optional<Clock::time_point> wake_at_;
  Heartbeat heartbeat_;
  std::map<std::string, std::unique_ptr<HostWorker>> workers_;
  std::map<std::string, int> numbers_;  // of the workers
  int last_number_ = 0;
  std::vector<std::unique_ptr<HostWorker>> leaving_;
  std::thread aside_;
  std::atomic<bool> abandoned_{false};  // nobody waits for what goes on aside
  std::map<std::string, Clock::time_point> started_;
  RunOutcome outcome_;
  bool aborting_ = false;
};

}  // namespace

void RunControl::Interrupt() {
  if (interrupts_.fetch_add(1) == 0) {
    queue_->Push(StopAsked{});
  } else {
    queue_->Push(AbortAsked{});
  }
}

RunOutcome RunLoop(const CompiledRun& run, const RolloutOptions& options, const SessionOpener& open,
                   const std::function<void(const Shown&)>& show, RunControl& control,
                   const LoopHands& hands) {
  return Loop(run, options, open, show, control.queue_, hands).Run();
}

}  // namespace drover
