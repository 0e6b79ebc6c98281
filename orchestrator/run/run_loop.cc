#include "orchestrator/run/run_loop.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kJoinLimit{20};  // sessions end well within it
constexpr std::chrono::milliseconds kAbortLimit{500};

// Does what Rollout says.
class Loop {
 public:
  Loop(const CompiledRun& run, const RolloutOptions& options, const SessionOpener& open,
       const std::function<void(const Shown&)>& show, std::shared_ptr<EventQueue> queue)
      : run_(run), rollout_(run, options), open_(open), show_(show), queue_(std::move(queue)) {}

  RunOutcome Run() {
    queue_->Push(RunStarted{});
    while (!rollout_.finished()) {
      const RolloutEvent event = queue_->Pop();
      aborting_ |= std::holds_alternative<AbortAsked>(event);
      Measure(event);
      for (const RolloutAction& action : rollout_.Step(event)) {
        std::visit([this](const auto& a) { Do(a); }, action);
      }
    }
    JoinAll();
    outcome_.tallies = rollout_.tallies();
    outcome_.interrupted = rollout_.interrupted();
    outcome_.left_midway = rollout_.left_midway();
    return std::move(outcome_);
  }

 private:
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
        worker = std::make_unique<HostWorker>(connection->second, open_, queue_);
      } catch (const std::system_error& error) {
        queue_->Push(HostLost{
            action.host,
            Error{ErrorCode::kInternal, std::string("cannot start a thread: ") + error.what()}});
        return;
      }
    }
    worker->Send(action.program);
  }
  void Do(const CloseHost& action) {
    if (auto& worker = workers_[action.host]) {
      worker->Close();
    }
  }
  void Do(const AbortHost& action) {
    if (auto& worker = workers_[action.host]) {
      worker->Abort();
    }
  }
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
    for (auto& [host, worker] : workers_) {
      if (worker) {
        worker->Close();
      }
    }
    const auto until = Clock::now() + (aborting_ ? kAbortLimit : kJoinLimit);
    for (auto& [host, worker] : workers_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      if (worker && !worker->Join(std::max(left, std::chrono::milliseconds(1)))) {
        outcome_.thread_left_behind = true;
      }
    }
  }

  const CompiledRun& run_;
  Rollout rollout_;
  const SessionOpener& open_;
  const std::function<void(const Shown&)>& show_;
  std::shared_ptr<EventQueue> queue_;
  std::map<std::string, std::unique_ptr<HostWorker>> workers_;
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
                   const std::function<void(const Shown&)>& show, RunControl& control) {
  return Loop(run, options, open, show, control.queue_).Run();
}

}  // namespace drover
