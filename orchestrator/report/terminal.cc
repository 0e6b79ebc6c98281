#include "orchestrator/report/terminal.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>

namespace drover {
namespace {

constexpr char32_t kBad = 0xFFFD;

// The next code point of `text` from `at` on, which moves behind it; kBad for what is no UTF-8.
char32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) {
    return first;
  }
  const int more = first >= 0xF0 && first < 0xF5   ? 3
                   : first >= 0xE0 && first < 0xF0 ? 2
                   : first >= 0xC2 && first < 0xE0 ? 1
                                                   : 0;
  if (more == 0) {
    return kBad;
  }
  char32_t code = first & (0x3FU >> more);
  std::size_t end = at;
  for (int i = 0; i < more; ++i, ++end) {
    if (end >= text.size() || (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80) {
      return kBad;
    }
    code = (code << 6U) | (static_cast<unsigned char>(text[end]) & 0x3FU);
  }
  constexpr std::array<char32_t, 4> kSmallest = {0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[static_cast<std::size_t>(more)] || code > 0x10FFFF ||
      (code >= 0xD800 && code <= 0xDFFF)) {
    return kBad;
  }
  at = end;
  return code;
}

struct Range {
  char32_t first;
  char32_t last;
};
constexpr std::array<Range, 11> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1F64F},
                                          {0x1F900, 0x1F9FF},
                                          {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 4> kCombining = {
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <std::size_t N>
bool In(char32_t code, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

const char* CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kOk:
    case Colour::kDiffAdd:
      return "0;32";
    case Colour::kChanged:
      return "0;33";
    case Colour::kSkip:
    case Colour::kDiffPlace:
      return "0;36";
    case Colour::kError:
    case Colour::kDiffRemove:
      return "0;31";
    case Colour::kUnreachable:
      return "1;31";
    case Colour::kWarn:
      return "1;35";
    case Colour::kVerbose:
      return "0;34";
  }
  return "0";
}

// Ansible's reading of a boolean in the environment.
bool IsTrue(const std::optional<std::string>& text) {
  if (!text) {
    return false;
  }
  std::string lower = *text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> kTrue = {"1", "true", "yes", "on", "y", "t"};
  return std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end();
}

}  // namespace

bool ColoursWanted(const ColourWish& wish) {
  if (IsTrue(wish.force)) {
    return true;
  }
  // no-color.org: any value but the empty one.
  if ((wish.no_color && !wish.no_color->empty()) || IsTrue(wish.ansible_no_color)) {
    return false;
  }
  return wish.terminal && wish.term.value_or("dumb") != "dumb";
}

std::string Paint(std::string_view text, Colour colour, bool wanted) {
  if (!wanted) {
    return std::string(text);
  }
  std::string painted;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find('\n', start);
    painted += "\033[" + std::string(CodeOf(colour)) + "m";
    painted += text.substr(start, end == std::string_view::npos ? end : end - start);
    painted += "\033[0m";
    if (end == std::string_view::npos) {
      return painted;
    }
    painted += '\n';
    start = end + 1;
  }
}

int TextWidth(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = NextCodePoint(text, at);
    width += In(code, kCombining) ? 0 : In(code, kWide) ? 2 : 1;
  }
  return width;
}

std::string PadTo(std::string_view text, int width) {
  std::string padded(text);
  padded.append(static_cast<std::size_t>(std::max(0, width - TextWidth(text))), ' ');
  return padded;
}

std::string Banner(std::string_view text, int columns) {
  const int stars = std::max(3, columns - TextWidth(text));
  return "\n" + std::string(text) + " " + std::string(static_cast<std::size_t>(stars), '*') + "\n";
}

std::string Printable(std::string_view text) {
  std::string tame;
  tame.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = NextCodePoint(text, at);
    if (code == kBad) {
      tame += "\xEF\xBF\xBD";
    } else if ((code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0)) {
      std::array<char, 16> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(code));
      tame += hex.data();
    } else {
      tame += text.substr(start, at - start);
    }
  }
  return tame;
}

}  // namespace drover
