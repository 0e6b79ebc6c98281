// yaml-cpp's events become our tree. What yaml-cpp lets pass but PyYAML refuses is caught here:
// control characters, a quote that never closes, text after the document.
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <optional>
#include <sstream>

#include "orchestrator/source/json_parser.h"
#include "orchestrator/source/tree_builder.h"
#include "orchestrator/source/utf8.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

// Our words for yaml-cpp's messages, by how those begin, with what usually helps.
struct Translation {
  std::string_view theirs;
  std::string_view message;
  std::string_view hint;
};
constexpr std::array kTranslations = {
    Translation{"illegal map value", "a \":\" is not expected here",
                "check the indentation; put text that contains \": \" in quotes"},
    Translation{"illegal block entry", "a \"-\" is not expected here",
                "a list begins on its own line, its dashes all in one column"},
    Translation{"illegal map key", "a \"?\" is not expected here", ""},
    Translation{"end of map not found", "expected \"key: value\" here",
                "is a \":\" missing, or the indentation different from the lines above?"},
    Translation{"end of map flow not found", "the mapping opened with \"{\" is not closed here",
                "expected \",\" or \"}\""},
    Translation{"end of sequence not found", "expected \"- item\" here",
                "is the indentation different from the lines above?"},
    Translation{"end of sequence flow not found", "the list opened with \"[\" is not closed here",
                "expected \",\" or \"]\""},
    Translation{"illegal tab", "a tab cannot indent YAML", "indent with spaces"},
    Translation{"the referenced anchor is not defined", "there is no anchor of this name above",
                "anchors are written &name; put text that begins with * in quotes"},
    Translation{"unknown token", "text cannot begin with this character",
                "put the value in quotes"},
    Translation{"bad character found while scanning hex", "this escape needs hexadecimal digits",
                "in double quotes write a backslash as \\\\"},
    Translation{"unknown escape character", "there is no such escape in double quotes",
                "write a backslash as \\\\ or use single quotes"},
    Translation{"illegal EOF in scalar", "this quote is never closed", ""},
    Translation{"Recursion depth exceeded", "this is nested too deeply", ""},
};

bool Printable(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7E) || c == 0x85 ||
         (c >= 0xA0 && c <= 0xFFFD && c != 0xFEFF) || c >= 0x10000;
}

std::optional<std::size_t> FirstUnprintable(std::string_view text) {
  for (std::size_t pos = 0; pos < text.size();) {
    const std::size_t begin = pos;
    if (!Printable(NextCodePoint(text, pos))) return begin;
  }
  return std::nullopt;
}

// Skips what may stand before a quoted scalar: anchor, tag, blanks, comments.
std::size_t SkipProperties(std::string_view text, std::size_t pos) {
  while (pos < text.size()) {
    const char c = text[pos];
    if (c == '#') {
      pos = std::min(text.find('\n', pos), text.size());
    } else if (c == '&' || c == '!') {
      pos = std::min(text.find_first_of(" \t\r\n", pos), text.size());
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      ++pos;
    } else {
      break;
    }
  }
  return pos;
}

// Does the quote at `pos` (if there is one) close before the text ends?
bool QuoteCloses(std::string_view text, std::size_t pos) {
  if (pos >= text.size() || (text[pos] != '"' && text[pos] != '\'')) return true;
  const char quote = text[pos++];
  while (pos < text.size()) {
    if (text[pos] == '\\' && quote == '"') {
      ++pos;
    } else if (text[pos] == quote) {
      if (quote == '"' || pos + 1 >= text.size() || text[pos + 1] != quote) return true;
      ++pos;
    }
    ++pos;
  }
  return false;
}

class Events : public YAML::EventHandler {
 public:
  Events(const SourceFilePtr& file, TreeBuilder& tree)
      : text_(file->text), lines_(file), tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ != 2) return;
    if (std::string_view(text_).substr(Offset(mark)).starts_with("---")) {
      tree_.Stop(At(mark), "a second document begins here, but only one is expected");
    } else {
      tree_.Stop(At(mark), "this stands behind the end of the document",
                 "is its indentation different from the lines above?");
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (tree_.stopped() || !CheckNull(mark)) return;
    tree_.Scalar(Node(YamlNode::Kind::kNull, mark, ""), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    tree_.Alias(anchor, At(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tree_.stopped()) return;
    YamlNode node = Node(YamlNode::Kind::kScalar, mark, tag);
    node.scalar = value;
    const std::size_t quote = SkipProperties(text_, Offset(mark));
    if (tag != "?" && !QuoteCloses(text_, quote)) {
      tree_.Stop(lines_.At(quote), "this quote is never closed");
      return;
    }
    node.plain = tag != "!" && tag != std::string(kTagPrefix) + "str";
    tree_.Scalar(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    flow_.push_back(style == YAML::EmitterStyle::Flow);
    tree_.Begin(Node(YamlNode::Kind::kSequence, mark, tag), anchor);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    flow_.push_back(style == YAML::EmitterStyle::Flow);
    tree_.Begin(Node(YamlNode::Kind::kMapping, mark, tag), anchor);
  }
  void OnMapEnd() override { End(); }

  // yaml-cpp's own complaint, in our words.
  void Broken(const YAML::Exception& exception) {
    const std::size_t offset = exception.mark.is_null() ? text_.size() : Offset(exception.mark);
    const std::size_t line_start = offset == 0 ? 0 : text_.rfind('\n', offset - 1) + 1;
    const std::size_t text_start = text_.find_first_not_of(" \t", line_start);
    const std::size_t tab = text_.find('\t', line_start);
    if (tab < text_start) {
      tree_.Stop(lines_.At(tab), "a tab cannot indent YAML", "indent with spaces");
      return;
    }
    for (const Translation& translation : kTranslations) {
      if (!std::string_view(exception.msg).starts_with(translation.theirs)) continue;
      tree_.Stop(lines_.At(offset), std::string(translation.message),
                 std::string(translation.hint));
      return;
    }
    tree_.Stop(lines_.At(offset), "this is not YAML: " + exception.msg);
  }

 private:
  void End() {
    flow_.pop_back();
    tree_.End();
  }

  // yaml-cpp takes a line without ":" for a key without a value, and sets the value's mark to the
  // key's; a value that is really empty stands behind its key.
  bool CheckNull(const YAML::Mark& mark) {
    const std::size_t offset = Offset(mark);
    const char written = offset < text_.size() ? text_[offset] : '\0';
    const YamlNode* key = tree_.pending_key();
    const Place place = lines_.At(offset);
    if (tree_.wants_key() && written != '~' && written != 'n' && written != 'N') {
      tree_.Stop(place, "a key is missing in front of \":\"");
    } else if (key != nullptr && !flow_.back() && key->place.line == place.line &&
               key->place.column == place.column) {
      tree_.Stop(place, "a \":\" is missing behind this key", "write \"key: value\"");
    }
    return !tree_.stopped();
  }

  // Marks count lines from 0 and columns in bytes.
  [[nodiscard]] std::size_t Offset(const YAML::Mark& mark) const {
    return lines_.Offset(mark.line + 1, mark.column);
  }
  [[nodiscard]] Place At(const YAML::Mark& mark) const { return lines_.At(Offset(mark)); }

  YamlNode Node(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    YamlNode node;
    node.kind = kind;
    node.place = At(mark);
    node.tag = ReadTag(kind, tag, node.place);
    return node;
  }

  // "!!int" and the like; empty when the tag says nothing new. Complains about those we do not
  // know.
  std::string ReadTag(YamlNode::Kind kind, const std::string& tag, const Place& place) {
    if (tag.empty() || tag == "?" || tag == "!") return "";
    const bool standard = tag.starts_with(kTagPrefix);
    const std::string name = standard ? "!!" + tag.substr(kTagPrefix.size()) : tag;
    if (kind == YamlNode::Kind::kScalar || kind == YamlNode::Kind::kNull) {
      for (const std::string_view known : {"!!int", "!!float", "!!bool", "!!null", "!!timestamp"}) {
        if (name == known) return name;
      }
      if (name == "!!str") return "";
    }
    if (kind == YamlNode::Kind::kMapping && name == "!!map") return "";
    if (kind == YamlNode::Kind::kSequence && name == "!!seq") return "";
    ComplainAboutTag(name, place);
    return "";
  }

  void ComplainAboutTag(const std::string& name, const Place& place) {
    if (name == "!vault" || name == "!vault-encrypted") {
      tree_.Complain(place, "vault is not supported yet, so this value cannot be read",
                     "give the value with -e, or keep it in a file of its own outside the vault");
    } else if (name == "!unsafe") {
      tree_.Complain(place, "the tag !unsafe is not supported yet",
                     "write {{ '{{' }} for braces that are no template");
    } else {
      tree_.Complain(place, "the tag " + name + " is not known or not possible here",
                     "known are !!str !!int !!float !!bool !!null !!timestamp !!map !!seq; put "
                     "text that begins with ! in quotes");
    }
  }

  const std::string& text_;
  LineIndex lines_;
  TreeBuilder& tree_;
  int documents_ = 0;
  std::vector<bool> flow_;  // for each open collection: is it written with brackets?
};

}  // namespace

Parsed<YamlNode> ParseYaml(const SourceFilePtr& file) {
  if (auto json = ParseIfJson(file)) return std::move(*json);
  if (const auto bad = FirstUnprintable(file->text)) {
    return Wrong(LineIndex(file).At(*bad), "YAML does not allow this control character");
  }
  TreeBuilder tree;
  Events events(file, tree);
  try {
    std::istringstream in(file->text);
    YAML::Parser parser(in);
    while (!tree.stopped() && parser.HandleNextDocument(events)) {
    }
  } catch (const YAML::Exception& exception) {
    events.Broken(exception);
  }
  Parsed<YamlNode> root = tree.Take();
  if (root && root->place.file == nullptr) root->place = Place{file, 1, 1};
  return root;
}

}  // namespace drover
