#include "orchestrator/playbook/keyword_reader.h"

#include <algorithm>

#include "orchestrator/playbook/tags.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

bool IsVariableName(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

void KeywordReader::Say(const Place& place, std::string message, std::string hint) {
  diagnostics_.push_back(Diagnostic{place, std::move(message), std::move(hint)});
}

std::optional<bool> KeywordReader::Bool(const std::string& keyword, const YamlNode& node) {
  const Value value = ToValue(node);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) {
    for (const char* word : {"yes", "true", "on", "True"}) {
      if (value == word) return true;
    }
    for (const char* word : {"no", "false", "off", "False"}) {
      if (value == word) return false;
    }
  }
  const bool templated = node.is_scalar() && HasTemplate(node.scalar);
  Say(node.place, "keyword \"" + keyword + "\" takes true or false, not " +
                      (templated ? "a template" : TypeName(value)));
  return std::nullopt;
}

std::optional<std::string> KeywordReader::Text(const std::string& keyword, const YamlNode& node) {
  if (node.is_scalar() && !HasTemplate(node.scalar)) return node.scalar;
  Say(node.place, "keyword \"" + keyword + "\" takes a plain text, not " +
                      (node.is_scalar() ? "a template" : TypeName(ToValue(node))));
  return std::nullopt;
}

std::optional<int> KeywordReader::Integer(const std::string& keyword, const YamlNode& node,
                                          int least, int most) {
  const Value value = ToValue(node);
  if (value.is_number_integer() && value >= least && value <= most) return value.get<int>();
  Say(node.place, "keyword \"" + keyword + "\" takes a number from " + std::to_string(least) +
                      " to " + std::to_string(most) + ", not " +
                      (value.is_number() ? value.dump() : TypeName(value)));
  return std::nullopt;
}

std::vector<std::string> KeywordReader::Tags(const YamlNode& node) {
  std::vector<std::string> tags;
  const auto add = [&](const YamlNode& item) {
    if (!item.is_scalar() || HasTemplate(item.scalar)) {
      Say(item.place, "tags are plain words");
      return;
    }
    for (auto& tag : SplitTags(item.scalar)) tags.push_back(std::move(tag));
  };
  if (node.is_sequence()) {
    for (const auto& item : node.items) add(item);
  } else if (!node.is_null()) {
    add(node);
  }
  return tags;
}

YamlNode KeywordReader::Vars(const YamlNode& node) {
  if (node.is_null()) return node;
  if (!node.is_mapping()) {
    Say(node.place, "\"vars\" takes a mapping of names and values, not " + TypeName(ToValue(node)));
    return YamlNode{};
  }
  for (const auto& [key, value] : node.entries) {
    const std::string name = KeyOf(key);
    if (!IsVariableName(name)) {
      Say(key.place, "\"" + name + "\" is no name of a variable",
          "names are made of letters, digits and \"_\", and begin with no digit");
    }
  }
  CheckTemplates(node, diagnostics_);
  return node;
}

bool KeywordReader::Common(const std::string& keyword, const YamlNode& node,
                           CommonKeywords& common) {
  if (keyword == "become") {
    common.become = Bool(keyword, node).value_or(false);
  } else if (keyword == "no_log") {
    common.no_log = Bool(keyword, node);
  } else if (keyword == "ignore_errors") {
    common.ignore_errors = Bool(keyword, node);
  } else if (keyword == "check_mode") {
    common.check_mode = Bool(keyword, node);
  } else if (keyword == "diff") {
    common.diff = Bool(keyword, node);
  } else if (keyword == "tags") {
    common.tags = Tags(node);
  } else if (keyword == "vars") {
    common.vars = Vars(node);
  } else if (keyword == "become_user") {
    const auto user = Text(keyword, node);
    if (user && *user != "root") {
      Say(node.place, "Drover becomes root and nobody else, not \"" + *user + "\"");
    }
  } else if (keyword == "become_method") {
    const auto method = Text(keyword, node);
    if (method && *method != "sudo") {
      Say(node.place, "Drover becomes root by sudo, not by \"" + *method + "\"");
    }
  } else {
    return false;
  }
  return true;
}

}  // namespace drover
