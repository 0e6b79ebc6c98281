// Puts the helper and its service onto the node, and takes them away again, so that the recorded
// state survives a reboot.
//
// With systemd a unit, elsewhere an init script (with links where update-rc.d or chkconfig makes
// them) and a detached process. What is already right is left alone. The kernel's state is not
// touched here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "node-helper/store/store.h"
#include "protocol/change.h"
#include "protocol/result.h"

namespace drover {

// Where, and how programs are run.
struct InstallSite {
  std::string root;  // "" outside tests
  std::string state_directory = kStateDirectory;
  std::string executable = "/proc/self/exe";
  // Runs a program to its end; an exit code other than 0 is an error.
  std::function<Status(const std::vector<std::string>& argv)> run;
  // Asks the running daemon to run its file anew, with the same process id (an upgrade in place).
  std::function<Status()> upgrade;

  [[nodiscard]] std::string program() const { return state_directory + "/node-helper"; }
};

// Empty when everything is in place and runs. With `check` only says what it would do.
Result<std::vector<ChangeText>> Install(const InstallSite& site, bool check);

// Whether the service has been installed.
bool HasService(const InstallSite& site);
// Stops the service and takes it and the installed program away; nothing else is touched.
Status RemoveInstalled(const InstallSite& site, std::vector<ChangeText>& changes);

// Stops the service and removes it and every folder of Drover's. `changes` has what was done, also
// when it fails.
Status Uninstall(const InstallSite& site, std::vector<ChangeText>& changes);

}  // namespace drover
