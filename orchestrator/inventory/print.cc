#include "orchestrator/inventory/print.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "orchestrator/inventory/pattern.h"
#include "orchestrator/source/python_number.h"
#include "orchestrator/source/yaml_scalar.h"

namespace drover {
namespace {

// Names that Ansible computes itself and never prints.
constexpr std::array<std::string_view, 18> kMagic = {"ansible_config_file",
                                                     "ansible_diff_mode",
                                                     "ansible_facts",
                                                     "ansible_forks",
                                                     "ansible_inventory_sources",
                                                     "ansible_limit",
                                                     "ansible_playbook_python",
                                                     "ansible_run_tags",
                                                     "ansible_skip_tags",
                                                     "ansible_verbosity",
                                                     "ansible_version",
                                                     "inventory_dir",
                                                     "inventory_file",
                                                     "inventory_hostname",
                                                     "inventory_hostname_short",
                                                     "groups",
                                                     "group_names",
                                                     "playbook_dir"};

void AppendText(const std::string& text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const std::size_t at = kSpecial.find(c); at != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kLetters[at]);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned char>(c));
      out += escape.data();
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void AppendJson(const Value& value, std::size_t indent, std::string& out);

// Opens a line for each item, `append` writes the item.
template <typename Items, typename Append>
void AppendItems(const Items& items, char open, char close, std::size_t indent, std::string& out,
                 Append append) {
  out.push_back(open);
  bool first = true;
  for (const auto& item : items) {
    if (!first) out.push_back(',');
    first = false;
    out += "\n" + std::string(indent + 4, ' ');
    append(item);
  }
  if (!first) out += "\n" + std::string(indent, ' ');
  out.push_back(close);
}

void AppendObject(const Value& object, std::size_t indent, std::string& out) {
  using Member = std::pair<const std::string*, const Value*>;
  std::vector<Member> members;
  for (const auto& [name, value] : object.get_ref<const Value::object_t&>()) {
    members.emplace_back(&name, &value);
  }
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return *a.first < *b.first; });
  AppendItems(members, '{', '}', indent, out, [&](const Member& member) {
    AppendText(*member.first, out);
    out += ": ";
    AppendJson(*member.second, indent + 4, out);
  });
}

void AppendJson(const Value& value, std::size_t indent, std::string& out) {
  if (value.is_object()) {
    AppendObject(value, indent, out);
  } else if (value.is_array()) {
    AppendItems(value, '[', ']', indent, out,
                [&](const Value& item) { AppendJson(item, indent + 4, out); });
  } else if (value.is_string()) {
    AppendText(value.get_ref<const std::string&>(), out);
  } else {
    out += KeyText(value);
  }
}

Value PrintableVars(const Inventory& inventory, std::string_view host) {
  Value vars = inventory.VarsOf(host);
  for (const std::string_view magic : kMagic) vars.erase(std::string(magic));
  return vars;
}

void AppendGraph(const Inventory& inventory, const InventoryGroup& group, std::size_t depth,
                 std::string& out) {
  const auto line = [&out](std::size_t level, const std::string& text) {
    for (std::size_t i = 0; i < level; ++i) out += "  |";
    if (level > 0) out += "--";
    out += text + "\n";
  };
  line(depth, "@" + group.name + ":");
  for (const std::string& child : group.children) {
    AppendGraph(inventory, *inventory.FindGroup(child), depth + 1, out);
  }
  if (group.name == "all") return;
  for (const std::string& host : group.hosts) line(depth + 1, host);
}

// The groups below (and with) `root`.
std::set<std::string> Below(const Inventory& inventory, const std::string& root) {
  std::set<std::string> found = {root};
  std::vector<std::string> open = {root};
  while (!open.empty()) {
    const InventoryGroup* group = inventory.FindGroup(open.back());
    open.pop_back();
    for (const std::string& child : group->children) {
      if (found.insert(child).second) open.push_back(child);
    }
  }
  return found;
}

}  // namespace

std::string PrintJson(const Value& value) {
  std::string out;
  AppendJson(value, 0, out);
  return out;
}

std::string PrintList(const Inventory& inventory) {
  Value list = Value::object();
  auto& members = list.get_ref<Value::object_t&>();
  Value hostvars = Value::object();
  auto& hosts = hostvars.get_ref<Value::object_t&>();
  for (const std::string& host : inventory.HostNames()) {
    Value vars = PrintableVars(inventory, host);
    if (!vars.empty()) hosts.emplace_back(host, std::move(vars));
  }
  Value meta = Value::object();
  meta["hostvars"] = std::move(hostvars);
  members.emplace_back("_meta", std::move(meta));
  for (const std::string& name : Below(inventory, "all")) {
    const InventoryGroup& group = *inventory.FindGroup(name);
    Value body = Value::object();
    if (name != "all" && !group.hosts.empty()) body["hosts"] = group.hosts;
    if (!group.children.empty()) body["children"] = group.children;
    if (!body.empty()) members.emplace_back(name, std::move(body));
  }
  return PrintJson(list) + "\n";
}

Parsed<std::string> PrintHost(const Inventory& inventory, std::string_view pattern) {
  const auto hosts = SelectHosts(inventory, pattern, {});
  if (!hosts) return Wrong(hosts.error());
  if (hosts->size() != 1) {
    return Wrong({}, "\"" + std::string(pattern) + "\" selects " + std::to_string(hosts->size()) +
                         " hosts, but one is wanted");
  }
  return PrintJson(PrintableVars(inventory, hosts->front())) + "\n";
}

Parsed<std::string> PrintGraph(const Inventory& inventory, std::string_view group) {
  const std::string name(group.empty() ? "all" : group);
  const InventoryGroup* found = inventory.FindGroup(name);
  if (found == nullptr) {
    return Wrong({}, "there is no group \"" + name + "\"",
                 DidYouMean(name, inventory.GroupNames()));
  }
  std::string out;
  AppendGraph(inventory, *found, 0, out);
  return out;
}

Parsed<std::string> PrintHosts(const Inventory& inventory, std::string_view pattern) {
  const auto hosts = SelectHosts(inventory, pattern, {});
  if (!hosts) return Wrong(hosts.error());
  std::string out = "  hosts (" + std::to_string(hosts->size()) + "):\n";
  for (const std::string& host : *hosts) out += "    " + host + "\n";
  return out;
}

}  // namespace drover
