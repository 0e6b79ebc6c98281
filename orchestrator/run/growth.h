// What `drover add`, `drover remove` and `drover replace` have in common: a playbook that was
// prepared, directors to be told, runs over some hosts, lines for the operator.
//
// Called from one thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/run/carry_out.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/drainer.h"
#include "orchestrator/run/prepare.h"

namespace drover {

// The playbook without `hosts`, for `directors` alone. Behind its plays `leaving` (connected to as
// `prepared` says) give back what Drover made there for this playbook.
Parsed<CompiledRun> RunWithout(const Prepared& prepared, const std::vector<std::string>& hosts,
                               const std::set<std::string>& directors,
                               const std::vector<std::string>& leaving);

class Growth {
 public:
  // `line` must outlive it.
  Growth(const CommandLine& line, Prepared prepared, std::string reason);

  [[nodiscard]] const CommandLine& line() const { return line_; }
  [[nodiscard]] const Prepared& prepared() const { return prepared_; }
  [[nodiscard]] const std::vector<DrainOrder>& orders() const { return orders_; }
  [[nodiscard]] std::set<std::string> directors() const { return DirectorsOf(orders_); }
  [[nodiscard]] std::set<IpAddress> addresses() const { return AddressesOf(orders_); }
  // The services of every director, as the playbook wants them.
  [[nodiscard]] std::map<std::string, std::vector<VirtualService>> wanted() const;
  void Use(Prepared prepared) { prepared_ = std::move(prepared); }

  // Who is to be told what about `hosts`, kept in orders(). An error is shown and gives the status.
  std::optional<int> Order(const std::vector<std::string>& hosts);
  // Lets `work` ask all hosts of the playbook.
  int Talk(const std::function<int(ClusterAsker& asker, Drainer& drainer)>& work);
  // Changes hosts; the status.
  int CarryOut(const CompiledRun& run);
  // The same with RunWithout.
  int CarryOutWithout(const std::vector<std::string>& hosts,
                      const std::vector<std::string>& leaving);

  // The directors end the maintenance; the status.
  int Release();
  void Say(const std::string& text) const;
  // Ends the process when a thread is still inside a connection attempt.
  [[nodiscard]] int End(int status) const;

 private:
  const CommandLine& line_;
  Prepared prepared_;
  std::string reason_;  // "add", "remove"
  std::vector<DrainOrder> orders_;
  bool thread_left_behind_ = false;
};

// From the command line to the end of the process; `work` gives the status.
int RunGrowth(const std::string& name, const std::string& help,
              const std::vector<std::string>& arguments,
              const std::function<int(Growth& growth)>& work);

// The courses of add and remove, for the hosts of the growth's command line; the status.
int AddServers(Growth& growth);
int RemoveServers(Growth& growth);
// What speaks against a removal whoever else serves, before anything is touched. An error is shown
// and gives the status.
std::optional<int> CannotRemove(Growth& growth);

// "rs4, rs5".
std::string Listed(const std::vector<std::string>& words);
// What an error of a host means for the shell.
int StatusOf(const Error& error);

}  // namespace drover
