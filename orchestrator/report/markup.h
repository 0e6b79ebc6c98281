// Text that goes into HTML, SVG and XML: whatever a node or a user wrote, it stays text.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace drover {

// For content and for attributes in double quotes. Control characters that XML does not know, and
// bytes that are no UTF-8, become U+FFFD.
std::string EscapeMarkup(std::string_view text);

// With at most `digits` decimals and no zeros behind them: "3", "3.25".
std::string DecimalText(double value, int digits);

}  // namespace drover
