#include "orchestrator/rollout/play_course.h"

#include <algorithm>
#include <utility>

namespace drover {
namespace {

const Task& TaskOf(const HostTask& host_task) { return std::get<Task>(host_task.action); }

bool FailedWithChange(const TaskResult& result, const HostTask* host_task) {
  if (!result.changes.empty()) {
    return true;
  }
  // A command that ran and failed may have changed anything.
  if (host_task == nullptr || !std::holds_alternative<CommandOutcome>(result.detail)) {
    return false;
  }
  const auto* command = std::get_if<CommandTask>(&TaskOf(*host_task).action);
  return command != nullptr && command->reports_change;
}

}  // namespace

PlayCourse::PlayCourse(const CompiledRun& run, const RolloutOptions& options, std::size_t play,
                       const std::vector<std::string>& hosts, RunLedger& ledger)
    : run_(run),
      options_(options),
      play_(play),
      ledger_(ledger),
      order_(run.plays[play], play, hosts),
      hosts_(hosts) {
  for (const std::string& host : hosts_) {
    states_[host].slots = SlotsOf(host);
  }
}

void PlayCourse::Start(Actions& actions) {
  Append(order_.Start(), actions);
  // What is skipped at the start of a host's play is known before its turn comes.
  for (const std::string& host : hosts_) {
    ShowSkips(host, states_.at(host), actions);
  }
}

void PlayCourse::Begin(const std::vector<std::string>& hosts, Actions& actions) {
  waiting_.insert(waiting_.end(), hosts.begin(), hosts.end());
  StartHosts(actions);
}

void PlayCourse::MoveOn(Actions& actions) {
  if (stopping_) {
    return;
  }
  StartHosts(actions);
  ReleaseHeld(actions);
}

void PlayCourse::Heard(const std::string& host, const Event& event, Actions& actions) {
  const auto state = states_.find(host);
  if (state == states_.end() || !state->second.in_flight) {
    return;  // the host is out; its helper is still talking
  }
  std::visit([&](const auto& e) { On(host, e, actions); }, event);
}

void PlayCourse::Lost(const std::string& host, const Error& error, Actions& actions) {
  const auto state = states_.find(host);
  if (state == states_.end() || !state->second.in_flight) {
    return;
  }
  FailHost(host, error, IsUnreachable(error), actions);
}

void PlayCourse::Fail(const std::string& host, const Error& error, Actions& actions) {
  if (const auto state = states_.find(host); state != states_.end()) {
    FailHost(host, error, IsUnreachable(error), actions);
  }
}

std::vector<TaskAction> PlayCourse::ActionsOf(const std::string& host) const {
  std::vector<TaskAction> tasks;
  for (const Slot& slot : states_.at(host).slots) {
    if (!IsSkip(slot) && !slot.host_task->expectation) {
      tasks.push_back(TaskOf(*slot.host_task).action);
    }
  }
  return tasks;
}

bool PlayCourse::Verifies(const std::vector<std::string>& hosts) const {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    const std::vector<Slot>& slots = states_.at(host).slots;
    return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) {
      return !IsSkip(slot) && slot.host_task->expectation;
    });
  });
}

void PlayCourse::LeaveOutRest(Actions& actions) {
  for (const auto& [host, state] : states_) {
    if (!state.in_flight && state.next < state.slots.size()) {
      Append(order_.HostIsOut(host), actions);
    }
  }
}

void PlayCourse::Stop(Actions& actions) {
  stopping_ = true;
  for (auto& [host, state] : states_) {
    if (state.holds || (state.in_flight && !state.task_at_work)) {
      LeaveMidway(host, state, actions);
    }
  }
}

void PlayCourse::Abort(Actions& actions) {
  stopping_ = true;
  for (auto& [host, state] : states_) {
    if (state.in_flight || state.holds) {
      LeaveMidway(host, state, actions);
    }
  }
}

void PlayCourse::On(const std::string& /*host*/, const Hello& /*hello*/, Actions& /*actions*/) {}

void PlayCourse::On(const std::string& host, const TaskStarted& /*started*/, Actions& actions) {
  HostState& state = states_.at(host);
  state.task_at_work = true;
  if (state.next < state.program_end) {
    const Slot& slot = state.slots[state.next];
    actions.emplace_back(
        Shown(TaskAtWork{{.play = play_, .task = slot.task, .item = slot.item, .host = host}}));
  }
}

void PlayCourse::On(const std::string& host, const TaskResult& result, Actions& actions) {
  HostState& state = states_.at(host);
  const bool expected = state.next < state.program_end && state.next < state.slots.size() &&
                        !IsSkip(state.slots[state.next]) &&
                        TaskOf(*state.slots[state.next].host_task).id == result.task;
  if (!expected) {
    const std::string what = "the helper sent a result for task " + std::to_string(result.task) +
                             ", which is not the one at work";
    FailHost(host, Error{ErrorCode::kInternal, what}, /*unreachable=*/false, actions);
    actions.emplace_back(AbortHost{host});
    return;
  }
  state.task_at_work = false;
  const Slot& slot = state.slots[state.next];
  HostResult shown;
  shown.result = result;
  const auto* outcome = std::get_if<ProbeOutcome>(&result.detail);
  if (slot.host_task->expectation && outcome != nullptr) {
    shown.verify = Judge(*slot.host_task->expectation, *outcome);
    if (!shown.verify->ok() && result.status != TaskStatus::kFailed) {
      const std::size_t count = shown.verify->findings.size();
      shown.result.status = TaskStatus::kFailed;
      shown.result.message = shown.verify->findings.front().message;
      if (count > 1) {
        shown.result.message += " (and " + std::to_string(count - 1) + " more)";
      }
    }
  }
  Record(host, state, std::move(shown), /*fatal=*/false, actions);
  if (stopping_ && state.in_flight && state.next < state.slots.size()) {
    LeaveMidway(host, state, actions);
  }
}

void PlayCourse::On(const std::string& host, const ProgramDone& /*done*/, Actions& actions) {
  HostState& state = states_.at(host);
  if (state.next < state.program_end) {
    const Error error{ErrorCode::kInternal, "the helper ended the program before this task"};
    FailHost(host, error, /*unreachable=*/false, actions);
    return;
  }
  state.in_flight = false;
  --in_flight_;
  if (!stopping_) {
    SendNextProgram(host, state, actions);
  } else if (state.next < state.slots.size()) {
    LeaveMidway(host, state, actions);
  }
}

void PlayCourse::On(const std::string& host, const SessionError& error, Actions& actions) {
  FailHost(host, error.error, error.error.code == ErrorCode::kUnreachable, actions);
}

void PlayCourse::StartHosts(Actions& actions) {
  while (!waiting_.empty() && in_flight_ < options_.forks) {
    const std::string host = waiting_.front();
    waiting_.pop_front();
    SendNextProgram(host, states_.at(host), actions);
  }
}

// Those whose peers are out, or have done all that comes before the settling.
void PlayCourse::ReleaseHeld(Actions& actions) {
  for (auto& [host, state] : states_) {
    if (in_flight_ < options_.forks && state.holds && PeersAreThrough(host)) {
      state.holds = false;
      SendNextProgram(host, state, actions);
    }
  }
}

bool PlayCourse::Shares(const std::string& host) const {
  return std::any_of(run_.virtual_routers.begin(), run_.virtual_routers.end(),
                     [&](const VirtualRouter& router) {
                       return router.members.size() > 1 && router.members.contains(host);
                     });
}

bool PlayCourse::PeersAreThrough(const std::string& host) const {
  const auto through = [&](const std::string& peer) {
    const auto found = states_.find(peer);
    if (found == states_.end() || peer == host || ledger_.out.contains(peer)) {
      return true;
    }
    const std::vector<Slot>& slots = found->second.slots;
    const auto settling = std::find_if(slots.begin(), slots.end(), IsSettling);
    return found->second.next >= static_cast<std::size_t>(settling - slots.begin());
  };
  return std::all_of(
      run_.virtual_routers.begin(), run_.virtual_routers.end(), [&](const VirtualRouter& router) {
        return !router.members.contains(host) ||
               std::all_of(router.members.begin(), router.members.end(),
                           [&](const auto& member) { return through(member.first); });
      });
}

// The instances whose other hosts did not all take what this run brings.
std::vector<std::string> PlayCourse::UnsettledOf(const std::string& host) const {
  std::vector<std::string> unsettled;
  for (const VirtualRouter& router : run_.virtual_routers) {
    const auto own = router.members.find(host);
    const bool behind =
        std::any_of(router.members.begin(), router.members.end(), [&](const auto& member) {
          return member.first != host &&
                 (ledger_.out.contains(member.first) || ledger_.behind.contains(member.first) ||
                  router.left_out.contains(member.first));
        });
    if (own != router.members.end() && behind) {
      unsettled.push_back(own->second);
    }
  }
  return unsettled;
}

// All that is to be done up to the next verify task or settling; nothing when only skips are left.
void PlayCourse::SendNextProgram(const std::string& host, HostState& state, Actions& actions) {
  Program program{.run = options_.run, .tasks = {}};
  std::size_t end = state.next;
  for (; end < state.slots.size(); ++end) {
    if (IsSkip(state.slots[end])) {
      continue;
    }
    Task task = TaskOf(*state.slots[end].host_task);
    if (auto* prune = std::get_if<PruneTask>(&task.action); prune != nullptr && Shares(host)) {
      if (!program.tasks.empty()) {
        break;
      }
      if (!PeersAreThrough(host)) {
        state.holds = true;
        return;
      }
      prune->unsettled = UnsettledOf(host);
    }
    if (task.timeout.count() == 0) {
      task.timeout = options_.task_timeout;
    }
    program.tasks.push_back(std::move(task));
    if (state.slots[end].host_task->expectation) {
      ++end;
      break;
    }
  }
  if (program.tasks.empty()) {
    actions.emplace_back(Shown(HostThrough{host}));
    return;
  }
  state.program_end = end;
  state.in_flight = true;
  state.task_at_work = false;
  ++in_flight_;
  actions.emplace_back(SendProgram{host, std::move(program)});
}

void PlayCourse::ShowSkips(const std::string& host, HostState& state, Actions& actions) {
  while (!ledger_.out.contains(host) && state.next < state.slots.size() &&
         IsSkip(state.slots[state.next])) {
    const Slot& slot = state.slots[state.next];
    HostResult shown;
    shown.result.status = TaskStatus::kSkipped;
    shown.result.message = slot.host_task == nullptr
                               ? "No items in the list"
                               : std::get<std::string>(slot.host_task->action);
    Record(host, state, std::move(shown), /*fatal=*/false, actions);
  }
}

// Takes the result of the slot at `state.next` and what follows from it.
void PlayCourse::Record(const std::string& host, HostState& state, HostResult result, bool fatal,
                        Actions& actions) {
  const std::size_t at = std::min(state.next, state.slots.size() - 1);
  const Slot& slot = state.slots[at];
  const bool skip = IsSkip(slot);
  const bool failed = result.result.status == TaskStatus::kFailed;
  result.place = {.play = play_, .task = slot.task, .item = slot.item, .host = host};
  result.ignored = failed && !fatal && !skip && TaskOf(*slot.host_task).ignore_errors;
  const bool out = failed && !result.ignored;
  if (failed && !skip && std::holds_alternative<ConvergeTask>(TaskOf(*slot.host_task).action)) {
    ledger_.behind.insert(host);
  }
  result.last = slot.last || out;
  state.any_ran |= result.result.status != TaskStatus::kSkipped;
  state.any_ignored |= result.ignored;
  state.any_changed |= result.result.status == TaskStatus::kChanged ||
                       (failed && !skip && FailedWithChange(result.result, slot.host_task));
  result.all_skipped = result.last && !state.any_ran;
  state.next = at + 1;
  if (result.last) {
    // Of a loop, "ignored" is said once, behind its last item.
    result.ignored = state.any_ignored && !out;
    Count(result, state);
    state.any_ran = state.any_changed = state.any_ignored = false;
  }
  Append(order_.Add(std::move(result)), actions);
  if (out) {
    TakeOut(host, actions);
    return;
  }
  if (!skip) {
    ShowSkips(host, state, actions);
  }
}

void PlayCourse::Count(const HostResult& result, const HostState& state) {
  Tally& tally = ledger_.tallies[result.place.host];
  if (result.unreachable) {
    ++tally.unreachable;
    return;
  }
  if (result.result.status == TaskStatus::kFailed && !result.ignored) {
    ++tally.failed;
    return;
  }
  if (run_.plays[result.place.play].tasks[result.place.task].implicit && !state.any_changed) {
    return;
  }
  if (!state.any_ran) {
    ++tally.skipped;
    return;
  }
  ++tally.ok;
  tally.changed += state.any_changed ? 1 : 0;
  tally.ignored += result.ignored ? 1 : 0;
}

// The host itself failed: shown as the result of the task that it was at.
void PlayCourse::FailHost(const std::string& host, const Error& error, bool unreachable,
                          Actions& actions) {
  HostState& state = states_.at(host);
  HostResult shown;
  shown.unreachable = unreachable;
  shown.result.status = TaskStatus::kFailed;
  shown.result.message = error.message;
  shown.result.code = error.code;
  const std::size_t at = std::min(state.next, state.slots.size() - 1);
  if (!IsSkip(state.slots[at])) {
    shown.result.task = TaskOf(*state.slots[at].host_task).id;
  }
  state.any_ran = true;
  // ignore_errors is about the task, not about the session: fatal.
  Record(host, state, std::move(shown), /*fatal=*/true, actions);
}

void PlayCourse::TakeOut(const std::string& host, Actions& actions) {
  failed_ = true;
  ledger_.out.insert(host);
  actions.emplace_back(Shown(HostThrough{host, /*failed=*/true}));
  HostState& state = states_.at(host);
  if (state.in_flight) {
    state.in_flight = false;
    --in_flight_;
    // A transaction still has words for it.
    if (options_.transaction != TransactionMode::kFull) {
      actions.emplace_back(CloseHost{host});
    }
  }
  Append(order_.HostIsOut(host), actions);
}

void PlayCourse::LeaveMidway(const std::string& host, HostState& state, Actions& actions) {
  if (state.next < state.slots.size()) {
    const Slot& slot = state.slots[state.next];
    ledger_.left_midway.push_back(
        {.host = host, .task = play().tasks[slot.task].name, .started = state.task_at_work});
  }
  state.holds = false;
  if (state.in_flight) {
    state.in_flight = false;
    --in_flight_;
    actions.emplace_back(AbortHost{host});
  }
}

std::vector<PlayCourse::Slot> PlayCourse::SlotsOf(const std::string& host) const {
  std::vector<Slot> slots;
  for (std::size_t task = 0; task < play().tasks.size(); ++task) {
    const auto found = play().tasks[task].hosts.find(host);
    if (found == play().tasks[task].hosts.end()) {
      continue;
    }
    if (found->second.empty()) {
      slots.push_back({.task = task});
    }
    for (std::size_t item = 0; item < found->second.size(); ++item) {
      slots.push_back({.task = task,
                       .item = item,
                       .last = item + 1 == found->second.size(),
                       .host_task = &found->second[item]});
    }
  }
  return slots;
}

bool PlayCourse::IsSkip(const Slot& slot) {
  return slot.host_task == nullptr || std::holds_alternative<std::string>(slot.host_task->action);
}

bool PlayCourse::IsSettling(const Slot& slot) {
  return !IsSkip(slot) && std::holds_alternative<PruneTask>(TaskOf(*slot.host_task).action);
}

void PlayCourse::Append(std::vector<Shown> shown, Actions& actions) {
  for (Shown& one : shown) {
    actions.emplace_back(std::move(one));
  }
}

}  // namespace drover
