#include "orchestrator/inventory/inventory.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace drover {
namespace {

constexpr const char* kAll = "all";
constexpr const char* kUngrouped = "ungrouped";

template <typename List, typename Item>
bool Contains(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Lays variables over each other, later ones winning, in linear time: an ordered object searches
// from the front for every key.
class VarsMerger {
 public:
  void Add(const Value& vars) {
    if (!vars.is_object()) return;
    for (const auto& [name, value] : vars.get_ref<const Value::object_t&>()) {
      const auto [at, fresh] = index_.try_emplace(name, members_.size());
      if (fresh) {
        members_.emplace_back(&name, &value);
      } else {
        members_[at->second].second = &value;
      }
    }
  }
  [[nodiscard]] Value Take() const {
    Value out = Value::object();
    auto& object = out.get_ref<Value::object_t&>();
    object.reserve(members_.size());
    for (const auto& [name, value] : members_) object.emplace_back(*name, *value);
    return out;
  }

 private:
  std::unordered_map<std::string_view, std::size_t> index_;
  std::vector<std::pair<const std::string*, const Value*>> members_;
};

}  // namespace

Inventory::Inventory() {
  AddGroup(kAll, {});
  AddGroup(kUngrouped, {});
  AddChild(kAll, kUngrouped);
}

InventoryHost& Inventory::AddHost(const std::string& name, const Place& place) {
  const auto [at, fresh] = hosts_.try_emplace(name);
  if (fresh) {
    at->second.name = name;
    at->second.place = place;
    host_order_.push_back(name);
  }
  return at->second;
}

InventoryGroup& Inventory::AddGroup(const std::string& name, const Place& place) {
  const auto [at, fresh] = groups_.try_emplace(name);
  if (fresh) {
    at->second.name = name;
    group_order_.push_back(name);
  }
  if (!at->second.place.file) at->second.place = place;
  return at->second;
}

void Inventory::AddHostToGroup(const std::string& host, const std::string& group) {
  InventoryHost& member = hosts_.at(host);
  if (Contains(member.groups, group)) return;
  member.groups.push_back(group);
  groups_.at(group).hosts.push_back(host);
}

std::string Inventory::AddChild(const std::string& parent, const std::string& child) {
  if (parent == child) return "the group \"" + child + "\" cannot be a child of itself";
  if (child == kAll || (child == kUngrouped && parent != kAll)) {
    return "the group \"" + child + "\" cannot be a child of another group";
  }
  InventoryGroup& below = groups_.at(child);
  if (Contains(below.parents, parent)) return "";
  // Upwards from the parent: if the child is there, the new edge would close a circle.
  std::vector<std::string> open = {parent};
  std::unordered_set<std::string> seen = {parent};
  while (!open.empty()) {
    const InventoryGroup& group = groups_.at(open.back());
    open.pop_back();
    for (const std::string& above : group.parents) {
      if (above == child) {
        return "the group \"" + child + "\" is above \"" + parent +
               "\" already, so it cannot be its child";
      }
      if (seen.insert(above).second) open.push_back(above);
    }
  }
  groups_.at(parent).children.push_back(child);
  below.parents.push_back(parent);
  return "";
}

// A host in another group leaves `ungrouped`, one in no group enters it.
void Inventory::SettleUngrouped() {
  InventoryGroup& ungrouped = groups_.at(kUngrouped);
  std::erase_if(ungrouped.hosts, [this](const std::string& name) {
    InventoryHost& host = hosts_.at(name);
    const bool elsewhere =
        std::any_of(host.groups.begin(), host.groups.end(),
                    [](const std::string& group) { return group != kAll && group != kUngrouped; });
    if (elsewhere) std::erase(host.groups, kUngrouped);
    return elsewhere;
  });
  for (const std::string& name : host_order_) {
    const InventoryHost& host = hosts_.at(name);
    const bool nowhere =
        host.groups.empty() || (host.groups.size() == 1 && host.groups.front() == kAll);
    if (nowhere) AddHostToGroup(name, kUngrouped);
  }
}

// In an order where parents come before children, so each depth is final when it is passed on.
void Inventory::SettleDepths() {
  std::map<std::string_view, std::size_t> waiting;
  for (auto& [name, group] : groups_) {
    group.depth = 0;
    waiting[name] = group.parents.size();
  }
  std::vector<InventoryGroup*> ready = {&groups_.at(kAll)};
  while (!ready.empty()) {
    const InventoryGroup* group = ready.back();
    ready.pop_back();
    for (const std::string& child : group->children) {
      InventoryGroup& below = groups_.at(child);
      below.depth = std::max(below.depth, group->depth + 1);
      if (--waiting[child] == 0) ready.push_back(&below);
    }
  }
}

void Inventory::Finish() {
  for (const std::string& name : group_order_) {
    if (name != kAll && groups_.at(name).parents.empty()) AddChild(kAll, name);
  }
  SettleUngrouped();
  SettleDepths();
}

void Inventory::RemoveHost(const std::string& name) {
  hosts_.erase(name);
  std::erase(host_order_, name);
  for (auto& [group, of] : groups_) std::erase(of.hosts, name);
}

const InventoryHost* Inventory::FindHost(std::string_view name) const {
  const auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : &found->second;
}

const InventoryGroup* Inventory::FindGroup(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

InventoryHost* Inventory::FindHost(std::string_view name) {
  const auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : &found->second;
}

InventoryGroup* Inventory::FindGroup(std::string_view name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

std::vector<std::string> Inventory::HostNames() const { return HostsOf(kAll); }

std::vector<std::string> Inventory::HostsInOrderOfWriting() const { return host_order_; }

std::vector<std::string> Inventory::GroupNames() const { return group_order_; }

std::vector<std::string> Inventory::HostsOf(std::string_view group) const {
  std::vector<std::string> hosts;
  const InventoryGroup* root = FindGroup(group);
  if (root == nullptr) return hosts;
  std::vector<const InventoryGroup*> order = {root};
  std::unordered_set<const InventoryGroup*> seen = {root};
  std::unordered_set<std::string_view> listed;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const InventoryGroup* at = order[i];
    for (const std::string& host : at->hosts) {
      if (listed.insert(host).second) hosts.push_back(host);
    }
    for (const std::string& child : at->children) {
      const InventoryGroup* below = FindGroup(child);
      if (seen.insert(below).second) order.push_back(below);
    }
  }
  return hosts;
}

// All groups above a host but `all`, in no particular order.
std::vector<const InventoryGroup*> Inventory::AncestorsOf(const InventoryHost& host) const {
  std::vector<const InventoryGroup*> found;
  const auto add = [&](const std::string& name) {
    const InventoryGroup* group = FindGroup(name);
    if (name != kAll && !Contains(found, group)) found.push_back(group);
  };
  for (const std::string& name : host.groups) add(name);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::vector<std::string>& parents = found[i]->parents;
    for (const std::string& parent : parents) add(parent);
  }
  return found;
}

std::vector<std::string> Inventory::GroupsOf(std::string_view host) const {
  std::vector<std::string> names;
  const InventoryHost* found = FindHost(host);
  if (found == nullptr) return names;
  for (const InventoryGroup* group : AncestorsOf(*found)) names.push_back(group->name);
  std::sort(names.begin(), names.end());
  return names;
}

Value Inventory::VarsOf(std::string_view host) const {
  const InventoryHost* found = FindHost(host);
  if (found == nullptr) return Value::object();
  const InventoryGroup& all = groups_.at(kAll);
  std::vector<const InventoryGroup*> groups = AncestorsOf(*found);
  std::sort(groups.begin(), groups.end(), [](const InventoryGroup* a, const InventoryGroup* b) {
    return std::tie(a->depth, a->priority, a->name) < std::tie(b->depth, b->priority, b->name);
  });
  VarsMerger merger;
  merger.Add(all.vars);
  for (const InventoryGroup* group : groups) merger.Add(group->vars);
  for (const Value& vars : all.files_vars) merger.Add(vars);
  merger.Add(all.playbook_vars);
  // Directory by directory: a parent's file in a later directory beats a child's in an earlier one.
  std::size_t directories = 0;
  for (const InventoryGroup* group : groups) {
    directories = std::max(directories, group->files_vars.size());
  }
  for (std::size_t i = 0; i < directories; ++i) {
    for (const InventoryGroup* group : groups) {
      if (i < group->files_vars.size()) merger.Add(group->files_vars[i]);
    }
  }
  for (const InventoryGroup* group : groups) merger.Add(group->playbook_vars);
  merger.Add(found->vars);
  merger.Add(found->files_vars);
  return merger.Take();
}

void SetVar(Value& vars, const std::string& name, Value value) { vars[name] = std::move(value); }

}  // namespace drover
