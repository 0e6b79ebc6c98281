#include "orchestrator/source/utf8.h"

#include <array>
#include <cstdint>

namespace drover {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Range {
  char32_t first;
  char32_t last;
};

// Blocks that matter for carets; not the whole of Unicode's tables.
constexpr std::array kZeroWidth = {
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x064B, 0x065F},
    Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF},
    Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}};
constexpr std::array kDoubleWidth = {
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},
    Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};

template <typename Ranges>
bool In(char32_t code_point, const Ranges& ranges) {
  for (const Range& range : ranges) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

// Length of the sequence that `lead` opens; 0 when it opens none.
std::size_t SequenceLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Decodes one sequence; false for overlong forms, surrogates, strays and truncation.
bool Decode(std::string_view text, std::size_t pos, char32_t& code_point, std::size_t& length) {
  const auto lead = static_cast<unsigned char>(text[pos]);
  length = SequenceLength(lead);
  if (length == 0 || pos + length > text.size()) return false;
  if (length == 1) {
    code_point = lead;
    return true;
  }
  code_point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[pos + i]);
    if ((next & 0xC0U) != 0x80U) return false;
    code_point = (code_point << 6U) | (next & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point >= kSmallest.at(length) && code_point <= 0x10FFFF && !surrogate;
}

}  // namespace

char32_t NextCodePoint(std::string_view text, std::size_t& pos) {
  char32_t code_point = 0;
  std::size_t length = 0;
  if (!Decode(text, pos, code_point, length)) {
    ++pos;
    return kReplacement;
  }
  pos += length;
  return code_point;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6U));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12U));
    put(0x80 | ((code_point >> 6U) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18U));
    put(0x80 | ((code_point >> 12U) & 0x3F));
    put(0x80 | ((code_point >> 6U) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::optional<std::size_t> FirstInvalidUtf8(std::string_view text) {
  std::size_t pos = 0;
  while (pos < text.size()) {
    char32_t code_point = 0;
    std::size_t length = 0;
    if (!Decode(text, pos, code_point, length)) return pos;
    pos += length;
  }
  return std::nullopt;
}

std::size_t CountCodePoints(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t pos = 0; pos < text.size(); ++count) NextCodePoint(text, pos);
  return count;
}

int DisplayWidth(char32_t code_point) {
  if (In(code_point, kZeroWidth)) return 0;
  return In(code_point, kDoubleWidth) ? 2 : 1;
}

}  // namespace drover
