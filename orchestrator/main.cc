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

constexpr std::array<drover::Subcommand, 16> kSubcommands = {{
    {"rollout", "carry out a playbook on the hosts of an inventory", drover::RolloutCommand},
    {"plan", "show what a rollout would change on every host", drover::PlanCommand},
    {"apply", "carry out a plan that was kept, if nothing has moved", drover::ApplyCommand},
    {"verify", "prove that the cluster does what its playbook says", drover::VerifyCommand},
    {"drill", "inject a fault, and see whether the cluster bears it", drover::DrillCommand},
    {"status", "show roles, services and problems of the whole cluster", drover::StatusCommand},
    {"handover", "move virtual addresses to the backup on purpose", drover::HandoverCommand},
    {"add", "bring new real servers into service", drover::AddCommand},
    {"remove", "take real servers out of service without a loss", drover::RemoveCommand},
    {"replace", "put a new real server in the place of an old one", drover::ReplaceCommand},
    {"maintenance", "keep new connections from hosts for a while", drover::MaintenanceCommand},
    {"generations", "list the states that the hosts keep", drover::GenerationsCommand},
    {"rollback", "bring all hosts back to an earlier state", drover::RollbackCommand},
    {"unlock", "take a run's lock away from its hosts", drover::UnlockCommand},
    {"uninstall", "take away what a playbook made", drover::UninstallCommand},
    {"inventory", "show how inventories are understood", drover::InventoryCommand},
}};

}  // namespace

int main(int argc, char** argv) try {
  return drover::RunSubcommand(kSubcommands, std::vector<std::string>(argv + 1, argv + argc));
} catch (const std::exception& error) {
  drover::PrintProblem(std::string("internal: ") + error.what(), "please report the command line");
  return drover::kExitInternal;
}
