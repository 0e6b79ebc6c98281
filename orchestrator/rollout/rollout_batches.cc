// The batches of a play and the waves of a batch: in which order hosts take part, what is waited
// for in between, and which failures end the run.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "orchestrator/rollout/health.h"
#include "orchestrator/rollout/rollout.h"
#include "protocol/helper_upgrade.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHealthLook{500};
// Of a play with serial alone: the checks of a batch must be up, for no time in particular.
constexpr milliseconds kPlainDeadline{60000};
// Behind it directors are verified whether they have settled or not: longer than a start with the
// longest usual intervals, and than the wait of a master for connections.
constexpr milliseconds kSettleDeadline{60000};
// How long a master waits for its backup to hold the connections.
constexpr milliseconds kSyncWait{60000};

// Nothing that a client could feel: weights and real servers are changed in place, and what VRRP
// speakers say to each other in two phases, without a handover. The daemon itself is replaced while
// it goes on.
bool IsHarmless(const ChangeText& change) {
  if (change.reason == kHelperUpgrade) return true;
  constexpr std::array<std::string_view, 6> kInPlace = {
      "real server ", "vrrp_instance ", "vrrp_group ", "tracker ", "checks of ", "metrics"};
  return std::any_of(kInPlace.begin(), kInPlace.end(), [&](std::string_view resource) {
    return change.resource.starts_with(resource);
  });
}

// A command cannot say beforehand what it will do.
bool IsUnforeseeable(const TaskAction& action) {
  const auto* command = std::get_if<CommandTask>(&action);
  return command != nullptr && command->reports_change;
}

bool Disturbs(const std::vector<TaskAction>& tasks, const Result<TaskResult>& foreseen) {
  return !foreseen || foreseen->status == TaskStatus::kFailed ||
         std::any_of(tasks.begin(), tasks.end(), IsUnforeseeable) ||
         !std::all_of(foreseen->changes.begin(), foreseen->changes.end(), IsHarmless);
}

std::string Seconds(milliseconds span) { return std::to_string(span.count() / 1000) + " s"; }

}  // namespace

void Rollout::StartPlay(Actions& actions) {
  std::vector<std::string> hosts;
  for (const std::string& host : play().hosts) {
    const bool known = std::find(hosts.begin(), hosts.end(), host) != hosts.end();
    if (!ledger_.out.contains(host) && !known) {
      hosts.push_back(host);
    }
  }
  batches_ = play().policy.in_batches()
                 ? BatchesOf(play().policy, InOrderOfRoles(std::move(hosts), roles_))
                 : std::vector<std::vector<std::string>>{std::move(hosts)};
  if (batches_.empty()) {
    batches_.emplace_back();  // a play without hosts is shown all the same
  }
  batch_ = 0;
  StartBatch(actions);
}

void Rollout::StartBatch(Actions& actions) {
  out_before_ = ledger_.out;
  batch_changed_ = false;
  Show(PlayBanner{play_, batch_, batches_.size()}, actions);
  std::vector<std::string> hosts = batches_[batch_];
  std::erase_if(hosts, [&](const std::string& host) { return ledger_.out.contains(host); });
  Reach(Stage::kBatchStart, hosts, actions);
  course_.emplace(run_, options_, play_, hosts, ledger_);
  course_->Start(actions);
  for (const std::string& host : hosts) {
    if (const auto error = begin_errors_.extract(host)) {
      course_->Fail(host, error.mapped(), actions);
      // Who could not be reached does not count among the failed of the batch.
      if (IsUnreachable(error.mapped()) || !full() || !options_.revert) out_before_.insert(host);
    }
  }
  std::erase_if(hosts, [&](const std::string& host) { return ledger_.out.contains(host); });
  waves_ = full() ? WavesOf(hosts, roles_) : std::vector<std::vector<std::string>>{hosts};
  if (waves_.empty()) {
    waves_.emplace_back();
  }
  wave_ = 0;
  StartWave(actions);
}

void Rollout::StartWave(Actions& actions) {
  const std::vector<std::string>& hosts = waves_[wave_];
  const bool master = full() && hosts.size() == 1 && roles_.contains(hosts.front()) &&
                      roles_.at(hosts.front()) == Role::kMaster;
  if (master && HasHeir(hosts.front())) {
    StartForeseeing(actions);
  } else if (full() && course_->Verifies(hosts) && ChangedSomething()) {
    StartSettling(actions);
  } else {
    BeginWave(actions);
  }
}

bool Rollout::ChangedSomething() const {
  return std::any_of(ledger_.tallies.begin(), ledger_.tallies.end(),
                     [](const auto& entry) { return entry.second.changed > 0; });
}

// Directors that have just begun elect a master, and ask their servers for the first time. What is
// verified meanwhile would be found wrong.
void Rollout::StartSettling(Actions& actions) {
  settle_waited_ = milliseconds(0);
  asked_.clear();  // as in StartHealth
  Reach(Stage::kSettle, waves_[wave_], actions);
  AskSettling(actions);
}

void Rollout::AskSettling(Actions& actions) {
  phase_ = Phase::kSettling;
  AskDirectors(actions);
}

void Rollout::EndSettling(Actions& actions) {
  const std::vector<std::string> reasons = NotSettled(StatusesOfDirectors(), run_.virtual_routers);
  if (!reasons.empty() && settle_waited_ < kSettleDeadline && !stop_) {
    settle_waited_ += kHealthLook;
    Wait(Phase::kSettlingPause, kHealthLook, actions);
    return;
  }
  if (!reasons.empty()) {
    Show(Notice{"", "verified as it is, not settled in " + Seconds(settle_waited_) + ": " +
                        reasons.front()},
         actions);
  }
  BeginWave(actions);
}

void Rollout::BeginWave(Actions& actions) {
  phase_ = Phase::kRunning;
  attempted_.insert(waves_[wave_].begin(), waves_[wave_].end());
  Reach(Stage::kWork, waves_[wave_], actions);
  course_->Begin(waves_[wave_], actions);
}

// Another host of this run could take its addresses.
bool Rollout::HasHeir(const std::string& host) const {
  return std::any_of(
      run_.virtual_routers.begin(), run_.virtual_routers.end(), [&](const VirtualRouter& router) {
        return router.members.contains(host) &&
               std::any_of(router.members.begin(), router.members.end(), [&](const auto& member) {
                 const auto node = book_.nodes().find(member.first);
                 return member.first != host && !ledger_.out.contains(member.first) &&
                        node != book_.nodes().end() && node->second.begun;
               });
      });
}

// What the master's program would do is asked before anything is handed over for it.
void Rollout::StartForeseeing(Actions& actions) {
  const std::string& host = waves_[wave_].front();
  foreseen_tasks_ = course_->ActionsOf(host);
  if (foreseen_tasks_.empty()) {
    BeginWave(actions);
    return;
  }
  phase_ = Phase::kForeseeing;
  Questions questions{{host, {.tasks = foreseen_tasks_, .check = true}}};
  Reach(Stage::kForesee, questions, actions);
  book_.Ask(std::move(questions), actions);
}

void Rollout::EndForeseeing(Actions& actions) {
  const std::string& host = waves_[wave_].front();
  if (!Disturbs(foreseen_tasks_, book_.answers().at(host))) {
    BeginWave(actions);
    return;
  }
  phase_ = Phase::kHandingOver;
  HandoverTask handover;
  handover.instances = book_.at(host).ground.masters;
  handover.sync_wait = kSyncWait;
  handover.with_run = true;
  Questions questions{{host, {.tasks = {handover}}}};
  Reach(Stage::kHandover, questions, actions);
  book_.Ask(std::move(questions), actions);
}

void Rollout::EndHandingOver(Actions& actions) {
  const std::string host = waves_[wave_].front();
  if (const auto error = ErrorOf(book_.answers().at(host))) {
    const bool lost = !book_.answers().at(host);
    LoseHost(host, "cannot hand over before its changes",
             lost ? *error : Error{ErrorCode::kInternal, error->message}, actions);
    phase_ = Phase::kRunning;  // peers that wait for it need not any more
    return;
  }
  yielded_[host] = book_.at(host).ground.masters;
  Show(Notice{host, "handed over before its changes"}, actions);
  // The backup has been changed already. If it does not serve, the master is still as it was.
  behind_handover_ = true;
  StartProbe(actions);
}

// All hosts of the wave are through with what they could do.
void Rollout::EndWave(Actions& actions) {
  JudgeBatch();
  if (!fault_.empty()) {
    Conclude(actions);
  } else if (full()) {
    StartMending(actions);
  } else {
    NextWave(actions);
  }
}

// The hosts of the wave are verified.
void Rollout::AfterWave(Actions& actions) {
  Questions questions;
  for (const std::string& host : waves_[wave_]) {
    if (yielded_.contains(host) && !ledger_.out.contains(host)) {
      questions[host] = {.tasks = {HandoverTask{HandoverMove::kReturn, yielded_[host], {}}}};
    }
  }
  if (questions.empty()) {
    NextWave(actions);
    return;
  }
  phase_ = Phase::kReturning;
  Reach(Stage::kReturn, questions, actions);
  book_.Ask(std::move(questions), actions);
}

void Rollout::EndReturning(Actions& actions) {
  for (const auto& [host, answer] : book_.answers()) {
    yielded_.erase(host);
    if (const auto error = ErrorOf(answer)) {
      Show(Notice{host, "stays backup until the run has ended: " + error->message}, actions);
    }
  }
  NextWave(actions);
}

void Rollout::NextWave(Actions& actions) {
  if (wave_ + 1 < waves_.size()) {
    ++wave_;
    StartWave(actions);
  } else if (full() && play().policy.in_batches() && batch_changed_) {
    StartHold(actions);
  } else {
    NextBatch(actions);
  }
}

// One failed host takes the group back, unless the play says how many may fail. Without rollback
// the rules are Ansible's: the percentage must be exceeded, and a batch of which nobody comes
// through ends the run.
void Rollout::JudgeBatch() {
  std::vector<std::string> failed;
  for (const std::string& host : batches_[batch_]) {
    if (ledger_.out.contains(host) && !out_before_.contains(host)) {
      failed.push_back(host);
    }
  }
  if (failed.empty()) {
    return;
  }
  const PlayPolicy& policy = play().policy;
  const std::size_t all = batches_[batch_].size();
  const auto percent = 100.0 * static_cast<double>(failed.size()) / static_cast<double>(all);
  const bool too_many = policy.any_errors_fatal || (policy.in_batches() && failed.size() == all) ||
                        (policy.max_fail_percentage && percent > *policy.max_fail_percentage);
  const bool strict = full() && options_.revert && !policy.max_fail_percentage;
  if (!too_many && !strict) {
    return;
  }
  const auto tally = ledger_.tallies.find(failed.front());
  const bool lost = tally != ledger_.tallies.end() && tally->second.unreachable > 0;
  Fault(failed.front() + (lost ? " was lost" : " failed") +
        (failed.size() > 1 ? " (and " + std::to_string(failed.size() - 1) + " more)" : ""));
}

bool Rollout::IsCanary() const {
  return play().policy.update && play().policy.update->canary > 0 && batch_ == 0;
}

// A canary is looked at for a while before it is judged.
void Rollout::StartHold(Actions& actions) {
  const milliseconds hold =
      IsCanary() ? play().policy.update->hold.value_or(milliseconds(0)) : milliseconds(0);
  Wait(Phase::kHolding, hold, actions);
  if (waiting_) Reach(Stage::kHold, batches_[batch_], actions);
}

void Rollout::StartHealth(Actions& actions) {
  healthy_for_ = health_waited_ = milliseconds(0);
  asked_.clear();  // these answers are many, and none is news
  Reach(Stage::kHealth, batches_[batch_], actions);
  AskHealth(actions);
}

void Rollout::AskHealth(Actions& actions) {
  phase_ = Phase::kHealth;
  AskDirectors(actions);
}

void Rollout::AskDirectors(Actions& actions) {
  Questions questions;
  for (const auto& [host, node] : book_.nodes()) {
    const auto state = run_.states.find(host);
    const bool tells = state != run_.states.end() && state->second.needs_daemon();
    if (tells && node.begun && node.connected && !ledger_.out.contains(host)) {
      questions[host] = {.tasks = {StatusTask{}}};
    }
  }
  book_.Ask(std::move(questions), actions);
}

// What those said who could say something.
std::map<std::string, NodeStatus> Rollout::StatusesOfDirectors() const {
  std::map<std::string, NodeStatus> statuses;
  for (const auto& [host, answer] : book_.answers()) {
    const auto* status = answer ? std::get_if<NodeStatus>(&answer->detail) : nullptr;
    if (status != nullptr) statuses.emplace(host, *status);
  }
  return statuses;
}

void Rollout::EndHealth(Actions& actions) {
  const UpdatePolicy plain{.min_healthy_time = milliseconds(0), .healthy_deadline = kPlainDeadline};
  const UpdatePolicy& update = play().policy.update ? *play().policy.update : plain;
  const std::set<std::string> batch(batches_[batch_].begin(), batches_[batch_].end());
  const std::map<std::string, NodeStatus> statuses = StatusesOfDirectors();
  std::vector<std::string> reasons;
  for (const auto& [host, answer] : book_.answers()) {
    const auto error = ErrorOf(answer);
    const bool silent = !statuses.contains(host) && error;
    if (silent && batch.contains(host) && error->code != ErrorCode::kNotFound) {
      reasons.push_back(host + " says nothing of itself: " + error->message);
    }
  }
  if (statuses.empty() && reasons.empty()) {
    Show(Notice{"", "no director of this run can tell whether the batch is healthy"}, actions);
    AskOperatorBehindCanary(actions);
    return;
  }
  const auto more = NotHealthy(batch, statuses, run_.host_names);
  reasons.insert(reasons.end(), more.begin(), more.end());
  if (reasons.empty() && healthy_for_ >= update.min_healthy_time) {
    AskOperatorBehindCanary(actions);
    return;
  }
  if (!reasons.empty() && health_waited_ >= update.healthy_deadline) {
    for (const std::string& reason : reasons) {
      Show(Notice{"", "not healthy: " + reason, /*problem=*/true}, actions);
    }
    Fault("batch " + std::to_string(batch_ + 1) + " was not healthy in " +
          Seconds(update.healthy_deadline) + ": " + reasons.front());
    Conclude(actions);
    return;
  }
  healthy_for_ = reasons.empty() ? healthy_for_ + kHealthLook : milliseconds(0);
  health_waited_ += kHealthLook;
  Wait(Phase::kHealthPause, kHealthLook, actions);
}

void Rollout::AskOperatorBehindCanary(Actions& actions) {
  phase_ = Phase::kAsking;
  const bool more = batch_ + 1 < batches_.size();
  asking_ = IsCanary() && play().policy.update->hold_for_operator && more && !stop_;
  go_on_ = true;
  if (asking_) {
    Reach(Stage::kAsk, batches_[batch_], actions);
    std::string names;
    for (const std::string& host : batches_[batch_]) names += (names.empty() ? "" : ", ") + host;
    actions.emplace_back(AskOperator{"The canary is through and healthy: " + names +
                                     ". Go on with the other hosts?"});
  }
}

void Rollout::EndAsking(Actions& actions) {
  if (!go_on_) {
    Fault("the operator went no further than the canary");
    Conclude(actions);
    return;
  }
  const bool more = batch_ + 1 < batches_.size() && !stop_;
  const milliseconds stagger =
      more && play().policy.update ? play().policy.update->stagger : milliseconds(0);
  Wait(Phase::kStaggering, stagger, actions);
  if (waiting_) Reach(Stage::kStagger, batches_[batch_], actions);
}

void Rollout::Wait(Phase phase, milliseconds span, Actions& actions) {
  phase_ = phase;
  waiting_ = span > milliseconds(0);
  if (waiting_) {
    actions.emplace_back(WakeAfter{span});
  }
}

void Rollout::NextBatch(Actions& actions) {
  Reach(Stage::kBatchEnd, batches_[batch_], actions);
  if (!stop_ && batch_ + 1 < batches_.size()) {
    ++batch_;
    StartBatch(actions);
  } else {
    NextPlay(actions);
  }
}

void Rollout::NextPlay(Actions& actions) {
  const bool none_left =
      std::all_of(play().hosts.begin(), play().hosts.end(),
                  [&](const std::string& host) { return ledger_.out.contains(host); });
  // Nobody came through this play: what follows builds on it, so the run ends (as Ansible does).
  const bool over = course_->failed() && none_left;
  if (over || stop_ || play_ + 1 == run_.plays.size()) {
    Conclude(actions);
    return;
  }
  ++play_;
  StartPlay(actions);
}

}  // namespace drover
