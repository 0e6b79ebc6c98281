// Builds small compiled runs for tests: plays, tasks and hosts by name.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/compile/compiled_run.h"

namespace drover {

// A run under construction; ids of tasks count from 1 in the order of building.
class RunBuilder {
 public:
  RunBuilder() {
    run_.playbook = "site.yml";
    run_.owner = "site";
  }
  RunBuilder& Play(std::string name, std::vector<std::string> hosts) {
    CompiledPlay play;
    play.name = std::move(name);
    play.hosts = std::move(hosts);
    run_.plays.push_back(std::move(play));
    return *this;
  }
  RunBuilder& Policy(PlayPolicy policy) {
    run_.plays.back().policy = std::move(policy);
    return *this;
  }
  // A task for every host of the play.
  RunBuilder& Task(const std::string& name) {
    StartTask(name);
    for (const std::string& host : run_.plays.back().hosts) {
      Do(host);
    }
    return *this;
  }
  // A task without hosts; Do, Skip and Verify give them.
  RunBuilder& StartTask(const std::string& name) {
    CompiledTask task;
    task.name = name;
    task.module = "command";
    run_.plays.back().tasks.push_back(std::move(task));
    return *this;
  }
  RunBuilder& Implicit() {
    last().implicit = true;
    return *this;
  }
  RunBuilder& Secret() {
    last().secret = true;
    for (auto& [host, items] : last().hosts) {
      for (HostTask& item : items) {
        std::get<drover::Task>(item.action).secret = true;
      }
    }
    return *this;
  }
  RunBuilder& Do(const std::string& host, const std::string& item = "",
                 bool ignore_errors = false) {
    drover::Task task;
    task.id = ++id_;
    task.name = last().name;
    CommandTask command;
    command.argv = {"true"};
    task.action = command;
    task.ignore_errors = ignore_errors;
    HostTask host_task;
    host_task.item = item;
    host_task.action = std::move(task);
    last().hosts[host].push_back(std::move(host_task));
    return *this;
  }
  RunBuilder& Skip(const std::string& host, const std::string& item = "") {
    HostTask host_task;
    host_task.item = item;
    host_task.action = std::string("Conditional result was False");
    last().hosts[host].push_back(std::move(host_task));
    return *this;
  }
  RunBuilder& Verify(const std::string& host, VerifyExpectation expectation) {
    Do(host);
    HostTask& host_task = last().hosts[host].back();
    std::get<drover::Task>(host_task.action).action = ProbeTask{};
    host_task.expectation = std::move(expectation);
    return *this;
  }
  // The task that ends a play for all its hosts.
  RunBuilder& Settle() {
    Task("settle").Implicit();
    for (auto& [host, items] : last().hosts) {
      std::get<drover::Task>(items.front().action).action = PruneTask{};
    }
    return *this;
  }
  // Hosts that share VRRP instance "web"; `left_out` are not touched by this run.
  RunBuilder& Share(const std::vector<std::string>& hosts, std::set<std::string> left_out = {}) {
    VirtualRouter router;
    for (const std::string& host : hosts) router.members[host] = "web";
    router.left_out = std::move(left_out);
    run_.virtual_routers.push_back(std::move(router));
    return *this;
  }
  [[nodiscard]] CompiledTask& last() { return run_.plays.back().tasks.back(); }
  [[nodiscard]] CompiledRun Build() const { return run_; }

 private:
  CompiledRun run_;
  std::uint32_t id_ = 0;
};

}  // namespace drover
