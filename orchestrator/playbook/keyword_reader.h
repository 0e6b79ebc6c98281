// Reads the values of keywords, which are plain: true, a word, a list of words. Templates in them
// are refused by name.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/playbook/playbook.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {

class KeywordReader {
 public:
  explicit KeywordReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  std::optional<bool> Bool(const std::string& keyword, const YamlNode& node);
  std::optional<std::string> Text(const std::string& keyword, const YamlNode& node);
  // An integer of at least `least`.
  std::optional<int> Integer(const std::string& keyword, const YamlNode& node, int least, int most);
  // "a, b" or a list.
  std::vector<std::string> Tags(const YamlNode& node);
  // A mapping of variables; a list of mappings is refused, as Ansible deprecated it.
  YamlNode Vars(const YamlNode& node);
  // Takes the keywords that plays and tasks share. False: not one of them.
  bool Common(const std::string& keyword, const YamlNode& node, CommonKeywords& common);
  void Say(const Place& place, std::string message, std::string hint = "");

 private:
  Diagnostics& diagnostics_;
};

}  // namespace drover
