#include "orchestrator/run/cluster_command.h"

#include <cstdio>
#include <cstdlib>

#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/interrupt.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {

Talk TalkToCluster(const CompiledRun& run, const CommandLine& line,
                   const std::function<int(ClusterAsker& asker)>& work) {
  const auto helper = FindHelper(line.helper_path);
  if (!helper) {
    PrintProblem(helper.error().message);
    return {kExitError};
  }
  SurviveBrokenPipes();
  ClusterAsker asker(run, WhoRuns(), OpenerOf(line, *helper));
  const auto interrupt = InterruptWatch::Start([&asker](int /*count*/) { asker.Interrupt(); });
  if (!interrupt) {
    PrintProblem(interrupt.error().message);
    return {kExitError};
  }
  const int status = work(asker);
  return {status, !asker.Close()};
}

int RunClusterCommand(const std::string& name, const std::string& help,
                      const std::vector<std::string>& arguments,
                      const std::function<int(const Prepared& prepared, const CommandLine& line,
                                              ClusterAsker& asker)>& work,
                      const Amend& amend) {
  const auto [line, exit] = ParseCommandLine(name, help, arguments, ProcessEnvironment);
  if (exit) {
    return *exit;
  }
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  const Prepared prepared = Prepare(line, amend);
  if (prepared.exit) {
    return *prepared.exit;
  }
  const Talk talk = TalkToCluster(prepared.run, line, [&, &line = line](ClusterAsker& asker) {
    return work(prepared, line, asker);
  });
  if (talk.thread_left_behind) {
    // A thread is still inside a connection attempt; nothing may be torn down under it.
    std::fflush(nullptr);
    std::_Exit(talk.status);
  }
  return talk.status;
}

}  // namespace drover
