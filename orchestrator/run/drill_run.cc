#include "orchestrator/run/drill_run.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <random>

#include "orchestrator/run/drill_steps.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/interrupt.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {

std::string NewDrillId(Fault fault) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 24> date{};
  std::array<char, 8> tail{};
  std::strftime(date.data(), date.size(), "%Y%m%d-%H%M%S", &utc);
  std::snprintf(tail.data(), tail.size(), "%04x", std::random_device{}() & 0xffffU);
  return std::string(date.data()) + "-" + std::string(ToString(fault)) + "-" + tail.data();
}

DrillEnd RunDrill(const Prepared& prepared, const CommandLine& line, const DrillRequest& request,
                  const DrillScreen& screen) {
  const auto helper = FindHelper(line.helper_path);
  if (!helper) {
    PrintProblem(helper.error().message);
    return {.status = kExitError};
  }
  SurviveBrokenPipes();
  RunInfo info = WhoRuns();
  info.run_id = NewDrillId(request.fault);
  info.owner = prepared.run.owner;
  info.playbook = prepared.run.playbook;
  info.playbook_hash = prepared.run.playbook_hash;
  info.command = "drill " + std::string(ToString(request.fault));
  DrillSteps drill(prepared, line, request, screen, info, OpenerOf(line, *helper));
  const auto interrupt =
      InterruptWatch::Start([&drill](int /*count*/) { drill.hosts().Interrupt(); });
  if (!interrupt) {
    PrintProblem(interrupt.error().message);
    return {.status = kExitError};
  }
  return drill.Run();
}

}  // namespace drover
