#include "orchestrator/source/yaml_node.h"

#include "orchestrator/source/yaml_scalar.h"

namespace drover {

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.is_scalar() && name.scalar == key) return &value;
  }
  return nullptr;
}

std::string KeyOf(const YamlNode& key) {
  if (key.is_null()) return "null";
  return KeyText(ReadScalar(key.scalar, key.plain, key.tag).value);
}

Value ToValue(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return Value();
    case YamlNode::Kind::kScalar:
      return ReadScalar(node.scalar, node.plain, node.tag).value;
    case YamlNode::Kind::kSequence: {
      Value list = Value::array();
      for (const YamlNode& item : node.items) list.push_back(ToValue(item));
      return list;
    }
    case YamlNode::Kind::kMapping: {
      Value object = Value::object();
      // Keys are unique already; looking each one up again would be quadratic.
      auto& members = object.get_ref<Value::object_t&>();
      members.reserve(node.entries.size());
      for (const auto& [key, value] : node.entries) {
        members.emplace_back(KeyOf(key), ToValue(value));
      }
      return object;
    }
  }
  return Value();
}

}  // namespace drover
