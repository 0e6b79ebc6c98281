#include "orchestrator/source/json_parser.h"

#include <cstdint>

#include "orchestrator/source/tree_builder.h"
#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

// Reads by recursive descent; `false` means "this is not JSON".
class Reader {
 public:
  explicit Reader(const SourceFilePtr& file) : text_(file->text), lines_(file) {}

  bool Document() {
    SkipBlanks();
    if (!ReadValue()) return false;
    SkipBlanks();
    return pos_ == text_.size();
  }
  TreeBuilder& tree() { return tree_; }

 private:
  void SkipBlanks() {
    while (pos_ < text_.size() && std::string_view(" \t\r\n").find(text_[pos_]) != npos) ++pos_;
  }
  bool Take(char c) {
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  YamlNode Node(YamlNode::Kind kind, std::size_t begin) const {
    YamlNode node;
    node.kind = kind;
    node.place = lines_.At(begin);
    return node;
  }

  // Beyond the depth limit the tree has stopped; there is no sense in reading on.
  bool ReadValue() {
    if (tree_.stopped()) return true;
    if (pos_ >= text_.size()) return false;
    if (text_[pos_] == '{') return ReadObject();
    if (text_[pos_] == '[') return ReadArray();
    if (text_[pos_] == '"') return ReadText();
    return ReadWord();
  }

  bool ReadObject() {
    tree_.Begin(Node(YamlNode::Kind::kMapping, pos_++));
    SkipBlanks();
    if (!Take('}')) {
      do {
        SkipBlanks();
        if (!ReadText()) return false;
        SkipBlanks();
        if (!Take(':')) return false;
        SkipBlanks();
        if (!ReadValue()) return false;
        if (tree_.stopped()) return true;
        SkipBlanks();
      } while (Take(','));
      if (!Take('}')) return false;
    }
    tree_.End();
    return true;
  }

  bool ReadArray() {
    tree_.Begin(Node(YamlNode::Kind::kSequence, pos_++));
    SkipBlanks();
    if (!Take(']')) {
      do {
        SkipBlanks();
        if (!ReadValue()) return false;
        if (tree_.stopped()) return true;
        SkipBlanks();
      } while (Take(','));
      if (!Take(']')) return false;
    }
    tree_.End();
    return true;
  }

  bool ReadText() {
    YamlNode node = Node(YamlNode::Kind::kScalar, pos_);
    node.plain = false;
    if (!Take('"')) return false;
    while (!Take('"')) {
      if (pos_ >= text_.size() || static_cast<unsigned char>(text_[pos_]) < 0x20) return false;
      if (text_[pos_] == '\\') {
        ++pos_;
        if (!ReadEscape(node.scalar)) return false;
      } else {
        node.scalar.push_back(text_[pos_++]);
      }
    }
    tree_.Scalar(std::move(node));
    return true;
  }

  bool ReadEscape(std::string& out) {
    if (pos_ >= text_.size()) return false;
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const char c = text_[pos_++];
    if (const std::size_t at = kFrom.find(c); at != npos) {
      out.push_back(kTo[at]);
      return true;
    }
    char32_t code_point = 0;
    if (c != 'u' || !ReadHex(code_point)) return false;
    if (code_point >= 0xD800 && code_point < 0xDC00) {
      char32_t low = 0;
      if (!Take('\\') || !Take('u') || !ReadHex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return false;
      code_point = 0x10000 + ((code_point - 0xD800) << 10U) + (low - 0xDC00);
    } else if (code_point >= 0xDC00 && code_point <= 0xDFFF) {
      return false;
    }
    AppendUtf8(code_point, out);
    return true;
  }

  bool ReadHex(char32_t& out) {
    for (int i = 0; i < 4; ++i, ++pos_) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const char c = pos_ < text_.size() ? text_[pos_] : ' ';
      const std::size_t digit = kHex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == npos) return false;
      out = out * 16 + static_cast<char32_t>(digit);
    }
    return true;
  }

  std::size_t SkipDigits() {
    const std::size_t begin = pos_;
    while (pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') ++pos_;
    return pos_ - begin;
  }

  // true, false, null, NaN, Infinity or a number.
  bool ReadWord() {
    YamlNode node = Node(YamlNode::Kind::kScalar, pos_);
    const std::size_t begin = pos_;
    for (const std::string_view word : {"true", "false", "null", "NaN", "Infinity", "-Infinity"}) {
      if (!text_.substr(pos_).starts_with(word)) continue;
      pos_ += word.size();
      node.scalar = word;
      if (word == "null") node.kind = YamlNode::Kind::kNull;
      if (word.back() == 'y' || word == "NaN") node.tag = "!!float";
      tree_.Scalar(std::move(node));
      return true;
    }
    Take('-');
    if (!Take('0') && SkipDigits() == 0) return false;
    bool is_float = false;
    if (Take('.')) {
      is_float = true;
      if (SkipDigits() == 0) return false;
    }
    if (Take('e') || Take('E')) {
      is_float = true;
      if (!Take('+')) Take('-');
      if (SkipDigits() == 0) return false;
    }
    node.scalar = text_.substr(begin, pos_ - begin);
    if (is_float) node.tag = "!!float";
    tree_.Scalar(std::move(node));
    return true;
  }

  static constexpr std::size_t npos = std::string_view::npos;
  std::string_view text_;
  LineIndex lines_;
  TreeBuilder tree_;
  std::size_t pos_ = 0;
};

}  // namespace

std::optional<Parsed<YamlNode>> ParseIfJson(const SourceFilePtr& file) {
  const std::size_t begin = file->text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::nullopt;
  if (file->text[begin] != '{' && file->text[begin] != '[') return std::nullopt;
  Reader reader(file);
  if (!reader.Document() && !reader.tree().stopped()) return std::nullopt;
  return reader.tree().Take();
}

}  // namespace drover
