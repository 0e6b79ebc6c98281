// What the node-helper's subcommands do: options and wiring of the parts, nothing else.
#pragma once

#include <string>
#include <vector>

namespace drover {

using Arguments = std::vector<std::string>;  // behind the subcommand

// Each returns the exit code.
int ApplyCommand(const Arguments& arguments);
int InstallCommand(const Arguments& arguments);
int ShowCommand(const Arguments& arguments);
int UninstallCommand(const Arguments& arguments);
int GuardCommand(const Arguments& arguments);
int DrillCommand(const Arguments& arguments);
int DaemonCommand(const Arguments& arguments);
int StatusCommand(const Arguments& arguments);
int HandoverCommand(const Arguments& arguments);
int ReturnCommand(const Arguments& arguments);
int VersionCommand(const Arguments& arguments);

}  // namespace drover
