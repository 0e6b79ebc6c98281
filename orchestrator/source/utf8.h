// UTF-8 as users' files contain it: decoding, checking, and how wide text stands on a terminal.
//
// Pure. Normalisation and locales are left out on purpose.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace drover {

// The code point at `pos`, which moves behind it. Bytes that are no UTF-8 give U+FFFD one by one.
char32_t NextCodePoint(std::string_view text, std::size_t& pos);
void AppendUtf8(char32_t code_point, std::string& out);
// Where the first byte stands that is no valid UTF-8.
std::optional<std::size_t> FirstInvalidUtf8(std::string_view text);
std::size_t CountCodePoints(std::string_view text);
// Cells of a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji.
int DisplayWidth(char32_t code_point);

}  // namespace drover
