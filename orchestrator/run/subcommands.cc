#include "orchestrator/run/subcommands.h"

#include <algorithm>

#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/source/diagnostic.h"
#include "protocol/version.h"

namespace drover {
namespace {

std::string HelpText(std::span<const Subcommand> table, const SubcommandHead& head) {
  std::string text = head.about + "\n\nusage: " + head.program + " SUBCOMMAND [OPTIONS]\n\n";
  const auto line = [&](const std::string& name, const char* help) {
    constexpr std::size_t kColumn = 13;
    text +=
        "  " + name + std::string(kColumn - std::min(kColumn - 1, name.size()), ' ') + help + "\n";
  };
  for (const Subcommand& subcommand : table) line(subcommand.name, subcommand.help);
  line("version", "print the version");
  line("help", "print this, or the options of a subcommand");
  return text + "\n\"" + head.program + " SUBCOMMAND --help\" lists the options.\n";
}

int RunNamed(std::span<const Subcommand> table, const std::string& name,
             const std::vector<std::string>& arguments) {
  std::vector<std::string> names = {"version", "help"};
  for (const Subcommand& subcommand : table) {
    if (name == subcommand.name) return subcommand.run(arguments);
    names.emplace_back(subcommand.name);
  }
  PrintProblem("unknown subcommand \"" + name + "\"", DidYouMean(name, names));
  return kExitError;
}

}  // namespace

int RunSubcommand(std::span<const Subcommand> table, const std::vector<std::string>& words,
                  const SubcommandHead& head) {
  if (words.empty()) {
    PrintErr(HelpText(table, head));
    return kExitError;
  }
  const std::string& name = words[0];
  if (name == "version" || name == "--version") {
    PrintOut(std::string("drover ") + kVersion + "\n");
    return kExitOk;
  }
  if (name == "help" || name == "--help" || name == "-h") {
    if (words.size() > 1 && words[1] != "help" && words[1] != "version") {
      return RunNamed(table, words[1], {"--help"});
    }
    PrintOut(HelpText(table, head));
    return kExitOk;
  }
  return RunNamed(table, name, {words.begin() + 1, words.end()});
}

}  // namespace drover
