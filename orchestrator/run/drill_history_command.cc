// `drover drill history`: what all drills say together, and the trend of each fault.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "orchestrator/report/history_text.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {
namespace {

struct HistoryLine {
  std::string fault;
  std::string playbook;
  std::string html;
  std::string output = "human";
};

void AddOptions(CLI::App& app, HistoryLine& line) {
  app.add_option("fault", line.fault, "only this fault")->type_name("FAULT");
  app.add_option("--playbook", line.playbook, "only drills with this playbook")->type_name("P");
  app.add_option("--html", line.html, "write the trends as a page")->type_name("FILE");
  app.add_option("--output", line.output, "human or json")
      ->check(CLI::IsMember({"human", "json"}))
      ->type_name("FORM");
}

// What a word that names no fault could have been.
std::string Meant(const std::string& word) {
  std::vector<std::string> words;
  for (const FaultText& fault : FaultCatalogue()) words.emplace_back(ToString(fault.fault));
  return DidYouMean(word, words);
}

Result<HistoryView> Look(const HistoryQuery& query) {
  auto history = OpenHistory(ProcessEnvironment);
  if (!history) return Fail(history.error());
  HistoryView view;
  auto drills = (*history)->Drills(query);
  if (!drills) return Fail(drills.error());
  view.drills = *std::move(drills);
  // A fault has no verifications.
  if (!query.fault) {
    auto verifications = (*history)->Verifications(query);
    if (!verifications) return Fail(verifications.error());
    view.verifications = *std::move(verifications);
  }
  view.trends = TrendsOf(view.drills);
  return view;
}

int ShowHistory(const HistoryLine& line) {
  HistoryQuery query;
  if (!line.fault.empty()) {
    const auto fault = ParseFault(line.fault);
    if (!fault) {
      PrintProblem("\"" + line.fault + "\" is no fault", Meant(line.fault));
      return kExitError;
    }
    query.fault = *fault;
  }
  if (!line.playbook.empty()) {
    std::error_code error;
    query.playbooks = {line.playbook,
                       std::filesystem::weakly_canonical(line.playbook, error).string()};
  }
  const auto view = Look(query);
  if (!view) {
    PrintProblem(view.error().message);
    return kExitError;
  }
  if (!line.html.empty()) {
    const std::string title = line.fault.empty() ? "Drills" : "Drills: " + line.fault;
    if (const Status written = WritePrivateFile(line.html, HistoryHtml(*view, title)); !written) {
      PrintProblem(written.error().message);
      return kExitError;
    }
  }
  const ScreenLook look = LookOfScreen(ProcessEnvironment);
  PrintOut(line.output == "json"
               ? HistoryJson(*view)
               : HistoryText(*view, look.terminal ? look.columns : 0, look.colours));
  return kExitOk;
}

}  // namespace

int DrillHistoryCommand(const std::vector<std::string>& arguments) {
  HistoryLine line;
  CLI::App app{"Shows what the drills of this control host say together, fault by fault.",
               "drover drill history"};
  AddOptions(app, line);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  return ShowHistory(line);
}

}  // namespace drover
