// The inventory as a value: hosts, groups, who belongs where, and each host's merged variables, by
// Ansible's rules.
//
// Pure. Reading files is load.h; patterns are pattern.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"

namespace drover {

struct InventoryHost {
  std::string name;
  Value vars = Value::object();  // written at the host in inventory files (weaker than host_vars/)
  Value files_vars = Value::object();  // from host_vars/, beside the inventory then the playbook
  std::vector<std::string> groups;     // those it is a direct member of, in order
  Place place;                         // where it was first named
};

struct InventoryGroup {
  std::string name;
  std::vector<std::string> hosts;     // direct members, in order
  std::vector<std::string> children;  // direct, in order
  std::vector<std::string> parents;   // direct, in order
  Value vars = Value::object();       // written at the group in inventory files
  // From group_vars/: one for each inventory directory, in the order of the sources. All groups of
  // one directory are weaker than any group of the next.
  std::vector<Value> files_vars;
  Value playbook_vars = Value::object();  // from group_vars/ beside the playbook
  std::int64_t priority = 1;              // ansible_group_priority
  int depth = 0;                          // longest way down from `all`; set by Finish
  Place place;
};

// Hosts and groups by name. After Finish() it obeys Ansible's invariants: `all` and `ungrouped`
// exist, every group hangs below `all`, a host in no other group is in `ungrouped`.
class Inventory {
 public:
  Inventory();

  // Building (load.cc and the two parsers).
  InventoryHost& AddHost(const std::string& name, const Place& place);
  InventoryGroup& AddGroup(const std::string& name, const Place& place);
  // Host and group must exist.
  void AddHostToGroup(const std::string& host, const std::string& group);
  // Both must exist. What is wrong with it (a cycle), or an empty string when fine.
  std::string AddChild(const std::string& parent, const std::string& child);
  void Finish();
  // As if it had never been written; its groups stay. After Finish.
  void RemoveHost(const std::string& name);

  [[nodiscard]] const InventoryHost* FindHost(std::string_view name) const;
  [[nodiscard]] const InventoryGroup* FindGroup(std::string_view name) const;
  InventoryHost* FindHost(std::string_view name);
  InventoryGroup* FindGroup(std::string_view name);
  // In the order in which `all` lists them.
  [[nodiscard]] std::vector<std::string> HostNames() const;
  // In the order in which the sources name them first.
  [[nodiscard]] std::vector<std::string> HostsInOrderOfWriting() const;
  [[nodiscard]] std::vector<std::string> GroupNames()
      const;  // first-seen order, with all and ungrouped
  // Members with those of child groups, breadth first, first occurrence wins.
  [[nodiscard]] std::vector<std::string> HostsOf(std::string_view group) const;
  // Groups of a host without `all`, sorted by name (the magic variable group_names).
  [[nodiscard]] std::vector<std::string> GroupsOf(std::string_view host) const;
  // Variables of a host by precedence 2 to 10 of the reference; magic variables are not among them.
  [[nodiscard]] Value VarsOf(std::string_view host) const;

 private:
  [[nodiscard]] std::vector<const InventoryGroup*> AncestorsOf(const InventoryHost& host) const;
  void SettleUngrouped();
  void SettleDepths();

  std::map<std::string, InventoryHost, std::less<>> hosts_;
  std::map<std::string, InventoryGroup, std::less<>> groups_;
  std::vector<std::string> host_order_;
  std::vector<std::string> group_order_;
};

// Sets a member of an object, replacing an earlier one of the same name.
void SetVar(Value& vars, const std::string& name, Value value);

}  // namespace drover
