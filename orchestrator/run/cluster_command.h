// What commands share that ask the hosts of a playbook about the cluster: the command line, the
// preparation, the connections, Ctrl-C, and the end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/run/cluster_asker.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/prepare.h"

namespace drover {

// How a talk with the hosts ended.
struct Talk {
  int status = 0;                   // for the shell
  bool thread_left_behind = false;  // end the process without clearing up
};
// Lets `work` ask the hosts of `run`; Ctrl-C interrupts it. Its answer is the status.
Talk TalkToCluster(const CompiledRun& run, const CommandLine& line,
                   const std::function<int(ClusterAsker& asker)>& work);

// Carries out `work`, whose answer is the exit code. `work` must be through with its own output
// when it returns.
int RunClusterCommand(const std::string& name, const std::string& help,
                      const std::vector<std::string>& arguments,
                      const std::function<int(const Prepared& prepared, const CommandLine& line,
                                              ClusterAsker& asker)>& work,
                      const Amend& amend = {});

}  // namespace drover
