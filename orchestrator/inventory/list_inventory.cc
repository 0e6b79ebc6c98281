// The JSON that `ansible-inventory --list` and inventory scripts print: groups with lists of hosts
// and children, and every host's variables under _meta.
#include "orchestrator/inventory/builder.h"

namespace drover {
namespace {

class Reader {
 public:
  explicit Reader(InventoryBuilder& builder) : builder_(builder) {}

  void ReadAll(const YamlNode& root) {
    for (const auto& [key, body] : root.entries) {
      if (KeyOf(key) != "_meta") ReadGroup(KeyOf(key), key.place, body);
    }
    const YamlNode* hostvars = root.Find("_meta")->Find("hostvars");
    if (!IsMapping(*hostvars, "hostvars")) return;
    for (const auto& [key, vars] : hostvars->entries) ReadHostVars(KeyOf(key), key.place, vars);
  }

 private:
  bool IsMapping(const YamlNode& node, const std::string& what) {
    if (node.is_mapping() || node.is_null()) return true;
    builder_.Complain(node.place, what + " must be a mapping");
    return false;
  }

  void ReadGroup(const std::string& group, const Place& place, const YamlNode& body) {
    builder_.Group(group, place);
    if (body.is_sequence()) {
      ReadHosts(group, body);
      return;
    }
    if (!IsMapping(body, "the group \"" + group + "\"")) return;
    for (const auto& [key, content] : body.entries) {
      const std::string section = KeyOf(key);
      if (section == "hosts") {
        ReadHosts(group, content);
      } else if (section == "children") {
        ReadChildren(group, content);
      } else if (section == "vars") {
        ReadGroupVars(group, content);
      } else {
        builder_.Complain(key.place, "a group has no key \"" + section + "\"",
                          DidYouMean(section, {"hosts", "vars", "children"}));
      }
    }
  }

  // The items of a list of names; complains about everything else.
  std::vector<const YamlNode*> Names(const YamlNode& list, const std::string& what) {
    std::vector<const YamlNode*> names;
    if (!list.is_sequence()) {
      builder_.Complain(list.place, what + " must be a list of names");
      return names;
    }
    for (const YamlNode& item : list.items) {
      if (item.is_scalar() && ToValue(item).is_string() && !item.scalar.empty()) {
        names.push_back(&item);
      } else {
        builder_.Complain(item.place, what + " must be a list of names, and this is none");
      }
    }
    return names;
  }

  // Names stand for themselves here: no ranges, no ports.
  void ReadHosts(const std::string& group, const YamlNode& content) {
    for (const YamlNode* name : Names(content, "hosts")) {
      builder_.Host(name->scalar, group, name->place);
    }
  }

  void ReadChildren(const std::string& group, const YamlNode& content) {
    for (const YamlNode* name : Names(content, "children")) {
      builder_.Group(name->scalar, name->place);
      builder_.Child(group, name->scalar, name->place);
    }
  }

  void ReadGroupVars(const std::string& group, const YamlNode& content) {
    if (!IsMapping(content, "vars")) return;
    for (const auto& [key, value] : content.entries) {
      builder_.GroupVar(group, {KeyOf(key), ToValue(value), value.place});
    }
  }

  void ReadHostVars(const std::string& host, const Place& place, const YamlNode& vars) {
    if (!IsMapping(vars, "the variables of \"" + host + "\"")) return;
    if (builder_.inventory().FindHost(host) == nullptr) {
      builder_.Warn(place, "the host \"" + host + "\" has variables but is in no group");
      return;
    }
    for (const auto& [key, value] : vars.entries) {
      builder_.HostVar(host, {KeyOf(key), ToValue(value), value.place});
    }
  }

  InventoryBuilder& builder_;
};

}  // namespace

bool IsListInventory(const YamlNode& root) {
  const YamlNode* meta = root.Find("_meta");
  return meta != nullptr && meta->is_mapping() && meta->Find("hostvars") != nullptr;
}

void ReadListInventory(const YamlNode& root, InventoryBuilder& builder) {
  Reader(builder).ReadAll(root);
}

}  // namespace drover
