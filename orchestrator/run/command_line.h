// The options of the commands that take a playbook, with Ansible's names and meanings.
//
// CLI11 stays in the .cc. Reads the environment only through what the caller passes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/drill/request.h"

namespace drover {

// What the drill commands have besides the options that all have.
struct DrillLine {
  DrillRequest request;
  std::string evidence;  // folder; empty: one of its own below the drills' folder
};

struct CommandLine {
  std::string playbook;
  std::vector<std::string> inventories;
  std::string limit;
  std::vector<std::string> tags;
  std::vector<std::string> skip_tags;
  std::vector<std::string> extra_vars;
  bool check = false;
  bool diff = false;
  int forks = 0;  // 0: as many as hosts, at most 64
  int verbosity = 0;
  std::string remote_user;
  bool become = false;
  bool ask_become_password = false;
  bool ask_password = false;
  std::string become_password_file;
  std::string password_file;
  std::string private_key_file;
  int timeout = 10;  // seconds, for each step of connecting
  int connect_retries = 2;
  int task_timeout = 0;  // seconds; 0: none
  std::chrono::milliseconds confirm_timeout{30000};
  bool rollback = true;  // --no-rollback
  bool accept_new_host_keys = false;
  std::string output = "human";  // human, json, jsonl, junit
  bool list_hosts = false;
  bool list_tasks = false;
  bool list_tags = false;
  bool syntax_check = false;
  std::string helper_path;
  std::set<std::string> debug;     // list, explain, stats, wire
  std::optional<double> watch;     // status: seconds between two looks
  std::string instance;            // handover: only this one
  bool back = false;               // handover: who handed over may return
  double sync_wait = 60;           // handover: seconds
  std::string turn;                // maintenance: on, off, list
  std::vector<std::string> hosts;  // maintenance, add, remove, replace: whom it is about
  std::string reason;              // maintenance
  // maintenance, remove, replace: how long connections may take to end; maintenance: none is not to
  // wait.
  std::optional<std::chrono::milliseconds> drain;
  bool force = false;               // maintenance, remove, replace: also when too few are left
  bool ignore_unreachable = false;  // maintenance: tell those that can be reached
  std::chrono::milliseconds ready_timeout{60000};  // add, replace
  bool update_inventory = false;                   // add, remove, replace: change the file too
  std::vector<std::string> host_vars;              // add, replace: name=value for the new line
  std::string plan_file;                           // plan -o, apply
  std::optional<std::uint64_t> generation;         // rollback --to
  std::string lock_id;                             // unlock --id
  bool yes = false;                                // uninstall, drill run: do not ask
  std::chrono::milliseconds settle{2500};          // verify
  std::optional<std::chrono::milliseconds> wait_persistence;  // verify; none: as the playbook says
  std::vector<std::string> rerun;  // rollout --rerun: outcomes of the last run
  DrillLine drill;                 // drill run
};

// Names of the --debug modes with a line of help each.
const std::vector<std::pair<std::string, std::string>>& DebugModes();

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

// Either a command line, or the status to end with after help or a complaint has been printed.
struct CommandLineOrExit {
  CommandLine line;
  std::optional<int> exit;
};
CommandLineOrExit ParseCommandLine(const std::string& command, const std::string& help,
                                   const std::vector<std::string>& arguments,
                                   const Environment& environment);

// The inventories of the environment (DROVER_INVENTORY, then ANSIBLE_INVENTORY), parted by commas
// as Ansible does; a value that ends in a comma is a host list.
std::vector<std::string> InventoriesOf(const Environment& environment);

}  // namespace drover
