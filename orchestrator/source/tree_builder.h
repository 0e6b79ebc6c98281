// What the YAML and the JSON reader share: putting nodes together under limits, duplicate keys,
// merge keys.
//
// Pure; internal to this folder.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "orchestrator/source/yaml_node.h"

namespace drover {

// Nesting beyond this is no document a person wrote.
inline constexpr std::size_t kMaxDepth = 100;
// Nodes that aliases and merge keys may add by copying: stops "billion laughs". What is written out
// is bounded by the size of the file.
inline constexpr std::size_t kMaxCopiedNodes = 200'000;

// Builds one tree from a stream of events. After Stop() further events are ignored.
class TreeBuilder {
 public:
  void Scalar(YamlNode node, std::size_t anchor = 0);
  void Begin(YamlNode collection, std::size_t anchor = 0);
  void End();
  void Alias(std::size_t anchor, const Place& place);

  void Complain(Place place, std::string message, std::string hint = "");
  // Complains and ignores what follows.
  void Stop(Place place, std::string message, std::string hint = "");
  [[nodiscard]] bool stopped() const { return stopped_; }
  // Is a mapping's key expected next?
  [[nodiscard]] bool wants_key() const;
  // The key of the open mapping that still waits for its value, or nullptr.
  [[nodiscard]] const YamlNode* pending_key() const;
  Parsed<YamlNode> Take();

 private:
  struct Frame {
    YamlNode node;
    std::size_t anchor = 0;
    std::size_t first_node = 0;  // nodes counted before it began
    bool has_key = false;
    YamlNode key;
  };
  struct Anchored {
    YamlNode node;
    std::size_t nodes = 0;
  };

  bool CountCopies(std::size_t nodes, const Place& place);
  void Attach(YamlNode node);
  void FinishMapping(YamlNode& mapping);
  void CollectMerged(const YamlNode& source, std::vector<YamlEntry>& merged);

  std::vector<Frame> open_;
  std::unordered_map<std::size_t, Anchored> anchors_;
  YamlNode root_;
  std::size_t nodes_ = 0;
  std::size_t copied_ = 0;
  bool stopped_ = false;
  Diagnostics diagnostics_;
};

}  // namespace drover
