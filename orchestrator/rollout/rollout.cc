#include "orchestrator/rollout/rollout.h"

#include <algorithm>
#include <utility>

namespace drover {

Rollout::Rollout(const CompiledRun& run, RolloutOptions options)
    : run_(run), options_(std::move(options)) {
  options_.run.owner = run.owner;
  options_.run.playbook = run.playbook;
  options_.run.playbook_hash = run.playbook_hash;
  options_.forks = std::max<std::size_t>(options_.forks, 1);
}

std::vector<RolloutAction> Rollout::Step(const RolloutEvent& event) {
  Actions actions;
  if (phase_ != Phase::kFinished) {
    std::visit([&](const auto& e) { On(e, actions); }, event);
    Settle(actions);
  }
  return actions;
}

void Rollout::On(const RunStarted& /*event*/, Actions& actions) {
  if (phase_ != Phase::kIdle) {
    return;
  }
  phase_ = Phase::kRunning;
  if (run_.plays.empty()) {
    BecomeFinished(actions);
    return;
  }
  StartPlay(actions);
}

void Rollout::On(const HostSpoke& event, Actions& actions) {
  if (course_) {
    course_->Heard(event.host, event.event, actions);
  }
}

void Rollout::On(const HostLost& event, Actions& actions) {
  if (course_) {
    course_->Lost(event.host, event.error, actions);
  }
}

void Rollout::On(const StopAsked& /*event*/, Actions& actions) {
  if (phase_ != Phase::kRunning && phase_ != Phase::kIdle) {
    return;
  }
  phase_ = Phase::kStopping;
  interrupted_ = true;
  if (course_) {
    course_->Stop(actions);
  }
}

void Rollout::On(const AbortAsked& /*event*/, Actions& actions) {
  phase_ = Phase::kStopping;
  interrupted_ = true;
  if (course_) {
    course_->Abort(actions);
  }
}

void Rollout::BecomeFinished(Actions& actions) {
  phase_ = Phase::kFinished;
  actions.emplace_back(FinishRun{});
}

void Rollout::StartPlay(Actions& actions) {
  actions.emplace_back(Shown{PlayBanner{play_}});
  std::vector<std::string> hosts;
  for (const std::string& host : play().hosts) {
    const bool known = std::find(hosts.begin(), hosts.end(), host) != hosts.end();
    if (!ledger_.out.contains(host) && !known) {
      hosts.push_back(host);
    }
  }
  course_.emplace(run_, options_, play_, hosts, ledger_);
  course_->Start(actions);
  course_->Begin(hosts, actions);
}

// Moves on as far as nothing has to be waited for.
void Rollout::Settle(Actions& actions) {
  while (phase_ == Phase::kRunning) {
    course_->MoveOn(actions);
    if (!course_->at_rest()) {
      return;
    }
    EndPlay(actions);
  }
  if (phase_ == Phase::kStopping && (!course_ || course_->at_rest())) {
    BecomeFinished(actions);
  }
}

void Rollout::EndPlay(Actions& actions) {
  const bool none_left =
      std::all_of(play().hosts.begin(), play().hosts.end(),
                  [&](const std::string& host) { return ledger_.out.contains(host); });
  // Nobody came through this play: what follows builds on it, so the run ends (as Ansible does).
  const bool over = course_->failed() && none_left;
  if (over || play_ + 1 == run_.plays.size()) {
    BecomeFinished(actions);
    return;
  }
  ++play_;
  StartPlay(actions);
}

}  // namespace drover
