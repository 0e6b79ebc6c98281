// The YAML inventory: a mapping of groups, each with hosts, vars and children. What Ansible skips
// with a warning (unknown keys, groups that are no mapping) is an error here.
#include "orchestrator/inventory/builder.h"
#include "orchestrator/source/yaml_scalar.h"

namespace drover {
namespace {

// A key that is text, as names must be; numbers and booleans are complained about.
bool IsName(const YamlNode& key) {
  return key.is_scalar() && ReadScalar(key.scalar, key.plain, key.tag).value.is_string();
}

class Reader {
 public:
  explicit Reader(InventoryBuilder& builder) : builder_(builder) {}

  void ReadAll(const YamlNode& root) {
    for (const auto& [name, body] : root.entries) ReadGroup(name, body);
  }

 private:
  // The group's name, or empty when it has none.
  std::string ReadGroup(const YamlNode& key, const YamlNode& body) {
    if (!IsName(key) || key.scalar.empty()) {
      builder_.Complain(key.place, "a group's name must be text, not " + Describe(key),
                        "put it in quotes");
      return "";
    }
    const std::string name = key.scalar;
    builder_.Group(name, key.place);
    if (body.is_null()) return name;
    if (!body.is_mapping()) {
      builder_.Complain(body.place, "the group \"" + name + "\" must be a mapping",
                        "with the keys hosts, vars and children");
      return name;
    }
    for (const auto& [section, content] : body.entries) ReadSection(name, section, content);
    return name;
  }

  static std::string Describe(const YamlNode& key) {
    return key.is_null() || key.scalar.empty() ? "empty" : key.scalar;
  }

  void ReadSection(const std::string& group, const YamlNode& section, const YamlNode& content) {
    const std::string name = KeyOf(section);
    if (name == "hosts") {
      ReadHosts(group, content);
    } else if (name == "vars") {
      ReadVars(group, content);
    } else if (name == "children") {
      ReadChildren(group, content);
    } else {
      std::string hint = DidYouMean(name, {"hosts", "vars", "children"});
      if (content.is_mapping() && hint.starts_with("one of")) {
        hint += "; a group inside a group stands under children:";
      }
      builder_.Complain(section.place, "a group has no key \"" + name + "\"", hint);
    }
  }

  // A section is a mapping, nothing, or one name by itself.
  bool CheckSection(const std::string& what, const YamlNode& content) {
    if (content.is_mapping() || content.is_null()) return true;
    builder_.Complain(
        content.place,
        what + " must be a mapping, not a " + (content.is_sequence() ? "list" : "single value"),
        content.is_sequence() ? "write \"name:\" instead of \"- name\"" : "");
    return false;
  }

  void ReadHosts(const std::string& group, const YamlNode& content) {
    if (content.is_scalar() && IsName(content)) {
      builder_.Hosts(content.scalar, group, content.place, {});
      return;
    }
    if (!CheckSection("hosts", content)) return;
    for (const auto& [key, body] : content.entries) ReadHost(group, key, body);
  }

  void ReadHost(const std::string& group, const YamlNode& key, const YamlNode& body) {
    if (!IsName(key)) {
      builder_.Complain(key.place, "a host's name must be text, not " + Describe(key),
                        "put it in quotes");
      return;
    }
    if (key.scalar.ends_with(':')) {
      builder_.Complain(key.place, "a host name cannot end in \":\"", "");
      return;
    }
    if (!body.is_mapping() && !body.is_null()) {
      builder_.Complain(body.place, "the variables of \"" + key.scalar + "\" must be a mapping",
                        "");
      return;
    }
    builder_.Hosts(key.scalar, group, key.place, VarsIn(body));
  }

  void ReadVars(const std::string& group, const YamlNode& content) {
    if (!CheckSection("vars", content)) return;
    for (InventoryVar& var : VarsIn(content)) builder_.GroupVar(group, std::move(var));
  }

  static std::vector<InventoryVar> VarsIn(const YamlNode& mapping) {
    std::vector<InventoryVar> vars;
    for (const auto& [key, value] : mapping.entries) {
      vars.push_back({KeyOf(key), ToValue(value), value.place});
    }
    return vars;
  }

  // The child's own body comes first, then the edge: as in Ansible, it decides the order of groups.
  void ReadChildren(const std::string& group, const YamlNode& content) {
    if (content.is_scalar() && IsName(content)) {
      builder_.Group(content.scalar, content.place);
      builder_.Child(group, content.scalar, content.place);
      return;
    }
    if (!CheckSection("children", content)) return;
    for (const auto& [key, body] : content.entries) {
      const std::string child = ReadGroup(key, body);
      if (!child.empty()) builder_.Child(group, child, key.place);
    }
  }

  InventoryBuilder& builder_;
};

}  // namespace

void ReadYamlInventory(const YamlNode& root, InventoryBuilder& builder) {
  if (const YamlNode* plugin = root.Find("plugin"); plugin != nullptr && !plugin->is_mapping()) {
    builder.Complain(plugin->place,
                     "this configures an inventory plugin, which only Ansible can run",
                     "save what it finds: ansible-inventory -i THIS --list > hosts.json");
    return;
  }
  Reader(builder).ReadAll(root);
}

}  // namespace drover
