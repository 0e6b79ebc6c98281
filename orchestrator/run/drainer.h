// Keeps new connections from hosts, tells all directors of it or none, and waits until what is open
// has ended. What maintenance, add and remove have in common.
//
// Called from one thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cluster/drain.h"
#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/run/cluster_asker.h"

namespace drover {

// A host, and the directors that are to be told. A director is told about itself.
struct DrainOrder {
  Maintenance maintenance;
  std::set<std::string> directors;
};

// How a wait for the end of connections ended.
struct Drained {
  bool all = false;
  std::vector<OpenFlows> left;
};

// What `who` asks for. kNotFound: the playbook has no such host.
Result<DrainOrder> OrderFor(const CompiledRun& run, const RunInfo& who, const std::string& host,
                            const std::string& reason);
std::set<IpAddress> AddressesOf(const std::vector<DrainOrder>& orders);
std::set<std::string> DirectorsOf(const std::vector<DrainOrder>& orders);

class Drainer {
 public:
  // `say` gets lines for the operator; `run` and `asker` must outlive it.
  Drainer(const CompiledRun& run, ClusterAsker& asker,
          std::function<void(const std::string& line)> say);

  // The directors of all orders, as they are now. Those that are silent are named in the error.
  Result<ClusterStatus> AskDirectors(const std::vector<DrainOrder>& orders, bool ignore_silent);
  // What services would be left with too little, one sentence each.
  [[nodiscard]] std::vector<std::string> LeftWithout(const std::vector<DrainOrder>& orders,
                                                     const ClusterStatus& cluster) const;

  // All directors of all orders, or none: those that took it give it back when one fails. `before`
  // says who can be told and what was there. The answer: hosts that something changed for.
  Result<std::set<std::string>> Turn(bool on, const std::vector<DrainOrder>& orders,
                                     const ClusterStatus& before, bool check = false);

  // Everything about the hosts of `orders` as it was, also after an interrupt.
  void PutBack(const std::vector<DrainOrder>& orders, const ClusterStatus& before);

  // Waits until nothing is open to the hosts of `orders`, and shows how it falls.
  Drained Await(const std::vector<DrainOrder>& orders, std::chrono::milliseconds patience);

 private:
  struct Told {
    DrainOrder order;
    std::string director;
  };
  Status TurnOne(bool on, const DrainOrder& order, const ClusterStatus& before, bool check,
                 std::vector<Told>& told);
  void TakeBack(bool on, const std::vector<Told>& told, const ClusterStatus& before);

  const CompiledRun& run_;
  ClusterAsker& asker_;
  std::function<void(const std::string&)> say_;
};

}  // namespace drover
