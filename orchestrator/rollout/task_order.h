// Turns the streams of results of many hosts, each at its own pace, into the order that Ansible
// shows: a task's banner once, under it the results of all hosts as they arrive, then the next.
//
// Pure. Results of the front task pass at once; those of later tasks wait.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"

namespace drover {

// The order of one play.
class TaskOrder {
 public:
  // `play` must outlive the order; `hosts` are those that take part.
  TaskOrder(const CompiledPlay& play, std::size_t index, const std::vector<std::string>& hosts);

  // Shows the first banner.
  std::vector<Shown> Start();
  // A result; those of one host come in the order of its tasks. A failure that is not ignored takes
  // the host out.
  std::vector<Shown> Add(HostResult result);
  // No more results will come from this host.
  std::vector<Shown> HostIsOut(const std::string& host);

 private:
  [[nodiscard]] std::size_t NextTaskOf(const std::string& host, std::size_t from) const;
  [[nodiscard]] bool Concerns(std::size_t task) const;
  void Emit(HostResult result, std::vector<Shown>& shown);
  void MoveFront(std::vector<Shown>& shown);
  void MoveHost(const std::string& host, std::size_t next, std::vector<Shown>& shown);
  void ShowBanner(std::vector<Shown>& shown);

  const CompiledPlay& play_;
  std::size_t index_;
  std::size_t front_ = 0;
  bool banner_shown_ = false;
  std::size_t waiting_ = 0;                  // hosts that have not passed the front task
  std::map<std::string, std::size_t> next_;  // the task that a host is at
  std::vector<std::vector<HostResult>> waiting_results_;  // by task, as they arrived
};

}  // namespace drover
