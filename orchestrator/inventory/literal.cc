#include "orchestrator/inventory/literal.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "orchestrator/source/python_number.h"
#include "orchestrator/source/utf8.h"
#include "orchestrator/source/yaml_scalar.h"

namespace drover {
namespace {

// Python's own limit for brackets within brackets.
constexpr int kMaxBrackets = 200;

bool Digit(char c) { return c >= '0' && c <= '9'; }
bool NameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool NamePart(char c) { return NameStart(c) || Digit(c); }

// What an expression turned out to be; kinds beyond JSON are remembered to be refused by name.
struct Item {
  Value value;
  bool number = false;   // may take a sign
  bool hashable = true;  // may be a key
  std::string unusable;  // "a set", "bytes"; empty when JSON can hold it
};
using Parsing = std::optional<Item>;  // nullopt: no literal, so the text stays text

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // The whole text: an expression, or several with commas that make a tuple; a comment may follow.
  Parsing ReadAll() {
    Parsing item = ReadList('\0');
    if (!item || !AtEnd()) return std::nullopt;
    return item;
  }
  // Valid in Python, but not here; the text must not pass as a plain string.
  [[nodiscard]] const std::string& fatal() const { return fatal_; }

 private:
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\f') ++pos_;
  }
  bool Take(char c) {
    SkipBlanks();
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  bool AtEnd() {
    SkipBlanks();
    return pos_ >= text_.size() || text_[pos_] == '#';
  }

  static Parsing OfValue(Value value, bool number = false) {
    return Item{std::move(value), number, true, ""};
  }
  static Parsing Unusable(std::string what, bool hashable = true) {
    return Item{Value(), false, hashable, std::move(what)};
  }

  // "(…", "[…" behind the bracket, or a bare list at the top (`close` 0).
  Parsing ReadList(char close) {
    Item list{Value::array(), false, close != ']', ""};
    std::size_t count = 0;
    bool comma = false;
    while (true) {
      if (close != '\0' && Take(close)) break;
      if (close == '\0' && AtEnd()) break;
      if (count > 0 && !comma) return std::nullopt;
      Parsing item = ReadItem();
      if (!item) return std::nullopt;
      list.hashable = list.hashable && item->hashable;
      if (list.unusable.empty()) list.unusable = item->unusable;
      list.value.push_back(item->value);
      ++count;
      comma = Take(',');
      // Without a comma, brackets and the top are only grouping.
      if (!comma && count == 1 && close != ']') {
        if (close != '\0' && !Take(close)) return std::nullopt;
        return item;
      }
    }
    if (count == 0 && close == '\0') return std::nullopt;
    return list;
  }

  Parsing ReadItem() {
    SkipBlanks();
    const char c = Peek();
    if (c == '+' || c == '-') return ReadSigned();
    Parsing item = ReadAtom();
    if (!item) return std::nullopt;
    SkipBlanks();
    // "1+2j" is a literal to Python, "1+2" is not.
    if ((Peek() == '+' || Peek() == '-') && item->number) return ReadComplex();
    return item;
  }

  Parsing ReadSigned() {
    const bool negative = Peek() == '-';
    ++pos_;
    SkipBlanks();
    negative_ = negative;
    Parsing item = ReadAtom();
    negative_ = false;
    if (!item) return std::nullopt;
    if (!item->number && item->unusable != kComplex) return std::nullopt;
    if (negative && item->value.is_number_float()) {
      item->value = -item->value.get<double>();
    } else if (negative && item->value.is_number_integer() && !signed_already_) {
      const auto number = item->value.get<std::uint64_t>();
      if (number > (1ULL << 63U) - 1) return Unusable("a number beyond 64 bits");
      item->value = -static_cast<std::int64_t>(number);
    }
    signed_already_ = false;
    SkipBlanks();
    if ((Peek() == '+' || Peek() == '-') && item->number) return ReadComplex();
    // "--5" is an expression, no literal.
    item->number = false;
    return item;
  }

  Parsing ReadComplex() {
    ++pos_;
    SkipBlanks();
    const Parsing right = ReadAtom();
    if (!right || right->unusable != kComplex) return std::nullopt;
    return Unusable(kComplex);
  }

  Parsing ReadAtom() {
    SkipBlanks();
    const char c = Peek();
    if (Digit(c) || (c == '.' && Digit(Peek(1)))) return ReadNumber();
    if (c == '\'' || c == '"') return ReadStrings();
    if (c == '.' && Peek(1) == '.' && Peek(2) == '.') {
      pos_ += 3;
      return Unusable("Python's Ellipsis");
    }
    if (NameStart(c)) return ReadName();
    if (c != '(' && c != '[' && c != '{') return std::nullopt;
    if (++brackets_ > kMaxBrackets) return std::nullopt;
    // A sign outside does not reach numbers inside brackets before they are read.
    const bool negative = negative_;
    negative_ = false;
    ++pos_;
    Parsing item = c == '{' ? ReadBraces() : ReadList(c == '(' ? ')' : ']');
    negative_ = negative;
    --brackets_;
    return item;
  }

  Parsing ReadName() {
    std::size_t end = pos_;
    while (end < text_.size() && NamePart(text_[end])) ++end;
    const std::string_view name = text_.substr(pos_, end - pos_);
    if (end < text_.size() && (text_[end] == '\'' || text_[end] == '"')) return ReadStrings();
    pos_ = end;
    if (name == "True") return OfValue(true);
    if (name == "False") return OfValue(false);
    if (name == "None") return OfValue(Value());
    if (name == "set" && Take('(') && Take(')')) return Unusable("a Python set", false);
    return std::nullopt;
  }

  // "{…" behind the brace: a dict or a set.
  Parsing ReadBraces() {
    Item dict{Value::object(), false, false, ""};
    bool is_set = false;
    bool comma = true;
    bool first = true;
    while (!Take('}')) {
      if (!comma) return std::nullopt;
      const Parsing key = ReadItem();
      if (!key) return std::nullopt;
      const bool pair = Take(':');
      if (first) is_set = !pair;
      if (is_set == pair) return std::nullopt;
      first = false;
      Parsing value = pair ? ReadItem() : OfValue(Value());
      if (!value) return std::nullopt;
      if (dict.unusable.empty() && !key->hashable)
        dict.unusable = "a mapping with a list as its key";
      if (dict.unusable.empty()) dict.unusable = key->unusable;
      if (dict.unusable.empty()) dict.unusable = value->unusable;
      const bool simple = !key->value.is_array() && !key->value.is_object();
      if (dict.unusable.empty() && !simple) dict.unusable = "a mapping with a tuple as its key";
      if (simple) dict.value[KeyText(key->value)] = value->value;
      comma = Take(',');
    }
    if (is_set) return Unusable("a Python set", false);
    return dict;
  }

  // Digits with single underscores between them.
  bool SkipDigits(std::string_view set) {
    const auto in = [&](char c) { return c != '\0' && set.find(c) != std::string_view::npos; };
    if (!in(Peek())) return false;
    while (in(Peek()) || (Peek() == '_' && in(Peek(1)))) ++pos_;
    return true;
  }

  Parsing ReadNumber() {
    const std::size_t begin = pos_;
    const char kind = Peek(1);
    if (Peek() == '0' && (kind == 'x' || kind == 'X'))
      return ReadBased(16, "0123456789abcdefABCDEF");
    if (Peek() == '0' && (kind == 'o' || kind == 'O')) return ReadBased(8, "01234567");
    if (Peek() == '0' && (kind == 'b' || kind == 'B')) return ReadBased(2, "01");
    SkipDigits(kDigits);
    bool is_float = false;
    if (Peek() == '.') {
      is_float = true;
      ++pos_;
      SkipDigits(kDigits);
    }
    if (Peek() == 'e' || Peek() == 'E') {
      const std::size_t signs = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (Digit(Peek(1 + signs))) {
        is_float = true;
        pos_ += 1 + signs;
        SkipDigits(kDigits);
      }
    }
    std::string digits(text_.substr(begin, pos_ - begin));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    if (Peek() == 'j' || Peek() == 'J') {
      ++pos_;
      if (NamePart(Peek())) return std::nullopt;
      return Unusable(kComplex);
    }
    if (NamePart(Peek())) return std::nullopt;
    if (is_float) return OfValue(ReadFloat(digits), true);
    // 007 is an error in Python, 000 is not.
    const bool zero = digits.find_first_not_of('0') == std::string::npos;
    if (digits[0] == '0' && !zero) return std::nullopt;
    return Integer(digits, 10);
  }

  Parsing ReadBased(int base, std::string_view set) {
    pos_ += 2;
    if (Peek() == '_') ++pos_;
    const std::size_t begin = pos_;
    if (!SkipDigits(set) || NamePart(Peek())) return std::nullopt;
    std::string digits(text_.substr(begin, pos_ - begin));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    return Integer(digits, base);
  }

  Parsing Integer(const std::string& digits, int base) {
    const auto value = ReadInteger(digits, base, negative_);
    if (!value) return Unusable("a number beyond 64 bits");
    signed_already_ = negative_;
    return OfValue(*value, true);
  }

  // One or more strings in a row are one string.
  Parsing ReadStrings() {
    std::string all;
    bool bytes = false;
    bool first = true;
    while (true) {
      SkipBlanks();
      std::string prefix;
      std::size_t at = pos_;
      while (at < text_.size() && at < pos_ + 3 && NameStart(text_[at])) {
        prefix.push_back(static_cast<char>(text_[at] | 0x20));
        ++at;
      }
      if (at >= text_.size() || (text_[at] != '\'' && text_[at] != '"')) {
        if (first || !prefix.empty()) return std::nullopt;
        break;
      }
      const bool known = prefix.empty() || prefix == "r" || prefix == "u" || prefix == "b" ||
                         prefix == "rb" || prefix == "br";
      const bool is_bytes = prefix.find('b') != std::string::npos;
      if (!known || (!first && is_bytes != bytes)) return std::nullopt;
      bytes = is_bytes;
      first = false;
      pos_ = at;
      if (!ReadString(prefix.find('r') != std::string::npos, bytes, all)) return std::nullopt;
    }
    if (!bytes) return OfValue(all);
    return Item{Value(all), false, true, kBytes};
  }

  bool ReadString(bool raw, bool bytes, std::string& out) {
    const std::string_view three = text_.substr(pos_, 3);
    const std::size_t width = three == "'''" || three == "\"\"\"" ? 3 : 1;
    const std::string_view quote = text_.substr(pos_, width);
    pos_ += width;
    while (pos_ < text_.size() && text_.substr(pos_, width) != quote) {
      const char c = text_[pos_];
      if (bytes && (static_cast<unsigned char>(c) & 0x80U) != 0) return false;
      if (c != '\\') {
        out.push_back(c);
        ++pos_;
      } else if (raw) {
        out.push_back(c);
        ++pos_;
        if (pos_ < text_.size()) out.push_back(text_[pos_++]);
      } else if (!ReadEscape(bytes, out)) {
        return false;
      }
    }
    if (pos_ >= text_.size()) return false;
    pos_ += width;
    return true;
  }

  bool ReadEscape(bool bytes, std::string& out) {
    const char c = Peek(1);
    pos_ += 2;
    if (pos_ > text_.size()) return false;
    constexpr std::string_view kFrom = "\\'\"abfnrtv";
    constexpr std::string_view kTo = "\\'\"\a\b\f\n\r\t\v";
    if (const std::size_t at = kFrom.find(c); at != std::string_view::npos) {
      out.push_back(kTo[at]);
      return true;
    }
    if (c >= '0' && c <= '7') {
      char32_t code_point = static_cast<char32_t>(c - '0');
      for (int i = 0; i < 2 && Peek() >= '0' && Peek() <= '7'; ++i) {
        code_point = code_point * 8 + static_cast<char32_t>(text_[pos_++] - '0');
      }
      return Put(code_point, out);
    }
    if (c == 'x') return ReadHex(2, out);
    if (c == 'u' && !bytes) return ReadHex(4, out);
    if (c == 'U' && !bytes) return ReadHex(8, out);
    if (c == 'N' && !bytes) {
      if (Peek() == '{') fatal_ = "\\N{…} in a string is not supported; write the character itself";
      return false;
    }
    // Python keeps escapes that it does not know.
    out.push_back('\\');
    out.push_back(c);
    return true;
  }

  bool ReadHex(int digits, std::string& out) {
    char32_t code_point = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = Peek();
      const std::size_t value = std::string_view("0123456789abcdef")
                                    .find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (value == std::string_view::npos) return false;
      code_point = code_point * 16 + static_cast<char32_t>(value);
      ++pos_;
    }
    return Put(code_point, out);
  }

  bool Put(char32_t code_point, std::string& out) {
    if (code_point > 0x10FFFF) return false;
    if (code_point >= 0xD800 && code_point <= 0xDFFF) {
      fatal_ = "a lone surrogate (\\ud800 to \\udfff) is no character";
      return false;
    }
    AppendUtf8(code_point, out);
    return true;
  }

  static constexpr std::string_view kDigits = "0123456789";
  static constexpr const char* kComplex = "a complex number";
  static constexpr const char* kBytes = "Python bytes";

  std::string_view text_;
  std::size_t pos_ = 0;
  int brackets_ = 0;
  bool negative_ = false;        // the number that comes next is below zero
  bool signed_already_ = false;  // …and was read so (its range is not symmetric)
  std::string fatal_;
};

}  // namespace

LiteralReading ReadLiteral(std::string_view text) {
  // A string that is no literal at all is the common case.
  Reader reader(text);
  const Parsing item = reader.ReadAll();
  if (!reader.fatal().empty()) return {Value(), reader.fatal()};
  if (!item) return {Value(std::string(text)), ""};
  // Ansible turns plain bytes into text; inside lists it cannot print them.
  if (item->unusable == "Python bytes" && item->value.is_string()) return {item->value, ""};
  if (!item->unusable.empty())
    return {Value(), "this is " + item->unusable + ", which has no meaning here"};
  return {item->value, ""};
}

}  // namespace drover
