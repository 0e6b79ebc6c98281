// What the readers of all inventory formats share: hosts and variables enter the inventory here,
// with complaints and warnings collected on the way.
//
// Pure; internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/inventory/inventory.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {

// A variable as read, with the place of its value.
struct InventoryVar {
  std::string name;
  Value value;
  Place place;
};

class InventoryBuilder {
 public:
  explicit InventoryBuilder(Inventory& inventory) : inventory_(inventory) {}

  Inventory& inventory() { return inventory_; }
  void Complain(Place place, std::string message, std::string hint = "");
  void Warn(Place place, std::string message, std::string hint = "");

  // Declares the group; odd names are warned about once.
  void Group(const std::string& name, const Place& place);
  void Child(const std::string& parent, const std::string& child, const Place& place);
  void GroupVar(const std::string& group, InventoryVar var);
  // Puts a host into a group (empty: into none).
  void Host(const std::string& name, const std::string& group, const Place& place);
  // A host's variables; of a host that has a group's name they go to the group, as in Ansible.
  void HostVar(const std::string& host, const InventoryVar& var);
  // Expands a pattern and adds all its hosts with port and variables.
  void Hosts(const std::string& pattern, const std::string& group, const Place& place,
             const std::vector<InventoryVar>& vars);

  Diagnostics TakeErrors() { return std::move(errors_); }
  Diagnostics TakeWarnings() { return std::move(warnings_); }
  [[nodiscard]] bool failed() const { return !errors_.empty(); }

 private:
  Inventory& inventory_;
  Diagnostics errors_;
  Diagnostics warnings_;
  bool warned_of_name_ = false;
};

// Each format reads one file. What is wrong goes to the builder.
void ReadIniInventory(const SourceFilePtr& file, InventoryBuilder& builder);
void ReadYamlInventory(const YamlNode& root, InventoryBuilder& builder);
// JSON as `ansible-inventory --list` and inventory scripts print it.
void ReadListInventory(const YamlNode& root, InventoryBuilder& builder);
// Has this document "_meta", as those have?
bool IsListInventory(const YamlNode& root);

}  // namespace drover
