// The subcommands of drover. Each takes its arguments (without program and subcommand name) and
// returns the exit status (exit_code.h).
#pragma once

#include <string>
#include <vector>

namespace drover {

int RolloutCommand(const std::vector<std::string>& arguments);
int PlanCommand(const std::vector<std::string>& arguments);
int ApplyCommand(const std::vector<std::string>& arguments);
int VerifyCommand(const std::vector<std::string>& arguments);
int GenerationsCommand(const std::vector<std::string>& arguments);
int RollbackCommand(const std::vector<std::string>& arguments);
int UnlockCommand(const std::vector<std::string>& arguments);
int UninstallCommand(const std::vector<std::string>& arguments);
int StatusCommand(const std::vector<std::string>& arguments);
int HandoverCommand(const std::vector<std::string>& arguments);
int AddCommand(const std::vector<std::string>& arguments);
int RemoveCommand(const std::vector<std::string>& arguments);
int ReplaceCommand(const std::vector<std::string>& arguments);
int MaintenanceCommand(const std::vector<std::string>& arguments);
int DrillCommand(const std::vector<std::string>& arguments);
int InventoryCommand(const std::vector<std::string>& arguments);

}  // namespace drover
