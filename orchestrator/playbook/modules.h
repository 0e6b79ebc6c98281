// The modules by name and the keys that each of them takes. How a module's arguments become work is
// in compile/.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/source/diagnostic.h"

namespace drover {

struct ModuleSpec {
  std::string name;
  bool cluster = false;                   // its work is part of the node's desired state
  std::vector<std::string> keys;          // empty with any_key
  std::vector<std::string> foreign_keys;  // Ansible's keys that Drover does not carry out
  bool any_key = false;                   // sysctl: keys are names of settings
  bool free_form = false;                 // takes a plain text (command)
};

const std::vector<ModuleSpec>& KnownModules();
// By name, alias (apt, systemd) or with a collection's prefix (ansible.builtin.copy). Null:
// unknown.
const ModuleSpec* FindModule(std::string_view name);
// Why a name that FindModule does not know cannot be used.
Diagnostic UnknownModule(std::string_view name, const Place& place);
// True for words that Ansible knows as modules though Drover does not.
bool IsAnsibleModule(std::string_view name);

}  // namespace drover
