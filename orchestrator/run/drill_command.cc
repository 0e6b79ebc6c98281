// `drover drill`: its words, and `drover drill run`.

#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/drill_text.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/drill_store.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/subcommands.h"

namespace drover {
namespace {

constexpr std::array kWords = {
    Subcommand{"run", "inject a fault and judge what it does", DrillRunCommand},
    Subcommand{"list", "list the faults, and which of them a cluster allows", DrillListCommand},
    Subcommand{"report", "show a drill from its evidence, or judge it again", DrillReportCommand},
    Subcommand{"history", "what all drills say together, fault by fault", DrillHistoryCommand},
    Subcommand{"schedule", "drive drills again and again", DrillScheduleCommand},
    Subcommand{"due", "drive what is due, each due time once", DrillDueCommand},
};

bool AgreesToInject(const std::string& question) {
  PrintErr(Printable(question) + " Type \"yes\" to go on: ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

// One line of JSON for each thing that is told.
void PrintLine(const std::string& event, const std::string& text) {
  PrintOut(nlohmann::ordered_json({{"event", event}, {"text", text}}).dump() + "\n");
}

DrillScreen ScreenFor(const CommandLine& line, bool asks) {
  DrillScreen screen;
  const bool human = line.output == "human";
  const bool lines = line.output == "jsonl";
  screen.say = [human, lines](const std::string& text) {
    const bool ends = !text.empty() && text.back() == '\n';
    if (human) PrintOut(Printable(text) + "\n");
    if (lines) PrintLine("told", ends ? text.substr(0, text.size() - 1) : text);
  };
  const bool live = human && LookOfScreen(ProcessEnvironment).live;
  screen.live = [live](const std::string& text) {
    if (live) ShowFooter(text.empty() ? std::vector<std::string>() : std::vector{text});
  };
  if (asks) screen.ask = AgreesToInject;
  return screen;
}

void ShowEnd(const DrillEnd& end, const CommandLine& line) {
  const DrillJournal& journal = *end.journal;
  const ScreenLook look = LookOfScreen(ProcessEnvironment);
  if (line.output == "json" || line.output == "jsonl") {
    const std::string document = DrillJson(journal, end.analysis);
    PrintOut(line.output == "json" ? document : nlohmann::json::parse(document).dump() + "\n");
  } else if (line.output == "junit") {
    PrintOut(DrillJunit(journal));
  } else if (line.output == "human") {
    PrintOut(DrillText(journal, end.analysis,
                       {.columns = look.terminal ? look.columns : 0, .colours = look.colours}) +
             (end.folder.empty() ? "" : "\nEvidence: " + Printable(end.folder) + "\n"));
  }
}

}  // namespace

DrillEnd CarryOutDrill(const Prepared& prepared, const CommandLine& line,
                       const DrillRequest& request, bool asks) {
  DrillEnd end = RunDrill(prepared, line, request, ScreenFor(line, asks));
  if (!end.folder.empty()) KeepDrill(end.folder);
  if (end.journal) ShowEnd(end, line);
  return end;
}

int DrillRunCommand(const std::vector<std::string>& arguments) {
  const auto [line, exit] =
      ParseCommandLine("drill run",
                       "Injects a fault into a cluster, measures what it does, undoes it, and "
                       "judges it by what was predicted. Ends with 0 for pass, 2 fail, 3 "
                       "inconclusive, 5 aborted and clean, 6 aborted and something is left.",
                       arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (!line.yes && !terminal) {
    PrintProblem("drill run asks before it injects a fault, and there is no terminal",
                 "-y answers yes");
    return kExitError;
  }
  const Prepared prepared = Prepare(line);
  if (prepared.exit) return *prepared.exit;
  DrillRequest request = line.drill.request;
  // "drover drill due" says so.
  request.trigger = ProcessEnvironment(kTriggerVariable).value_or(request.trigger);
  const DrillEnd end = CarryOutDrill(prepared, line, request, !line.yes);
  if (end.thread_left_behind) {
    // A thread is still inside a connection attempt; nothing may be torn down under it.
    std::fflush(nullptr);
    std::_Exit(end.status);
  }
  return end.status;
}

int DrillCommand(const std::vector<std::string>& arguments) {
  return RunSubcommand(kWords, arguments,
                       {"drover drill",
                        "Failover drills: faults that are predicted, measured, "
                        "undone and judged."});
}

}  // namespace drover
