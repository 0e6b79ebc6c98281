#include "orchestrator/template/text.h"

#include <algorithm>
#include <optional>

namespace drover {
namespace {

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Columns count characters, offsets count bytes.
std::size_t OffsetOf(const std::string& text, const Place& place) {
  std::size_t offset = 0;
  for (int line = 1; line < place.line; ++line) {
    const std::size_t end = text.find('\n', offset);
    if (end == std::string::npos) return text.size();
    offset = end + 1;
  }
  for (int column = 1; column < place.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && ContinuesCharacter(text[offset])) ++offset;
  }
  return offset;
}

Place PlaceOf(const SourceFilePtr& file, std::size_t offset) {
  offset = std::min(offset, file->text.size());
  Place place{file, 1, 1};
  for (std::size_t i = 0; i < offset; ++i) {
    if (file->text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if (!ContinuesCharacter(file->text[i])) {
      ++place.column;
    }
  }
  return place;
}

std::size_t Utf8Length(unsigned long code) {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

// Walks a scalar as written beside its value: `raw` stands in the file, `value` in the text.
class ScalarWalk {
 public:
  ScalarWalk(const std::string& raw_text, std::size_t raw, const std::string& text)
      : raw_text_(raw_text), raw_(raw), text_(text) {
    const char first = raw < raw_text.size() ? raw_text[raw] : '\0';
    if (first == '"' || first == '\'') {
      quote_ = first;
      ++raw_;
    } else if (first == '|' || first == '>') {
      EnterBlock();
    }
  }

  // The offset in the file of the character at `offset`; nothing when the two do not match.
  std::optional<std::size_t> Find(std::size_t offset) {
    while (value_ < offset) {
      if (!Advance()) return std::nullopt;
    }
    while (raw_ < raw_text_.size() && value_ < text_.size() && raw_text_[raw_] == '\n' &&
           text_[value_] != '\n') {
      SkipLineEnd();
    }
    return raw_;
  }

 private:
  void EnterBlock() {
    block_ = true;
    const std::size_t end = raw_text_.find('\n', raw_);
    raw_ = end == std::string::npos ? raw_text_.size() : end + 1;
    const std::size_t first = raw_text_.find_first_not_of(" \n", raw_);
    if (first == std::string::npos) return;
    const std::size_t line = raw_text_.rfind('\n', first);
    indent_ = line == std::string::npos ? first : first - line - 1;
    // Blank lines above the first line of text are part of the value and handled as line ends.
    SkipIndent();
  }

  void SkipIndent() {
    for (std::size_t i = 0; i < indent_ && raw_ < raw_text_.size() && raw_text_[raw_] == ' '; ++i) {
      ++raw_;
    }
  }

  void SkipLineEnd() {
    ++raw_;
    if (block_) {
      SkipIndent();
    } else {
      while (raw_ < raw_text_.size() && (raw_text_[raw_] == ' ' || raw_text_[raw_] == '\t')) ++raw_;
    }
  }

  bool Escape() {
    if (raw_ + 1 >= raw_text_.size()) return false;
    const char kind = raw_text_[raw_ + 1];
    if (kind == '\n') {
      ++raw_;
      SkipLineEnd();
      return true;
    }
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    std::size_t width = 1;
    if (digits > 0) {
      width = Utf8Length(std::strtoul(raw_text_.substr(raw_ + 2, digits).c_str(), nullptr, 16));
    } else if (kind == 'N' || kind == '_') {
      width = 2;
    } else if (kind == 'L' || kind == 'P') {
      width = 3;
    }
    raw_ += 2 + digits;
    value_ += width;
    return true;
  }

  bool Advance() {
    if (raw_ >= raw_text_.size() || value_ >= text_.size()) return false;
    const char raw = raw_text_[raw_];
    const char wanted = text_[value_];
    if (quote_ == '"' && raw == '\\') return Escape();
    if (quote_ == '\'' && raw == '\'' && wanted == '\'') {
      raw_ += 2;
      ++value_;
      return true;
    }
    if (raw == '\n') {
      SkipLineEnd();
      if (wanted == ' ' || wanted == '\n') ++value_;
      return true;
    }
    if (raw == wanted) {
      ++raw_;
      ++value_;
      return true;
    }
    if (raw == ' ' || raw == '\t' || raw == '\r') {  // blanks that folding dropped
      ++raw_;
      return true;
    }
    return false;
  }

  const std::string& raw_text_;
  std::size_t raw_;
  const std::string& text_;
  std::size_t value_ = 0;
  char quote_ = '\0';
  bool block_ = false;
  std::size_t indent_ = 0;
};

}  // namespace

Place TemplateText::At(std::size_t offset) const {
  if (place.file == nullptr || place.line == 0) return place;
  switch (origin) {
    case Origin::kElsewhere:
      return place;
    case Origin::kFile:
      return PlaceOf(place.file, skipped + offset);
    case Origin::kScalar: {
      ScalarWalk walk(place.file->text, OffsetOf(place.file->text, place), text);
      const auto found = walk.Find(std::min(offset, text.size()));
      return found ? PlaceOf(place.file, *found) : place;
    }
  }
  return place;
}

}  // namespace drover
