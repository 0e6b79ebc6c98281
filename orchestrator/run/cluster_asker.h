// Asks many hosts something at once and waits for all answers; connections stay open between the
// questions, so that --watch costs one login.
//
// Called from one thread; Interrupt from any.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "orchestrator/cluster/cluster_status.h"
#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/run/event_queue.h"
#include "orchestrator/run/host_worker.h"

namespace drover {

class ClusterAsker {
 public:
  // `run` must outlive the asker.
  ClusterAsker(const CompiledRun& run, RunInfo info, SessionOpener open);
  ~ClusterAsker();
  ClusterAsker(const ClusterAsker&) = delete;
  ClusterAsker& operator=(const ClusterAsker&) = delete;

  // One task for each host that has one. Hosts that do not answer within `patience` have an error
  // of kTimeout, those that cannot be reached one of kUnreachable.
  std::map<std::string, Result<TaskResult>> Ask(const std::map<std::string, TaskAction>& tasks,
                                                std::chrono::milliseconds patience,
                                                bool check = false);
  // What all hosts of the run with a desired state say about themselves.
  ClusterStatus AskStatus();
  // The same of some hosts.
  ClusterStatus AskStatus(const std::set<std::string>& hosts);
  // The same, but hosts answer one after the other: what looks like two owners or none may be a
  // change of owner in between, so it is asked again for a moment.
  ClusterStatus LookTwice();

  // Ask returns at once from now on, hosts without an answer have errors.
  void Interrupt();
  // Ask works again, so that what was begun can be taken back.
  void GoOn() { interrupted_ = false; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  // Waits so long; less when interrupted.
  void Pause(std::chrono::milliseconds span);
  // Ends all sessions. False: a thread hangs in a connection attempt, the process should end
  // without clearing up.
  bool Close();

 private:
  // Sends one task; false when no thread can be had.
  bool Send(const std::string& host, const TaskAction& action, bool check);

  const CompiledRun& run_;
  RunInfo info_;
  SessionOpener open_;
  std::shared_ptr<EventQueue> queue_;
  std::map<std::string, std::unique_ptr<HostWorker>> workers_;
  std::map<std::string, std::uint32_t> asked_;  // id of each host's last task
  std::uint32_t last_task_ = 0;
  std::atomic<bool> interrupted_{false};
};

}  // namespace drover
