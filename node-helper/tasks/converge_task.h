// The tasks about the node's desired state: take a part of it (converge), end a run (prune), and
// give all of it back (uninstall). What is recorded, and when, is decided here.
//
// The order that makes a kill at any moment harmless: what is to be added is recorded first and set
// then; what is to go is removed first and forgotten then. So the record never names less than what
// Drover set. The daemon reads the records: it is told after each change of them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunConvergeTask(const ConvergeTask& task, bool check, const ProgramCourse& course,
                           TaskContext& context);
TaskResult RunPruneTask(const PruneTask& task, bool check, const ProgramCourse& course,
                        TaskContext& context);

// How long the instances and checks of `state` may take until each has its role and its verdict.
std::chrono::milliseconds SettlePatience(const DesiredState& state);

// Removes from the node what Drover made for `owner` and what nobody else holds, and forgets the
// owner. Sysctls go back to what they were; addresses and services that were there before Drover
// stay. The daemon has to be told afterwards. `changes` has what was done, also when it fails.
Status ReleaseOwner(Kernel& kernel, const Store& store, const std::string& owner,
                    std::vector<ChangeText>& changes);

}  // namespace drover
