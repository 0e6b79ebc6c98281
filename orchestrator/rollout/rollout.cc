#include "orchestrator/rollout/rollout.h"

#include <algorithm>
#include <utility>

namespace drover {

Rollout::Rollout(const CompiledRun& run, RolloutOptions options)
    : run_(run), options_(std::move(options)), book_(options_) {
  options_.run.owner = run.owner;
  options_.run.playbook = run.playbook;
  options_.run.playbook_hash = run.playbook_hash;
  options_.forks = std::max<std::size_t>(options_.forks, 1);
  end_.transaction = full();
  end_.lease = options_.lease;
}

std::vector<RolloutAction> Rollout::Step(const RolloutEvent& event) {
  Actions actions;
  if (phase_ != Phase::kFinished) {
    std::visit([&](const auto& e) { On(e, actions); }, event);
    Advance(actions);
    book_.Note(actions);
  }
  return actions;
}

void Rollout::On(const RunStarted& /*event*/, Actions& actions) {
  if (phase_ != Phase::kIdle) {
    return;
  }
  if (run_.plays.empty()) {
    BecomeFinished(actions);
  } else if (options_.transaction == TransactionMode::kNone) {
    phase_ = Phase::kRunning;
    StartPlay(actions);
  } else {
    StartBeginning(actions);
  }
}

void Rollout::On(const HostSpoke& event, Actions& actions) {
  if (book_.Takes(event)) {
    ShowAnswer(event.host, actions);
  } else if (course_) {
    course_->Heard(event.host, event.event, actions);
  }
}

void Rollout::On(const HostLost& event, Actions& actions) {
  if (book_.Takes(event)) {
    ShowAnswer(event.host, actions);
  } else if (course_) {
    course_->Lost(event.host, event.error, actions);
  }
}

void Rollout::On(const VipsProbed& event, Actions& /*actions*/) {
  answered_ = event.answered;
  probing_ = false;
}

void Rollout::On(const Woken& /*event*/, Actions& /*actions*/) { waiting_ = false; }

void Rollout::On(const OperatorSaid& event, Actions& /*actions*/) {
  go_on_ = event.go_on;
  asking_ = false;
}

void Rollout::On(const StopAsked& /*event*/, Actions& actions) {
  if (phase_ == Phase::kStopping) {
    return;
  }
  interrupted_ = true;
  stop_ = true;
  if (full()) {
    return;  // at the end of the batch
  }
  phase_ = Phase::kStopping;
  book_.GiveUpRound();
  if (course_) {
    course_->Stop(actions);
  }
}

void Rollout::On(const AbortAsked& /*event*/, Actions& actions) {
  interrupted_ = true;
  stop_ = true;
  if (full()) {
    AbortTransaction(actions);
    return;
  }
  phase_ = Phase::kStopping;
  book_.GiveUpRound();
  if (course_) {
    course_->Abort(actions);
  }
}

void Rollout::Advance(Actions& actions) {
  for (bool moved = true; moved;) {
    book_.MoveOn(actions);
    const bool answered = book_.round_is_over();
    moved = false;
    switch (phase_) {
      case Phase::kIdle:
      case Phase::kFinished:
        break;
      case Phase::kBeginning:
        if ((moved = answered && !probing_)) EndBeginning(actions);
        break;
      case Phase::kSettling:
        if ((moved = answered)) EndSettling(actions);
        break;
      case Phase::kSettlingPause:
        if ((moved = !waiting_ || stop_)) AskSettling(actions);
        break;
      case Phase::kRunning:
        course_->MoveOn(actions);
        if ((moved = course_->at_rest() && !(full() && book_.any_busy()))) EndWave(actions);
        break;
      case Phase::kStopping:
        if (!course_ || course_->at_rest()) BecomeFinished(actions);
        break;
      case Phase::kForeseeing:
        if ((moved = answered)) EndForeseeing(actions);
        break;
      case Phase::kHandingOver:
        if ((moved = answered)) EndHandingOver(actions);
        break;
      case Phase::kReturning:
        if ((moved = answered)) EndReturning(actions);
        break;
      case Phase::kHolding:
        if ((moved = !waiting_ || stop_)) StartHealth(actions);
        break;
      case Phase::kHealth:
        if ((moved = answered)) EndHealth(actions);
        break;
      case Phase::kHealthPause:
        if ((moved = !waiting_)) AskHealth(actions);
        break;
      case Phase::kAsking:
        if ((moved = !asking_ || stop_)) EndAsking(actions);
        break;
      case Phase::kStaggering:
        if ((moved = !waiting_ || stop_)) NextBatch(actions);
        break;
      case Phase::kMending:
        if ((moved = answered)) EndMending(actions);
        break;
      case Phase::kCheckingIn:
        if ((moved = answered)) EndCheckIn(actions);
        break;
      case Phase::kProbing:
        if ((moved = !probing_)) EndProbe(actions);
        break;
      case Phase::kRenewing:
        if ((moved = answered)) EndRenewing(actions);
        break;
      case Phase::kConfirming:
        if ((moved = answered)) EndConfirming(actions);
        break;
      case Phase::kReverting:
        if ((moved = answered)) EndReverting(actions);
        break;
    }
  }
}

void Rollout::BecomeFinished(Actions& actions) {
  phase_ = Phase::kFinished;
  FillEnds();
  actions.emplace_back(FinishRun{});
}

void Rollout::Show(const Shown& shown, Actions& actions) { actions.emplace_back(shown); }

void Rollout::Reach(Stage stage, std::vector<std::string> hosts, Actions& actions) const {
  StageReached reached{.stage = stage, .hosts = std::move(hosts)};
  if (stage >= Stage::kBatchStart && stage <= Stage::kBatchEnd) {
    reached.play = play_;
    reached.batch = batch_;
    reached.batches = batches_.size();
  }
  Show(reached, actions);
}

void Rollout::Reach(Stage stage, const Questions& questions, Actions& actions) {
  std::vector<std::string> hosts;
  for (const auto& [host, question] : questions) {
    asked_[host] = stage;
    hosts.push_back(host);
  }
  if (!hosts.empty()) {
    Reach(stage, std::move(hosts), actions);
  }
}

void Rollout::ShowAnswer(const std::string& host, Actions& actions) {
  const auto stage = asked_.find(host);
  const auto answer = book_.answers().find(host);
  if (stage != asked_.end() && answer != book_.answers().end()) {
    const auto error = ErrorOf(answer->second);
    Show(StageAnswer{stage->second, host, error ? error->message : ""}, actions);
  }
}

}  // namespace drover
