#include "orchestrator/run/debug.h"

#include <array>
#include <cstdio>

#include "orchestrator/report/result_value.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/command_line.h"

namespace drover {
namespace {

constexpr int kHostWidth = 26;

double Milliseconds(std::chrono::microseconds duration) {
  return static_cast<double>(duration.count()) / 1000;
}

}  // namespace

std::string DebugModesText() {
  std::string text;
  for (const auto& [mode, help] : DebugModes()) {
    text += PadTo(mode, 10) + help + "\n";
  }
  return text;
}

std::string ExplainText(const CompiledRun& run, const HostResult& result) {
  const CompiledTask* task = FindTask(run, result.place);
  if (task == nullptr || task->secret) {
    return "";
  }
  const std::string start = "drover explain: " + result.place.host + ": " + task->name + ": ";
  std::string text;
  for (const ChangeText& change : result.result.changes) {
    text += Printable(start + OneLine(change)) + "\n";
  }
  if (result.result.status == TaskStatus::kSkipped) {
    text += Printable(start + "skipped: " + result.result.message) + "\n";
  }
  return text;
}

std::string StatsText(const RunOutcome& outcome, std::chrono::microseconds compile,
                      std::chrono::microseconds total) {
  std::string text;
  std::array<char, 160> line{};
  for (const auto& [host, times] : outcome.times) {
    std::snprintf(line.data(), line.size(),
                  "connect %8.1f ms  work %8.1f ms  programs %d  tasks %d  changes %d\n",
                  Milliseconds(times.connect), Milliseconds(times.work), times.programs,
                  times.tasks, times.changes);
    text += "drover stats: " + PadTo(Printable(host), kHostWidth) + " " + line.data();
  }
  std::snprintf(line.data(), line.size(),
                "drover stats: %zu hosts, files read and compiled in %.1f ms, all in %.1f ms\n",
                outcome.times.size(), Milliseconds(compile), Milliseconds(total));
  return text + line.data();
}

}  // namespace drover
