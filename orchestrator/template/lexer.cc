#include "orchestrator/template/lexer.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsNamePart(char c) {
  return IsNameStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(std::string& text, unsigned long code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | (code >> 6U));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    text += static_cast<char>(0xE0U | (code >> 12U));
    text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

class Lexer {
 public:
  Lexer(const TemplateText& source, std::size_t offset, std::string_view closing)
      : source_(source), text_(source.text), at_(offset), begin_(offset), closing_(closing) {}

  Evaluated<Tokens> Run() {
    while (true) {
      SkipBlanks();
      if (AtClosing()) return std::move(tokens_);
      if (at_ >= text_.size()) {
        if (closing_.empty()) {
          Push(Token::Kind::kEnd, at_, "");
          tokens_.after = at_;
          return std::move(tokens_);
        }
        return Offence(
            source_.At(begin_ >= 2 ? begin_ - 2 : 0),
            "template tag is never closed: \"" + std::string(closing_) + "\" is missing");
      }
      if (auto done = Next(); !done) return tl::unexpected(done.error());
    }
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool AtClosing() {
    if (closing_.empty() || !brackets_.empty()) return false;
    const std::size_t start = at_;
    std::size_t end = at_;
    const char sign = at_ < text_.size() ? text_[at_] : '\0';
    const bool signed_closing = (sign == '-' || (sign == '+' && closing_ == "%}")) &&
                                text_.compare(at_ + 1, closing_.size(), closing_) == 0;
    if (signed_closing) ++end;
    if (text_.compare(end, closing_.size(), closing_) != 0) return false;
    tokens_.strips_after = signed_closing && sign == '-';
    tokens_.keeps_after = signed_closing && sign == '+';
    tokens_.after = end + closing_.size();
    Push(Token::Kind::kEnd, start, "");
    return true;
  }

  void Push(Token::Kind kind, std::size_t offset, std::string text, Value literal = nullptr) {
    tokens_.list.push_back(Token{kind, std::move(text), std::move(literal), offset});
  }

  Evaluated<std::monostate> Next() {
    const char c = text_[at_];
    if (IsNameStart(c)) return Name();
    if (IsDigit(c)) return Number();
    if (c == '"' || c == '\'') return String(c);
    return Operator();
  }

  Evaluated<std::monostate> Name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    Push(Token::Kind::kName, start, text_.substr(start, at_ - start));
    return std::monostate{};
  }

  std::string Digits() {
    std::string digits;
    while (at_ < text_.size() && (IsDigit(text_[at_]) || text_[at_] == '_')) {
      if (text_[at_] != '_') digits += text_[at_];
      ++at_;
    }
    return digits;
  }

  [[nodiscard]] bool AfterDot() const {
    return !tokens_.list.empty() && tokens_.list.back().kind == Token::Kind::kOperator &&
           tokens_.list.back().text == ".";
  }

  Evaluated<std::monostate> Number() {
    const std::size_t start = at_;
    if (text_[at_] == '0' && at_ + 1 < text_.size() &&
        std::string_view("xXoObB").find(text_[at_ + 1]) != std::string_view::npos) {
      return BasedNumber(start);
    }
    std::string digits = Digits();
    bool is_float = false;
    if (!AfterDot()) {
      if (at_ + 1 < text_.size() && text_[at_] == '.' && IsDigit(text_[at_ + 1])) {
        is_float = true;
        ++at_;
        digits += "." + Digits();
      }
      std::size_t exponent = at_ + 1;
      if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
        if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) {
          ++exponent;
        }
        if (exponent < text_.size() && IsDigit(text_[exponent])) {
          is_float = true;
          digits += text_.substr(at_, exponent - at_);
          at_ = exponent;
          digits += Digits();
        }
      }
    }
    if (at_ < text_.size() && IsNameStart(text_[at_])) return Malformed(start);
    if (is_float) {
      Push(Token::Kind::kLiteral, start, "", std::strtod(digits.c_str(), nullptr));
      return std::monostate{};
    }
    return Integer(start, digits, 10);
  }

  Evaluated<std::monostate> BasedNumber(std::size_t start) {
    const char letter = text_[at_ + 1];
    const int base = letter == 'x' || letter == 'X' ? 16 : letter == 'o' || letter == 'O' ? 8 : 2;
    at_ += 2;
    std::string digits;
    while (at_ < text_.size() && IsNamePart(text_[at_])) {
      if (text_[at_] != '_') digits += text_[at_];
      ++at_;
    }
    return Integer(start, digits, base);
  }

  Evaluated<std::monostate> Integer(std::size_t start, const std::string& digits, int base) {
    std::int64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto [parsed, error] = std::from_chars(digits.data(), end, number, base);
    if (error == std::errc::result_out_of_range) {
      return Offence(source_.At(start), "number " + digits + " is too large");
    }
    if (error != std::errc() || parsed != end) return Malformed(start);
    Push(Token::Kind::kLiteral, start, "", number);
    return std::monostate{};
  }

  tl::unexpected<Diagnostic> Malformed(std::size_t start) {
    std::size_t end = start;
    while (end < text_.size() && IsNamePart(text_[end])) ++end;
    return Offence(source_.At(start),
                   "\"" + text_.substr(start, end - start) + "\" is no number in a template",
                   "put text in quotes");
  }

  Evaluated<std::monostate> String(char quote) {
    const std::size_t start = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        Escape(value);
      } else {
        value += text_[at_++];
      }
    }
    if (at_ >= text_.size()) {
      return Offence(source_.At(start), "string in a template is never closed");
    }
    ++at_;
    Push(Token::Kind::kLiteral, start, "", std::move(value));
    return std::monostate{};
  }

  // Python's escapes; an unknown one keeps its backslash, as Python does.
  void Escape(std::string& value) {
    const char kind = text_[at_ + 1];
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 0;
    if (digits > 0) {
      const std::string hex = text_.substr(at_ + 2, digits);
      if (hex.size() == digits && hex.find_first_not_of("0123456789abcdefABCDEF") == hex.npos) {
        AppendUtf8(value, std::strtoul(hex.c_str(), nullptr, 16));
        at_ += 2 + digits;
        return;
      }
    }
    constexpr std::string_view kFrom = "nrtbfva0\\'\"";
    constexpr std::string_view kTo("\n\r\t\b\f\v\a\0\\'\"", 11);
    const std::size_t found = kFrom.find(kind);
    if (found == std::string_view::npos) {
      value += '\\';
      if (kind != '\n') value += kind;
    } else {
      value += kTo[found];
    }
    at_ += 2;
  }

  Evaluated<std::monostate> Operator() {
    static constexpr std::array<std::string_view, 6> kPairs = {"==", "!=", "<=", ">=", "//", "**"};
    for (const auto pair : kPairs) {
      if (text_.compare(at_, 2, pair) == 0) {
        Push(Token::Kind::kOperator, at_, std::string(pair));
        at_ += 2;
        return std::monostate{};
      }
    }
    const char c = text_[at_];
    if (std::string_view("+-*/%~<>=()[]{},:.|").find(c) == std::string_view::npos) {
      std::size_t behind = at_;
      (void)NextCodePoint(text_, behind);  // the whole character, not its first byte
      return Offence(source_.At(at_), "unexpected character \"" +
                                          std::string(text_.substr(at_, behind - at_)) +
                                          "\" in a template");
    }
    if (auto balanced = Bracket(c); !balanced) return balanced;
    Push(Token::Kind::kOperator, at_, std::string(1, c));
    ++at_;
    return std::monostate{};
  }

  Evaluated<std::monostate> Bracket(char c) {
    constexpr std::string_view kOpen = "([{";
    constexpr std::string_view kClose = ")]}";
    if (kOpen.find(c) != std::string_view::npos) {
      brackets_ += kClose[kOpen.find(c)];
    } else if (kClose.find(c) != std::string_view::npos) {
      if (brackets_.empty() || brackets_.back() != c) {
        return Offence(source_.At(at_), std::string("unexpected \"") + c + "\" in a template");
      }
      brackets_.pop_back();
    }
    return std::monostate{};
  }

  const TemplateText& source_;
  const std::string& text_;
  std::size_t at_;
  std::size_t begin_;
  std::string_view closing_;
  std::string brackets_;  // the closings that are due, innermost last
  Tokens tokens_;
};

}  // namespace

Evaluated<Tokens> Tokenize(const TemplateText& source, std::size_t offset,
                           std::string_view closing) {
  return Lexer(source, offset, closing).Run();
}

}  // namespace drover
