// drover: the table of subcommands, which is also the help. Everything else is in run/.
#include <array>
#include <exception>
#include <string>
#include <vector>

#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/subcommands.h"

namespace {

constexpr std::array<drover::Subcommand, 8> kSubcommands = {{
    {"rollout", "carry out a playbook on the hosts of an inventory", drover::RolloutCommand},
    {"verify", "carry out only the verify tasks of a playbook", drover::VerifyCommand},
    {"status", "show roles, services and problems of the whole cluster", drover::StatusCommand},
    {"handover", "move virtual addresses to the backup on purpose", drover::HandoverCommand},
    {"add", "bring new real servers into service", drover::AddCommand},
    {"remove", "take real servers out of service without a loss", drover::RemoveCommand},
    {"maintenance", "keep new connections from hosts for a while", drover::MaintenanceCommand},
    {"inventory", "show how inventories are understood", drover::InventoryCommand},
}};

}  // namespace

int main(int argc, char** argv) try {
  return drover::RunSubcommand(kSubcommands, std::vector<std::string>(argv + 1, argv + argc));
} catch (const std::exception& error) {
  drover::PrintProblem(std::string("internal: ") + error.what(), "please report the command line");
  return drover::kExitInternal;
}
