// Carries a compiled run through to its end as the command line says: hosts reached, progress and
// recap shown, Ctrl-C obeyed. What `drover rollout` and all other commands that change hosts have
// in common.
//
// Called from one thread, once in a process at a time.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/run_loop.h"

namespace drover {

// What the run is, beyond the command line.
struct CarryOptions {
  std::string command;      // what was typed, kept with the generation: "rollout", "add rs4"
  bool transaction = true;  // hosts are locked, and go back unless confirmed; false: only looks
  std::function<void(const Shown&)> show;               // instead of the report on stdout
  std::map<std::string, std::string> expected_digests;  // of a plan, by host; others: any
};

// How a run ended.
struct CarriedOut {
  int status = 0;  // for the shell (exit_code.h)
  RunOutcome outcome;
};

// Problems before the first host is reached (no helper to bring) have been printed; the outcome is
// empty then. `run` must outlive the process when `outcome.thread_left_behind`.
CarriedOut CarryOut(const CompiledRun& run, const CommandLine& line, const CarryOptions& options);

// The status to return from the command; does not return when a thread is still inside a
// connection attempt, because nothing may be torn down under it.
int EndProcess(const CarriedOut& carried);

}  // namespace drover
