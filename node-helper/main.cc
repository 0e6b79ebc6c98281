// node-helper: the one static file that Drover needs on a node. This table is its list of
// subcommands and its help; what they do is in subcommands.cc.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "node-helper/subcommands.h"
#include "node-helper/tasks/process.h"
#include "protocol/version.h"

namespace {

struct Subcommand {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  int (*run)(const drover::Arguments&);
};

constexpr std::array kSubcommands = {
    Subcommand{"apply", "", "carry out programs from stdin, tell on stdout (JSON lines)",
               drover::ApplyCommand},
    Subcommand{"show", "[--owner NAME]", "print what the kernel has and who owns what",
               drover::ShowCommand},
    Subcommand{"install", "[--check]", "install this file and its service on the node",
               drover::InstallCommand},
    Subcommand{"uninstall", "[--owner NAME]", "take back what was set, remove the helper",
               drover::UninstallCommand},
    Subcommand{"daemon", "[--detach|--stop|--reload|--status]", "keep what was recorded set",
               drover::DaemonCommand},
    Subcommand{"guard", "[--detach]", "take a run back that is not confirmed (runs start it)",
               drover::GuardCommand},
    Subcommand{"drill", "guard|undo|burn|answer|reboot ID...",
               "a drill's own processes (drills start them)", drover::DrillCommand},
    Subcommand{"status", "[--json]", "print what the daemon says about itself",
               drover::StatusCommand},
    Subcommand{"handover", "[INSTANCE...]", "let a backup take over VRRP instances, lossless",
               drover::HandoverCommand},
    Subcommand{"return", "[INSTANCE...]", "let instances that handed over be master again",
               drover::ReturnCommand},
    Subcommand{"version", "", "print the version", drover::VersionCommand},
};

void PrintHelp(std::FILE* to) {
  std::fprintf(to, "node-helper %s: Drover's hand on a node\n\nUsage: node-helper SUBCOMMAND\n\n",
               drover::kVersion);
  for (const Subcommand& subcommand : kSubcommands) {
    const std::string usage =
        std::string(subcommand.name) + " " + std::string(subcommand.arguments);
    std::fprintf(to, "  %-44s %s\n", usage.c_str(), std::string(subcommand.help).c_str());
  }
}

// The subcommand that starts as `word` does, for a typo.
std::string_view Guess(std::string_view word) {
  for (std::size_t length = word.size(); length > 0; --length) {
    for (const Subcommand& subcommand : kSubcommands) {
      if (subcommand.name.starts_with(word.substr(0, length))) return subcommand.name;
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  drover::HardenProcess();
  const std::string_view word = argc < 2 ? "" : argv[1];
  if (word == "help" || word == "--help" || word == "-h") {
    PrintHelp(stdout);
    return 0;
  }
  const std::string_view asked = word == "--version" ? "version" : word;
  for (const Subcommand& subcommand : kSubcommands) {
    if (subcommand.name == asked) return subcommand.run(drover::Arguments(argv + 2, argv + argc));
  }
  if (word.empty()) {
    PrintHelp(stderr);
    return 1;
  }
  const std::string guess(Guess(word));
  std::fprintf(stderr, "node-helper: no subcommand \"%s\"%s\nTry node-helper --help.\n", argv[1],
               guess.empty() ? "" : ("; did you mean \"" + guess + "\"?").c_str());
  return 1;
}
