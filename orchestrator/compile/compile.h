// Works a playbook out for every host of the inventory: patterns, variables, templates, conditions,
// modules. All that can be wrong in user files is found here, before any host is touched.
//
// Reads the files that copy and template name; opens no connection.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/inventory/inventory.h"
#include "orchestrator/playbook/playbook.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"
#include "protocol/address.h"

namespace drover {

// What the command line adds.
struct CompileOptions {
  Value extra_vars = Value::object();  // -e, strongest of all
  std::string limit;                   // -l, "@file" already read
  std::vector<std::string> tags;       // -t; empty: all
  std::vector<std::string> skip_tags;
  bool check = false;
  bool diff = false;
  std::string remote_user;                           // -u, weaker than inventory variables
  std::string private_key_file;                      // --private-key, weaker too
  bool become = false;                               // -b
  std::string become_password;                       // from -K
  std::string ssh_password;                          // from -k
  std::chrono::milliseconds connect_timeout{10000};  // -T
  int connect_retries = 0;                           // --connect-retries
  // Addresses of real servers that are given by a name the inventory has no address for (DNS,
  // /etc/hosts).
  std::function<Result<IpAddress>(const std::string& name)> resolve;
};

// Whose desired state a playbook is: the stem of its file's name.
std::string OwnerOfPlaybook(const std::string& path);

Parsed<CompiledRun> Compile(const Playbook& playbook, const Inventory& inventory,
                            const CompileOptions& options);

}  // namespace drover
