// What comes around the plays of a run that is a transaction: begin, check in, probe, confirm, take
// back.
#include <algorithm>
#include <utility>

#include "orchestrator/rollout/rollout.h"

namespace drover {
namespace {

constexpr int kTries = 3;  // to tell a host how the run ends, as long as it answers

template <typename Key>
std::string Listed(const std::set<Key>& services) {
  std::string text;
  for (const Key& service : services) {
    text += (text.empty() ? "" : ", ") + ToString(ServiceKey{service});
  }
  return text;
}

// By whether their answer can be seen from outside. Whether a service of UDP lives cannot be told
// without knowing its protocol, and a mark has no address.
struct Services {
  std::set<SocketKey> seen;
  std::set<ServiceKey> unseen;
};

Services ServicesOf(const CompiledRun& run) {
  Services services;
  for (const auto& [host, state] : run.states) {
    for (const VirtualService& service : state.services) {
      const auto* key = std::get_if<SocketKey>(&service.key);
      if (key != nullptr && key->transport == Transport::kTcp && key->port != 0) {
        services.seen.insert(*key);
      } else {
        services.unseen.insert(service.key);
      }
    }
  }
  return services;
}

}  // namespace

// What failed, whether it is the host or the task on it.
std::optional<Error> Rollout::ErrorOf(const Result<TaskResult>& answer) {
  if (!answer) {
    return answer.error();
  }
  if (answer->status == TaskStatus::kFailed) {
    return Error{answer->code.value_or(ErrorCode::kInternal), answer->message};
  }
  return std::nullopt;
}

void Rollout::Fault(const std::string& reason) {
  if (fault_.empty()) {
    fault_ = reason;
  }
}

// A host that is lost or fails between its programs.
void Rollout::LoseHost(const std::string& host, const std::string& what, const Error& error,
                       Actions& actions) {
  Tally& tally = ledger_.tallies[host];
  ++(IsUnreachable(error) ? tally.unreachable : tally.failed);
  ledger_.out.insert(host);
  Show(Notice{host, what + ": " + error.message, /*problem=*/true}, actions);
}

Transaction::Question Rollout::BeginQuestion(const std::string& host, bool fresh) const {
  return {{book_.BeginFor(host, "")}, fresh};
}

std::vector<std::string> Rollout::HostsWithWork() const {
  std::set<std::string> hosts;
  for (const CompiledPlay& play : run_.plays) {
    for (const CompiledTask& task : play.tasks) {
      for (const auto& [host, items] : task.hosts) {
        const bool work = std::any_of(items.begin(), items.end(), [](const HostTask& item) {
          return std::holds_alternative<Task>(item.action);
        });
        if (work) hosts.insert(host);
      }
    }
  }
  return {hosts.begin(), hosts.end()};
}

void Rollout::StartBeginning(Actions& actions) {
  phase_ = Phase::kBeginning;
  Questions questions;
  for (const std::string& host : HostsWithWork()) {
    questions[host] = BeginQuestion(host, /*fresh=*/false);
  }
  Reach(Stage::kBegin, questions, actions);
  book_.Ask(std::move(questions), actions);
  const std::set<SocketKey> services = full() ? ServicesOf(run_).seen : std::set<SocketKey>{};
  if (!services.empty()) {
    probing_ = true;
    actions.emplace_back(ProbeVips{services, /*patient=*/false});
  }
}

// Enters the answers; what it returns has to be asked again.
Rollout::Questions Rollout::TakeBegun() {
  Questions again;
  for (const auto& [host, answer] : book_.answers()) {
    const auto* ground = answer ? std::get_if<NodeGround>(&answer->detail) : nullptr;
    if (ground != nullptr) {
      end_.grounds[host] = *ground;
    }
    if (const auto error = ErrorOf(answer); !error) {
      Transaction::Node& node = book_.at(host);
      node.begun = true;
      if (ground != nullptr) node.ground = *ground;
      node.dirty = node.armed = node.ground.armed;
    } else if (ground == nullptr || !ground->holder) {
      begin_errors_.emplace(host, *error);
      not_reached_.insert(host);
    } else if (options_.is_dead && options_.is_dead(*ground->holder) &&
               taken_over_.insert(host).second) {
      again[host] = {{book_.BeginFor(host, ground->holder->run.run_id)}};
    } else {
      end_.holders[host] = *ground->holder;
    }
  }
  return again;
}

void Rollout::EndBeginning(Actions& actions) {
  if (Questions again = TakeBegun(); !again.empty()) {
    book_.Ask(std::move(again), actions);
    return;
  }
  answered_before_ = std::exchange(answered_, {});
  std::uint64_t newest = 0;
  for (const auto& [host, node] : book_.nodes()) {
    newest = std::max(newest, node.ground.generation);
    if (!node.ground.adopted_run.empty()) {
      Show(Notice{host, "goes on from what run " + node.ground.adopted_run +
                            " left there, which has died"},
           actions);
    }
  }
  options_.run.generation = newest + 1;
  ReturnAfterTakeOver();
  std::map<std::string, std::vector<std::string>> masters;
  for (const auto& [host, ground] : end_.grounds) {
    masters[host] = ground.masters;
  }
  roles_ = RolesOf(run_, masters);
  JudgeBeginning(actions);
  if (!fault_.empty() || stop_) {
    Conclude(actions);
  } else {
    StartPlay(actions);
  }
}

// A run that died may have made masters hand over; they may come back at the end of their wave.
void Rollout::ReturnAfterTakeOver() {
  for (const std::string& host : taken_over_) {
    const auto state = run_.states.find(host);
    if (state == run_.states.end()) {
      continue;
    }
    for (const VrrpInstance& instance : state->second.vrrp_instances) {
      yielded_[host].push_back(instance.name);
    }
  }
}

// Every play of the host says how many may fail.
bool Rollout::MayFail(const std::string& host) const {
  return std::all_of(run_.plays.begin(), run_.plays.end(), [&](const CompiledPlay& one) {
    const bool member = std::find(one.hosts.begin(), one.hosts.end(), host) != one.hosts.end();
    return !member || (one.policy.max_fail_percentage && !one.policy.any_errors_fatal);
  });
}

// Hosts that cannot be reached are out, as in Ansible. One that refuses ends the run while nothing
// is changed anywhere; one that cannot begin does, unless its batch may lose it.
void Rollout::JudgeBeginning(Actions& actions) {
  if (!full()) {
    return;
  }
  for (const auto& [host, holder] : end_.holders) {
    ++ledger_.tallies[host].failed;
    Fault("another run is at work on " + host);
  }
  if (!options_.revert) {
    return;
  }
  for (const CompiledPlay& one : run_.plays) {
    for (const std::string& host : one.hosts) {
      if (one.policy.any_errors_fatal && begin_errors_.contains(host)) {
        Fault(host + " cannot be reached, and a play has any_errors_fatal");
      }
    }
  }
  for (const auto& [host, error] : begin_errors_) {
    if ((!IsUnreachable(error) && !MayFail(host)) || !fault_.empty()) {
      LoseHost(host, "cannot begin", error, actions);
      Fault(host + " cannot begin");
    }
  }
}

void Rollout::StartMending(Actions& actions) {
  phase_ = Phase::kMending;
  Questions questions;
  if (options_.revert) {
    for (const auto& [host, node] : book_.nodes()) {
      if (ledger_.out.contains(host) && node.begun && (node.armed || node.unsure)) {
        questions[host] = {{RevertTask{"failed, the others go on"}}, !node.connected};
      }
    }
  }
  Reach(Stage::kRevert, questions, actions);
  book_.Ask(std::move(questions), actions);
}

void Rollout::EndMending(Actions& actions) {
  for (const auto& [host, answer] : book_.answers()) {
    end_.hosts[host] = EndAfterRevert(host, answer).value_or(HostEnd::kGoesBack);
    book_.at(host) = {};
  }
  StartCheckIn(actions);
}

void Rollout::StartCheckIn(Actions& actions) {
  phase_ = Phase::kCheckingIn;
  Questions questions;
  for (const auto& [host, node] : book_.nodes()) {
    if (node.armed && node.dirty && !ledger_.out.contains(host)) {
      questions[host] = BeginQuestion(host, /*fresh=*/true);
    }
  }
  Reach(Stage::kCheckIn, questions, actions);
  book_.Ask(std::move(questions), actions);
}

// Of a host that was armed.
bool Rollout::HasGoneBack(const NodeGround* ground) const {
  return options_.revert && ground != nullptr && !ground->armed;
}

void Rollout::LoseWhoWentBack(const std::string& host, Actions& actions) {
  const Error gone{ErrorCode::kInternal,
                   "it was rebooted, or heard nothing of this run for too long"};
  LoseHost(host, "went back by itself", gone, actions);
  Fault(host + " went back by itself");
}

void Rollout::EndCheckIn(Actions& actions) {
  checked_in_.clear();
  for (const auto& [host, answer] : book_.answers()) {
    const auto* ground = answer ? std::get_if<NodeGround>(&answer->detail) : nullptr;
    if (const auto error = ErrorOf(answer)) {
      LoseHost(host, "cannot be reached again after its changes", *error, actions);
      if (options_.revert) Fault(host + " cannot be reached again after its changes");
    } else if (HasGoneBack(ground)) {
      LoseWhoWentBack(host, actions);
    } else {
      book_.at(host).dirty = false;
      checked_in_.insert(host);
    }
  }
  if (!fault_.empty()) {
    Conclude(actions);
  } else if (book_.answers().empty()) {
    AfterWave(actions);  // nothing was changed
  } else {
    batch_changed_ = true;
    StartProbe(actions);
  }
}

// Of which services nothing will be known; said once, and only by a run that changes something.
void Rollout::SayWhatIsNotJudged(Actions& actions) {
  if (std::exchange(said_what_is_not_judged_, true)) {
    return;
  }
  const Services services = ServicesOf(run_);
  std::set<SocketKey> silent;
  std::set_difference(services.seen.begin(), services.seen.end(), answered_before_.begin(),
                      answered_before_.end(), std::inserter(silent, silent.end()));
  std::string text;
  if (!services.unseen.empty()) {
    text = Listed(services.unseen) + " cannot be asked from here";
  }
  if (!silent.empty()) {
    text += (text.empty() ? "" : ", ") + Listed(silent) + " did not answer before the run";
  }
  if (!text.empty()) {
    Show(Notice{"", "not judged between batches: " + text}, actions);
  }
}

void Rollout::StartProbe(Actions& actions) {
  phase_ = Phase::kProbing;
  SayWhatIsNotJudged(actions);
  if (!answered_before_.empty()) {
    probing_ = true;
    Reach(Stage::kProbe, batches_[batch_], actions);
    actions.emplace_back(ProbeVips{answered_before_, /*patient=*/true});
  }
}

void Rollout::EndProbe(Actions& actions) {
  std::set<SocketKey> silent;
  std::set_difference(answered_before_.begin(), answered_before_.end(), answered_.begin(),
                      answered_.end(), std::inserter(silent, silent.end()));
  const bool wave_is_to_come = std::exchange(behind_handover_, false);
  if (silent.empty()) {
    wave_is_to_come ? BeginWave(actions) : AfterWave(actions);
    return;
  }
  const std::string text = Listed(silent) + " answered from here before the run and no longer does";
  Show(Notice{"", text, /*problem=*/true}, actions);
  Fault(text);
  Conclude(actions);
}

// No further play: what came through is confirmed, or all is taken back.
void Rollout::Conclude(Actions& actions) {
  // What a run that died left on hosts whose turn did not come is nobody's wish.
  for (const auto& [host, node] : book_.nodes()) {
    if (full() && node.armed && !attempted_.contains(host)) {
      Fault("the turn of " + host + " did not come, which has changes of a run that died");
    }
  }
  if (course_) {
    course_->LeaveOutRest(actions);
  }
  if (!full()) {
    BecomeFinished(actions);
  } else if (!fault_.empty() && options_.revert) {
    StartReverting(actions);
  } else {
    StartRenewing(actions);
  }
}

void Rollout::StartRenewing(Actions& actions) {
  phase_ = Phase::kRenewing;
  Questions questions;
  for (const auto& [host, node] : book_.nodes()) {
    if (node.armed && !ledger_.out.contains(host)) {
      questions[host] = BeginQuestion(host, !node.connected);
    }
  }
  // Whoever was there a moment ago need not say it again.
  const bool all_here = std::all_of(questions.begin(), questions.end(), [&](const auto& question) {
    return checked_in_.contains(question.first);
  });
  if (all_here) {
    questions.clear();
  }
  Reach(Stage::kRenew, questions, actions);
  book_.Ask(std::move(questions), actions);
}

void Rollout::EndRenewing(Actions& actions) {
  for (const auto& [host, answer] : book_.answers()) {
    if (const auto error = ErrorOf(answer)) {
      LoseHost(host, "is lost before the end of the run", *error, actions);
      Fault(host + " is lost before the end of the run");
    } else if (HasGoneBack(std::get_if<NodeGround>(&answer->detail))) {
      LoseWhoWentBack(host, actions);
    }
  }
  if (!fault_.empty() && options_.revert) {
    StartReverting(actions);
  } else {
    StartConfirming(actions);
  }
}

void Rollout::StartConfirming(Actions& actions) {
  phase_ = Phase::kConfirming;
  tries_.clear();
  book_.RememberConnections();
  Questions changed;
  Questions unchanged;
  for (const auto& [host, node] : book_.nodes()) {
    if (!node.begun) {
      continue;
    }
    if (node.armed || node.unsure) {
      changed[host] = {{ConfirmTask{}}, !node.connected};
    } else {
      unchanged[host] = {{ReleaseTask{}}, !node.connected};
    }
  }
  Reach(Stage::kConfirm, changed, actions);
  Reach(Stage::kRelease, unchanged, actions);
  changed.merge(unchanged);
  book_.Ask(std::move(changed), actions);
}

// A host that takes no new connection is not waited for: it helps itself.
bool Rollout::MayTryAgain(const std::string& host, const Error& error) {
  const bool knocked = tries_[host]++ > 0 || !book_.at(host).connected_before;
  return tries_[host] < kTries && !(knocked && IsUnreachable(error));
}

std::optional<HostEnd> Rollout::EndAfterConfirm(const std::string& host,
                                                const Result<TaskResult>& answer) {
  Transaction::Node& node = book_.at(host);
  const bool changed = node.armed || node.unsure;
  const auto error = ErrorOf(answer);
  if (!error) {
    // Without rollback nothing is armed; the node keeps what was changed when it is released.
    if (!changed && (options_.revert || !node.dirty)) return EndOfUnchanged(host);
    return ledger_.out.contains(host) ? HostEnd::kKept : HostEnd::kConfirmed;
  }
  if (node.unsure && !node.armed && error->code == ErrorCode::kNotFound) {
    return HostEnd::kUnchanged;
  }
  // Something was changed after all, and is to be confirmed.
  node.armed |= !changed && error->code == ErrorCode::kInvalid;
  if (MayTryAgain(host, *error)) {
    return std::nullopt;
  }
  if (end_.reason.empty()) {
    end_.reason = host + " could not be told that the run is over: " + error->message;
  }
  if (node.armed || node.unsure) {
    return options_.revert ? HostEnd::kGoesBack : HostEnd::kKept;
  }
  return HostEnd::kLocked;
}

void Rollout::EndConfirming(Actions& actions) {
  Questions again;
  for (const auto& [host, answer] : book_.answers()) {
    if (const auto end = EndAfterConfirm(host, answer)) {
      end_.hosts[host] = *end;
    } else if (book_.at(host).armed || book_.at(host).unsure) {
      again[host] = {{book_.BeginFor(host, ""), ConfirmTask{}}, /*fresh=*/true};
    } else {
      again[host] = {{ReleaseTask{}}, /*fresh=*/true};
    }
  }
  if (!again.empty()) {
    book_.Ask(std::move(again), actions);
    return;
  }
  if (end_.reason.empty()) {
    end_.reason = fault_;
  }
  end_.generation = end_.Count(HostEnd::kConfirmed) + end_.Count(HostEnd::kKept) > 0
                        ? options_.run.generation
                        : 0;
  BecomeFinished(actions);
}

void Rollout::StartReverting(Actions& actions) {
  phase_ = Phase::kReverting;
  tries_.clear();
  book_.RememberConnections();
  Questions changed;
  Questions unchanged;
  for (const auto& [host, node] : book_.nodes()) {
    if (!node.begun) {
      continue;
    }
    Transaction::Question question{.fresh = !node.connected};
    if (yielded_.contains(host)) {
      question.tasks.emplace_back(HandoverTask{HandoverMove::kReturn, yielded_[host], {}});
    }
    if (node.armed || node.unsure) {
      question.tasks.emplace_back(RevertTask{fault_});
      changed[host] = std::move(question);
    } else {
      question.tasks.emplace_back(ReleaseTask{});
      unchanged[host] = std::move(question);
    }
  }
  if (!changed.empty()) {
    Show(Notice{"", "all hosts go back: " + fault_, /*problem=*/true}, actions);
  }
  end_.reason = fault_;
  Reach(Stage::kRevert, changed, actions);
  Reach(Stage::kRelease, unchanged, actions);
  changed.merge(unchanged);
  book_.Ask(std::move(changed), actions);
}

std::optional<HostEnd> Rollout::EndAfterRevert(const std::string& host,
                                               const Result<TaskResult>& answer) {
  Transaction::Node& node = book_.at(host);
  const bool changed = node.armed || node.unsure;
  const auto error = ErrorOf(answer);
  if (!error) {
    // Of one that was lost at work it is only known now whether it got so far.
    return node.armed || (changed && !answer->changes.empty()) ? HostEnd::kReverted
                                                               : EndOfUnchanged(host);
  }
  node.armed |= !changed && error->code == ErrorCode::kInvalid;
  if (MayTryAgain(host, *error)) {
    return std::nullopt;
  }
  return node.armed || node.unsure ? HostEnd::kGoesBack : HostEnd::kLocked;
}

void Rollout::EndReverting(Actions& actions) {
  Questions again;
  for (const auto& [host, answer] : book_.answers()) {
    if (const auto end = EndAfterRevert(host, answer)) {
      end_.hosts[host] = *end;
      if (const auto error = ErrorOf(answer)) {
        Show(Notice{host, "could not be taken back: " + error->message, /*problem=*/true}, actions);
      }
    } else if (book_.at(host).armed || book_.at(host).unsure) {
      again[host] = {{RevertTask{fault_}}, /*fresh=*/true};
    } else {
      again[host] = {{ReleaseTask{}}, /*fresh=*/true};
    }
  }
  if (again.empty()) {
    BecomeFinished(actions);
  } else {
    book_.Ask(std::move(again), actions);
  }
}

// Back at once. A second time: whoever is not back yet goes back by itself.
void Rollout::AbortTransaction(Actions& actions) {
  if (phase_ == Phase::kConfirming) {
    return;  // hosts that are confirmed already cannot go back
  }
  Fault("interrupted");
  if (phase_ == Phase::kIdle) {
    BecomeFinished(actions);
    return;
  }
  const bool again = phase_ == Phase::kReverting;
  book_.GiveUpRound();
  if (phase_ == Phase::kBeginning) {
    TakeBegun();
  }
  probing_ = waiting_ = asking_ = false;
  if (again) {
    for (const auto& [host, node] : book_.nodes()) {
      if (node.begun && !end_.hosts.contains(host)) {
        end_.hosts[host] = node.armed || node.unsure ? HostEnd::kGoesBack : HostEnd::kLocked;
      }
    }
    BecomeFinished(actions);
    return;
  }
  if (course_) {
    course_->Abort(actions);
    course_->LeaveOutRest(actions);
    ledger_.left_midway.clear();
  }
  book_.Note(actions);
  // A helper that is about to begin may have locked its node; it is told that the run is over.
  const auto busy = book_.Where([](const Transaction::Node& node) { return node.busy; });
  std::set<std::string> may_have_begun;
  for (const std::string& host : busy) {
    actions.emplace_back(AbortHost{host});
    if (book_.at(host).connected) {
      may_have_begun.insert(host);
    } else if (!book_.at(host).begun) {
      end_.hosts[host] = HostEnd::kLocked;
    }
  }
  book_.Note(actions);
  for (const std::string& host : may_have_begun) {
    book_.at(host).begun = true;
  }
  options_.revert ? StartReverting(actions) : StartConfirming(actions);
}

HostEnd Rollout::EndOfUnchanged(const std::string& host) const {
  return attempted_.contains(host) ? HostEnd::kUnchanged : HostEnd::kNotAttempted;
}

void Rollout::FillEnds() {
  if (!full()) {
    return;
  }
  for (const std::string& host : HostsWithWork()) {
    if (end_.holders.contains(host)) {
      end_.hosts.emplace(host, HostEnd::kRefused);
    } else if (not_reached_.contains(host)) {
      end_.hosts.emplace(host, HostEnd::kNotReached);
    } else {
      end_.hosts.emplace(host, EndOfUnchanged(host));
    }
  }
}

}  // namespace drover
