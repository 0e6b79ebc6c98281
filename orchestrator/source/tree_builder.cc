#include "orchestrator/source/tree_builder.h"

#include "orchestrator/source/yaml_scalar.h"

namespace drover {
namespace {

using Entries = std::vector<YamlEntry>;

std::string Where(const Place& place) {
  return (place.file ? place.file->name + ":" : "") + std::to_string(place.line) + ":" +
         std::to_string(place.column);
}

}  // namespace

void TreeBuilder::Complain(Place place, std::string message, std::string hint) {
  diagnostics_.push_back({std::move(place), std::move(message), std::move(hint)});
}

void TreeBuilder::Stop(Place place, std::string message, std::string hint) {
  if (stopped_) return;
  Complain(std::move(place), std::move(message), std::move(hint));
  stopped_ = true;
}

bool TreeBuilder::wants_key() const {
  return !open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key;
}

const YamlNode* TreeBuilder::pending_key() const {
  return !open_.empty() && open_.back().has_key ? &open_.back().key : nullptr;
}

bool TreeBuilder::CountCopies(std::size_t nodes, const Place& place) {
  nodes_ += nodes;
  copied_ += nodes;
  if (copied_ <= kMaxCopiedNodes) return true;
  Stop(place, "the document grows too large by its aliases",
       "are aliases nested in aliases? " + std::to_string(kMaxCopiedNodes) + " copies are allowed");
  return false;
}

void TreeBuilder::Scalar(YamlNode node, std::size_t anchor) {
  if (stopped_) return;
  ++nodes_;
  const bool merges = wants_key() && IsMergeKey(node.scalar, node.plain, node.tag);
  if (node.is_scalar() && !merges) {
    const ScalarReading reading = ReadScalar(node.scalar, node.plain, node.tag);
    if (!reading.problem.empty()) {
      Complain(node.place, reading.problem, "put it in quotes if it is text");
    }
  }
  if (anchor != 0) anchors_[anchor] = {node, 1};
  Attach(std::move(node));
}

void TreeBuilder::Begin(YamlNode collection, std::size_t anchor) {
  if (stopped_) return;
  ++nodes_;
  if (open_.size() >= kMaxDepth) {
    Stop(collection.place, "this is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    return;
  }
  if (anchor != 0) anchors_.erase(anchor);
  open_.push_back({std::move(collection), anchor, nodes_ - 1, false, {}});
}

void TreeBuilder::End() {
  if (stopped_ || open_.empty()) return;
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (frame.node.is_mapping()) FinishMapping(frame.node);
  if (frame.anchor != 0) anchors_[frame.anchor] = {frame.node, nodes_ - frame.first_node};
  Attach(std::move(frame.node));
}

void TreeBuilder::Alias(std::size_t anchor, const Place& place) {
  if (stopped_) return;
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) {
    Stop(place, "this alias stands inside the value that it names");
    return;
  }
  if (!CountCopies(found->second.nodes, place)) return;
  YamlNode copy = found->second.node;
  copy.place = place;
  Attach(std::move(copy));
}

void TreeBuilder::Attach(YamlNode node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  if (frame.node.is_sequence()) {
    frame.node.items.push_back(std::move(node));
  } else if (!frame.has_key) {
    frame.has_key = true;
    if (node.is_mapping() || node.is_sequence()) {
      // {{ x }} without quotes is a mapping with a mapping as its key.
      const bool braces = node.is_mapping() && frame.node.place.line == node.place.line &&
                          frame.node.place.column + 1 == node.place.column;
      Complain(braces ? frame.node.place : node.place, "a key must be a single word or text",
               braces ? "put a value that begins with {{ in quotes: \"{{ … }}\"" : "");
      node = YamlNode{};
      node.kind = YamlNode::Kind::kScalar;
      node.plain = false;
      node.tag = "!broken";
    }
    frame.key = std::move(node);
  } else {
    frame.has_key = false;
    // A key that was complained about must not be called a duplicate as well.
    if (frame.key.tag == "!broken") return;
    frame.node.entries.push_back({std::move(frame.key), std::move(node)});
  }
}

void TreeBuilder::CollectMerged(const YamlNode& source, Entries& merged) {
  if (source.is_mapping()) {
    merged.insert(merged.end(), source.entries.begin(), source.entries.end());
    return;
  }
  bool fine = source.is_sequence();
  // The first of a list wins, so it comes last.
  for (auto item = source.items.rbegin(); item != source.items.rend(); ++item) {
    fine = fine && item->is_mapping();
    merged.insert(merged.end(), item->entries.begin(), item->entries.end());
  }
  if (!fine) Complain(source.place, "\"<<\" merges a mapping or a list of mappings, not this");
}

// Merge keys first, so that the mapping's own keys win; then duplicates among its own are errors.
void TreeBuilder::FinishMapping(YamlNode& mapping) {
  Entries merged;
  Entries own;
  for (auto& [key, value] : mapping.entries) {
    if (key.is_scalar() && IsMergeKey(key.scalar, key.plain, key.tag)) {
      CollectMerged(value, merged);
    } else {
      own.push_back({std::move(key), std::move(value)});
    }
  }
  CountCopies(merged.size(), mapping.place);
  Entries all;
  all.reserve(merged.size() + own.size());
  std::unordered_map<std::string, std::size_t> index;
  for (auto& entry : merged) {
    const auto [at, fresh] = index.try_emplace(KeyOf(entry.key), all.size());
    if (fresh) {
      all.push_back(std::move(entry));
    } else {
      all[at->second] = std::move(entry);
    }
  }
  std::unordered_map<std::string, Place> first;
  for (auto& entry : own) {
    const std::string name = KeyOf(entry.key);
    const auto [earlier, first_time] = first.try_emplace(name, entry.key.place);
    if (!first_time) {
      Complain(entry.key.place, "the key \"" + name + "\" is given twice",
               "the first one is at " + Where(earlier->second));
      continue;
    }
    const auto [at, fresh] = index.try_emplace(name, all.size());
    if (fresh) {
      all.push_back(std::move(entry));
    } else {
      all[at->second] = std::move(entry);
    }
  }
  mapping.entries = std::move(all);
}

Parsed<YamlNode> TreeBuilder::Take() {
  if (!diagnostics_.empty()) return Wrong(std::move(diagnostics_));
  return std::move(root_);
}

}  // namespace drover
