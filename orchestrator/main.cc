// drover: the table of subcommands, which is also the help. Everything else is in run/.
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/source/diagnostic.h"
#include "protocol/version.h"

namespace {

struct Subcommand {
  const char* name;
  const char* help;
  int (*run)(const std::vector<std::string>& arguments);
};

int Help(const std::vector<std::string>& arguments);

int Version(const std::vector<std::string>& /*arguments*/) {
  std::printf("drover %s\n", drover::kVersion);
  return drover::kExitOk;
}

constexpr std::array<Subcommand, 7> kSubcommands = {{
    {"rollout", "carry out a playbook on the hosts of an inventory", drover::RolloutCommand},
    {"verify", "carry out only the verify tasks of a playbook", drover::VerifyCommand},
    {"status", "show roles, services and problems of the whole cluster", drover::StatusCommand},
    {"handover", "move virtual addresses to the backup on purpose", drover::HandoverCommand},
    {"inventory", "show how inventories are understood", drover::InventoryCommand},
    {"version", "print the version", Version},
    {"help", "print this, or the options of a subcommand", Help},
}};

void PrintHelp(std::FILE* stream) {
  std::fputs("Drover rolls out and proves Linux Virtual Server clusters.\n\n", stream);
  std::fputs("usage: drover SUBCOMMAND [OPTIONS]\n\n", stream);
  for (const Subcommand& subcommand : kSubcommands) {
    std::fprintf(stream, "  %-10s %s\n", subcommand.name, subcommand.help);
  }
  std::fputs("\n\"drover SUBCOMMAND --help\" lists the options.\n", stream);
}

int Dispatch(const std::string& name, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : kSubcommands) {
    if (name == subcommand.name) {
      return subcommand.run(arguments);
    }
    names.emplace_back(subcommand.name);
  }
  drover::PrintProblem("unknown subcommand \"" + name + "\"", drover::DidYouMean(name, names));
  return drover::kExitError;
}

int Help(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] != "help") {
    return Dispatch(arguments[0], {"--help"});
  }
  PrintHelp(stdout);
  return drover::kExitOk;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    PrintHelp(stderr);
    return drover::kExitError;
  }
  const bool help = words[0] == "--help" || words[0] == "-h";
  const std::string name = help ? "help" : words[0] == "--version" ? "version" : words[0];
  return Dispatch(name, {words.begin() + 1, words.end()});
} catch (const std::exception& error) {
  drover::PrintProblem(std::string("internal: ") + error.what(), "please report the command line");
  return drover::kExitInternal;
}
