// What drills of a node work with; main wires it, tests give folders of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "node-helper/net/network_plan.h"
#include "node-helper/tasks/process.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

struct DrillParts {
  std::string directory;      // of the journals' folder: /var/lib/drover
  std::string run_directory;  // /run/drover
  std::string program;        // this program's file
  ProcessRunner run = RunProcess;
  HeldNow held = [] { return HeldElsewhere{}; };  // addresses and links of VRRP and of records
  std::function<bool(const IpAddress&)> is_vrrp = [](const IpAddress&) { return false; };
  std::function<Result<std::unique_ptr<Kernel>>()> open_kernel;
  std::function<std::string()> boot_id;
  // Tells the daemon that VRRP instances yield or return.
  std::function<Status(HandoverMove, const std::vector<std::string>&)> move;
  std::function<void(const std::string& line)> tell = [](const std::string&) {};
};

// Runs a program of the node; its own words when it fails.
Status RunTool(const DrillParts& parts, const std::vector<std::string>& argv,
               const std::string& input = "");

// While this file is there and its time is not over, the helper's daemon waits before it starts.
std::string HoldFile(const std::string& run_directory);
// Waits for that.
void WaitWhileHeld(const std::string& run_directory);

}  // namespace drover
