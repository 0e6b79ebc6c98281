// `drover drill report`: the report of a drill from its evidence, as it was judged then or by
// today's rules.

#include <CLI/CLI.hpp>
#include <iostream>

#include "orchestrator/drill/rejudge.h"
#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/drill_text.h"
#include "orchestrator/run/drill_store.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

struct ReportLine {
  std::string drill;
  bool rejudge = false;
  std::string html;
  std::string output = "human";
};

void AddOptions(CLI::App& app, ReportLine& line) {
  app.add_option("drill", line.drill, "the folder of a drill's evidence, or its id")
      ->required()
      ->type_name("DIR|ID");
  app.add_flag("--rejudge", line.rejudge, "judge the raw evidence again by today's rules");
  app.add_option("--html", line.html, "write the report as a page")->type_name("FILE");
  app.add_option("--output", line.output, "human, json or junit")
      ->check(CLI::IsMember({"human", "json", "junit"}))
      ->type_name("FORM");
}

void Print(const StoredDrill& drill, const JudgedAgain* again, const std::string& output) {
  if (output == "json") {
    PrintOut(DrillJson(drill.journal, drill.analysis, again));
  } else if (output == "junit") {
    PrintOut(DrillJunit(drill.journal));
  } else {
    const ScreenLook look = LookOfScreen(ProcessEnvironment);
    PrintOut(
        DrillText(drill.journal, drill.analysis, {look.terminal ? look.columns : 0, look.colours}));
    if (again != nullptr) PrintOut(JudgedAgainText(*again));
  }
}

int Report(const ReportLine& line) {
  const auto folder = FindDrill(line.drill, ProcessEnvironment);
  if (!folder) {
    PrintProblem(folder.error().message, "drover drill history --output json lists all drills");
    return kExitError;
  }
  auto drill = ReadDrill(*folder);
  if (!drill) {
    PrintProblem(drill.error().message);
    return kExitError;
  }
  const DrillVerdict stored = drill->journal.verdict;
  std::optional<JudgedAgain> again;
  if (line.rejudge) {
    drill->journal = Rejudge(drill->journal, drill->analysis, drill->snapshots);
    again = JudgedAgain{stored.kind, VerdictDifferences(stored, drill->journal.verdict)};
  } else if (drill->journal.phase != DrillPhase::kJudged) {
    PrintErr("drover: warning: this drill ended before it was judged (" +
             std::string(ToString(drill->journal.phase)) + "); --rejudge judges what there is\n");
  }
  if (!line.html.empty()) {
    DrillPage page{{drill->journal, drill->analysis, drill->log}, drill->files, std::nullopt};
    if (again && !again->differences.empty()) page.stored = stored;
    if (const Status written = WritePrivateFile(line.html, DrillHtml(page)); !written) {
      PrintProblem(written.error().message);
      return kExitError;
    }
  }
  Print(*drill, again ? &*again : nullptr, line.output);
  return ExitCodeOf(drill->journal.verdict.kind);
}

}  // namespace

int DrillReportCommand(const std::vector<std::string>& arguments) {
  ReportLine line;
  CLI::App app{
      "Shows the report of a drill. Exit: 0 pass, 2 fail, 3 inconclusive, 5 and 6 aborted.",
      "drover drill report"};
  AddOptions(app, line);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  return Report(line);
}

}  // namespace drover
