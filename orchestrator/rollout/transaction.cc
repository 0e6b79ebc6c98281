#include "orchestrator/rollout/transaction.h"

#include <algorithm>
#include <utility>

namespace drover {
namespace {

// Ids of our own tasks, above those of any playbook.
constexpr std::uint32_t kFirstId = 0x40000000;

bool MayHaveChanged(const TaskResult& result) {
  return result.status == TaskStatus::kChanged || result.status == TaskStatus::kFailed ||
         !result.changes.empty();
}

bool IsLast(const Event& event) {
  return std::holds_alternative<ProgramDone>(event) || std::holds_alternative<SessionError>(event);
}

}  // namespace

void Transaction::Ask(std::map<std::string, Question> questions, RolloutActions& actions) {
  answers_.clear();
  open_.clear();
  waiting_ = std::move(questions);
  MoveOn(actions);
}

void Transaction::MoveOn(RolloutActions& actions) {
  while (!waiting_.empty() && open_.size() < options_.forks) {
    const auto next = waiting_.extract(waiting_.begin());
    Program program{.run = options_.run, .tasks = {}};
    Open open;
    open.first = kFirstId + last_id_;
    for (const TaskAction& action : next.mapped().tasks) {
      Task task;
      task.id = open.last = kFirstId + last_id_++;
      task.name = "transaction";
      task.action = action;
      task.check = next.mapped().check || options_.transaction == TransactionMode::kLook;
      // Whether a master may return is not worth more than what comes behind it.
      task.ignore_errors = std::holds_alternative<HandoverTask>(action);
      program.tasks.push_back(std::move(task));
    }
    open_[next.key()] = open;
    actions.emplace_back(SendProgram{next.key(), std::move(program), next.mapped().fresh});
  }
}

void Transaction::GiveUpRound() {
  waiting_.clear();
  for (const auto& [host, open] : std::exchange(open_, {})) {
    answers_.emplace(host, Fail(ErrorCode::kTimeout, "no longer waited for"));
  }
}

void Transaction::Answer(const std::string& host, Result<TaskResult> answer) {
  open_.erase(host);
  answers_.insert_or_assign(host, std::move(answer));
}

bool Transaction::Takes(const HostSpoke& event) {
  Node& node = nodes_[event.host];
  node.connected = true;
  const auto open = open_.find(event.host);
  const auto* result = std::get_if<TaskResult>(&event.event);
  const auto* done = std::get_if<ProgramDone>(&event.event);
  const auto* error = std::get_if<SessionError>(&event.event);
  if (done != nullptr) node.armed |= done->armed;
  if (error != nullptr) node.connected = false;
  if (IsLast(event.event)) node.busy = false;
  if (open == open_.end()) {
    if (result != nullptr) node.dirty |= MayHaveChanged(*result);
    // The helper ended in the middle of a program.
    node.unsure |= error != nullptr && node.begun;
    return false;
  }
  if (result != nullptr && result->task >= open->second.first &&
      result->task <= open->second.last) {
    TaskResult sum = *result;
    if (sum.status == TaskStatus::kChanged && sum.changes.empty()) {
      sum.changes.push_back({"change", "the host", "", "", ""});
    }
    if (open->second.result) {
      const auto& before = open->second.result->changes;
      sum.changes.insert(sum.changes.begin(), before.begin(), before.end());
    }
    open->second.result = std::move(sum);
  } else if (error != nullptr) {
    Answer(event.host, Fail(error->error));
  } else if (done != nullptr) {
    Result<TaskResult> answer = Fail(ErrorCode::kInternal, "the helper gave no answer");
    if (open->second.result) answer = *std::move(open->second.result);
    Answer(event.host, std::move(answer));
  }
  return true;
}

bool Transaction::Takes(const HostLost& event) {
  Node& node = nodes_[event.host];
  node.unsure |= node.busy && node.begun && !open_.contains(event.host);
  node.connected = false;
  node.busy = false;
  if (!open_.contains(event.host)) return false;
  Answer(event.host, Fail(event.error));
  return true;
}

void Transaction::Note(const RolloutActions& actions) {
  for (const RolloutAction& action : actions) {
    if (const auto* send = std::get_if<SendProgram>(&action)) {
      nodes_[send->host].busy = true;
    } else if (const auto* abort = std::get_if<AbortHost>(&action)) {
      Node& node = nodes_[abort->host];
      node.unsure |= node.busy && node.begun;
      node.connected = node.busy = false;
    }
  }
}

void Transaction::RememberConnections() {
  for (auto& [host, node] : nodes_) node.connected_before = node.connected;
}

BeginTask Transaction::BeginFor(const std::string& host, const std::string& take_over) const {
  BeginTask begin;
  begin.lease = options_.lease;
  begin.revert = options_.revert;
  begin.take_over = take_over;
  const auto node = nodes_.find(host);
  const bool first = node == nodes_.end() || !node->second.begun;
  if (const auto digest = options_.expected_digests.find(host);
      first && digest != options_.expected_digests.end()) {
    begin.expected_digest = digest->second;
  }
  return begin;
}

}  // namespace drover
