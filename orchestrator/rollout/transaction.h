// A run as one transaction over its hosts: what each host stands at, and the tasks that begin,
// renew, confirm and take back. They go out in rounds: one program to several hosts at once, over
// when every host has answered or is lost.
//
// Pure. When which round comes is rollout.h's business.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/rollout/run_end.h"
#include "orchestrator/rollout/run_events.h"

namespace drover {

class Transaction {
 public:
  // What a host stands at.
  struct Node {
    bool connected = false;         // as far as we know
    bool connected_before = false;  // when RememberConnections was called
    bool busy = false;              // a program is at work
    bool begun = false;             // it answered a BeginTask of this run
    bool armed = false;             // it goes back unless it is confirmed
    bool unsure = false;            // lost at work: it may be armed
    bool dirty = false;             // changed since its last BeginTask over a new connection
    NodeGround ground;
  };
  // What a host is asked in a round.
  struct Question {
    std::vector<TaskAction> tasks;
    bool fresh = false;  // over a new connection
    bool check = false;  // say what they would change; all changes are in the answer
  };
  using Answers = std::map<std::string, Result<TaskResult>>;

  // `options` must outlive the transaction.
  explicit Transaction(const RolloutOptions& options) : options_(options) {}

  // Starts a round; the one before must be over or is given up.
  void Ask(std::map<std::string, Question> questions, RolloutActions& actions);
  // Asks those for whom there is a fork now.
  void MoveOn(RolloutActions& actions);
  [[nodiscard]] bool round_is_over() const { return open_.empty() && waiting_.empty(); }
  // Of the last round, by host: the last task's result, or why there is none.
  [[nodiscard]] const Answers& answers() const { return answers_; }
  // No answer is waited for any more.
  void GiveUpRound();

  // Keep the book up to date. True: it was about the round and concerns nobody else.
  bool Takes(const HostSpoke& event);
  bool Takes(const HostLost& event);
  // Of what is sent to hosts or taken from them by others.
  void Note(const RolloutActions& actions);

  void RememberConnections();
  // A BeginTask with this run's lease; `take_over` as there.
  [[nodiscard]] BeginTask BeginFor(const std::string& host, const std::string& take_over) const;

  Node& at(const std::string& host) { return nodes_[host]; }
  [[nodiscard]] const std::map<std::string, Node>& nodes() const { return nodes_; }
  // A program is at work somewhere; that of a failed host may still have to say whether it is
  // armed.
  [[nodiscard]] bool any_busy() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const auto& entry) { return entry.second.busy; });
  }
  // Hosts for which `is` holds.
  template <typename Is>
  [[nodiscard]] std::vector<std::string> Where(const Is& is) const {
    std::vector<std::string> hosts;
    for (const auto& [host, node] : nodes_) {
      if (is(node)) hosts.push_back(host);
    }
    return hosts;
  }

 private:
  void Answer(const std::string& host, Result<TaskResult> answer);

  // A host's answer in the making.
  struct Open {
    std::uint32_t first = 0;  // ids of the tasks
    std::uint32_t last = 0;
    std::optional<TaskResult> result;
  };

  const RolloutOptions& options_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, Question> waiting_;
  std::map<std::string, Open> open_;
  Answers answers_;
  std::uint32_t last_id_ = 0;
};

}  // namespace drover
