// A YAML document as a tree that remembers where each part stands, with scalars still as written.
// Scalars become values by YAML 1.1's rules, as Ansible (PyYAML) reads them: yes/on are true, 0777
// is octal, 12:30 is sexagesimal.
//
// yaml-cpp parses (yaml_parser.cc, the only file that includes it); duplicate keys, merge keys and
// scalar types are ours. Text that is JSON is read as JSON, as Ansible does: there 1e3 is a number.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"

namespace drover {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  Place place;
  std::string scalar;              // as written, without quotes
  bool plain = true;               // false: quoted or a block scalar, so always a string
  std::string tag;                 // explicit tag such as "!!int"; empty without one
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a mapping, in the order of writing

  [[nodiscard]] bool is_mapping() const { return kind == Kind::kMapping; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::kSequence; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  // The value under `key` in a mapping, or nullptr.
  [[nodiscard]] const YamlNode* Find(std::string_view key) const;
};

// One key of a mapping with its value. A type of its own, because a pair of an unfinished type is
// none.
struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// One document. Syntax errors, duplicate keys, more than one document, unknown tags and too deep
// nesting (100) are diagnostics. Anchors, aliases and merge keys (<<) are resolved. An empty file
// is a null node.
Parsed<YamlNode> ParseYaml(const SourceFilePtr& file);

// The value by YAML 1.1. Mapping keys must be scalars and become strings as PyYAML + JSON would
// print them.
Value ToValue(const YamlNode& node);

// A mapping's key as ToValue names it: `yes:` is "true", `0x10:` is "16", `"yes":` is "yes".
std::string KeyOf(const YamlNode& key);

// Reads a whole file (at most 16 MiB, UTF-8, a byte order mark is dropped). The error says which
// file and why.
Parsed<SourceFilePtr> ReadSource(const std::string& path);

}  // namespace drover
