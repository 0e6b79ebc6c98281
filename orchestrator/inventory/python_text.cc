#include "orchestrator/inventory/python_text.h"

#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

bool EndsLine(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool ShellBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// One word at a time; `pos_` stands where the next one may begin.
class WordReader {
 public:
  explicit WordReader(std::string_view line) : line_(line) {}

  ShellWords ReadAll() {
    while (out_.problem.empty()) {
      while (pos_ < line_.size() && ShellBlank(line_[pos_])) ++pos_;
      if (pos_ >= line_.size() || line_[pos_] == '#') break;
      ReadWord();
    }
    return std::move(out_);
  }

 private:
  // A '#' ends a word and begins a comment even in the middle of the word.
  void ReadWord() {
    ShellWord word{"", pos_};
    while (pos_ < line_.size() && !ShellBlank(line_[pos_]) && line_[pos_] != '#') {
      const char c = line_[pos_];
      if (c == '\'' || c == '"') {
        if (!ReadQuoted(word.text)) return;
      } else if (c == '\\') {
        if (pos_ + 1 >= line_.size()) {
          Fail("nothing stands behind this backslash", pos_);
          return;
        }
        word.text.push_back(line_[pos_ + 1]);
        pos_ += 2;
      } else {
        word.text.push_back(c);
        ++pos_;
      }
    }
    out_.words.push_back(std::move(word));
  }

  // In double quotes a backslash quotes only the quote and itself.
  bool ReadQuoted(std::string& out) {
    const std::size_t begin = pos_;
    const char quote = line_[pos_++];
    while (pos_ < line_.size() && line_[pos_] != quote) {
      if (quote == '"' && line_[pos_] == '\\' && pos_ + 1 < line_.size()) {
        const char next = line_[pos_ + 1];
        if (next != '"' && next != '\\') out.push_back('\\');
        out.push_back(next);
        pos_ += 2;
      } else {
        out.push_back(line_[pos_++]);
      }
    }
    if (pos_ >= line_.size()) {
      Fail("this quote is never closed", begin);
      return false;
    }
    ++pos_;
    return true;
  }

  void Fail(std::string problem, std::size_t offset) {
    out_.problem = std::move(problem);
    out_.problem_offset = offset;
  }

  std::string_view line_;
  std::size_t pos_ = 0;
  ShellWords out_;
};

}  // namespace

bool IsPythonSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool IsWordCharacter(char32_t c) {
  if (c < 0x80) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  if (c < 0xC0) return c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || c == 0xB9 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7 || IsPythonSpace(c)) return false;
  return !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x3000 && c <= 0x3004) && c < 0xFFF0;
}

std::string_view PythonStrip(std::string_view text) {
  while (!text.empty()) {
    std::size_t pos = 0;
    if (!IsPythonSpace(NextCodePoint(text, pos))) break;
    text.remove_prefix(pos);
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
    std::size_t pos = begin;
    if (!IsPythonSpace(NextCodePoint(text, pos)) || pos != text.size()) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

std::vector<std::string_view> PythonLines(std::string_view text) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t pos = 0; pos < text.size();) {
    const std::size_t end = pos;
    const char32_t c = NextCodePoint(text, pos);
    if (!EndsLine(c)) continue;
    if (c == '\r' && pos < text.size() && text[pos] == '\n') ++pos;
    lines.push_back(text.substr(begin, end - begin));
    begin = pos;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

ShellWords SplitShellWords(std::string_view line) { return WordReader(line).ReadAll(); }

}  // namespace drover
