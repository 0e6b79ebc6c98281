#include "orchestrator/run/cluster_asker.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kStatusPatience{10};  // beyond connecting
constexpr milliseconds kJoinLimit{2000};
constexpr int kSecondLooks = 3;
constexpr milliseconds kSecondLookAfter{300};

// The host is named beside it.
Error Unnamed(Error error, const std::string& host) {
  if (error.message.starts_with(host + ": ")) error.message.erase(0, host.size() + 2);
  return error;
}

}  // namespace

ClusterAsker::ClusterAsker(const CompiledRun& run, RunInfo info, SessionOpener open)
    : run_(run),
      info_(std::move(info)),
      open_(std::move(open)),
      queue_(std::make_shared<EventQueue>()) {
  info_.owner = run.owner;
  info_.playbook = run.playbook;
  info_.playbook_hash = run.playbook_hash;
}

ClusterAsker::~ClusterAsker() = default;

bool ClusterAsker::Send(const std::string& host, const TaskAction& action, bool check) {
  auto& worker = workers_[host];
  const auto connection = run_.connections.find(host);
  if (connection == run_.connections.end()) {
    return false;
  }
  try {
    if (!worker) {
      worker = std::make_unique<HostWorker>(connection->second, open_, queue_);
    }
  } catch (const std::system_error&) {
    return false;
  }
  Task task;
  task.id = asked_[host] = ++last_task_;
  task.name = "ask";
  task.action = action;
  task.check = check;
  worker->Send(Program{.run = info_, .tasks = {std::move(task)}});
  return true;
}

std::map<std::string, Result<TaskResult>> ClusterAsker::Ask(
    const std::map<std::string, TaskAction>& tasks, milliseconds patience, bool check) {
  std::map<std::string, Result<TaskResult>> answers;
  std::size_t open = 0;
  milliseconds connecting{0};
  for (const auto& [host, action] : tasks) {
    const bool fresh = !workers_[host];
    if (fresh) {
      const auto connection = run_.connections.find(host);
      if (connection != run_.connections.end()) {
        connecting = std::max(connecting, 3 * connection->second.connect_timeout);
      }
    }
    if (Send(host, action, check)) {
      ++open;
    } else {
      answers.emplace(host, Fail(ErrorCode::kInternal, "no way to this host"));
    }
  }
  const auto deadline = Clock::now() + patience + connecting;
  const auto answer = [&](const std::string& host, Result<TaskResult> result) {
    if (tasks.contains(host) && answers.emplace(host, std::move(result)).second) {
      --open;
    }
  };
  while (open > 0 && !interrupted_) {
    const auto event = queue_->PopUntil(deadline);
    if (!event) {
      break;
    }
    if (const auto* lost = std::get_if<HostLost>(&*event)) {
      workers_[lost->host].reset();  // a new one connects again
      answer(lost->host, Fail(Unnamed(lost->error, lost->host)));
    } else if (const auto* spoke = std::get_if<HostSpoke>(&*event)) {
      if (const auto* result = std::get_if<TaskResult>(&spoke->event)) {
        // Not the late answer to an earlier question.
        if (result->task == asked_[spoke->host]) {
          answer(spoke->host, *result);
        }
      } else if (const auto* error = std::get_if<SessionError>(&spoke->event)) {
        workers_[spoke->host].reset();
        answer(spoke->host, Fail(Unnamed(error->error, spoke->host)));
      }
    }
  }
  for (const auto& [host, action] : tasks) {
    if (answers.contains(host)) {
      continue;
    }
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(patience + connecting);
    answers.emplace(host,
                    Fail(ErrorCode::kTimeout,
                         interrupted_ ? "interrupted"
                                      : "no answer in " + std::to_string(waited.count()) + " s"));
  }
  return answers;
}

ClusterStatus ClusterAsker::AskStatus() {
  std::set<std::string> hosts;
  for (const auto& [host, connection] : run_.connections) {
    const auto state = run_.states.find(host);
    if (state != run_.states.end() && !state->second.empty()) {
      hosts.insert(host);
    }
  }
  return AskStatus(hosts);
}

ClusterStatus ClusterAsker::AskStatus(const std::set<std::string>& hosts) {
  std::map<std::string, TaskAction> tasks;
  for (const std::string& host : hosts) {
    tasks.emplace(host, StatusTask{});
  }
  ClusterStatus cluster;
  for (auto& [host, answer] : Ask(tasks, kStatusPatience)) {
    HostStatus one;
    one.host = host;
    one.needs_daemon = run_.states.at(host).needs_daemon();
    if (!answer) {
      one.error = answer.error();
    } else if (auto* status = std::get_if<NodeStatus>(&answer->detail)) {
      one.status = std::move(*status);
    } else {
      one.error = Error{answer->code.value_or(ErrorCode::kInternal), answer->message};
    }
    cluster.hosts.push_back(std::move(one));
  }
  return cluster;
}

ClusterStatus ClusterAsker::LookTwice() {
  ClusterStatus cluster = AskStatus();
  for (int i = 0; i < kSecondLooks && OwnersAreOdd(cluster) && !interrupted_; ++i) {
    Pause(kSecondLookAfter);
    cluster = AskStatus();
  }
  return cluster;
}

void ClusterAsker::Interrupt() {
  interrupted_ = true;
  queue_->Push(StopAsked{});
}

void ClusterAsker::Pause(milliseconds span) {
  const auto deadline = Clock::now() + span;
  while (!interrupted_ && queue_->PopUntil(deadline)) {
  }
}

bool ClusterAsker::Close() {
  bool all = true;
  for (auto& [host, worker] : workers_) {
    if (worker) {
      worker->Close();
    }
  }
  for (auto& [host, worker] : workers_) {
    all = (!worker || worker->Join(kJoinLimit)) && all;
  }
  workers_.clear();
  return all;
}

}  // namespace drover
