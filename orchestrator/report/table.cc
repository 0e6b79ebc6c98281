#include "orchestrator/report/table.h"

#include <algorithm>

namespace drover {
namespace {

constexpr int kGap = 2;

// One line of what may hold newlines and control characters.
std::string OneLine(const std::string& text) {
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  return Printable(line);
}

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

}  // namespace

std::string CutTo(std::string_view text, int columns) {
  if (columns <= 0) return "";
  if (TextWidth(text) <= columns) return std::string(text);
  std::string cut;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && ContinuesCharacter(text[end])) ++end;
    const std::string longer = cut + std::string(text.substr(at, end - at));
    if (TextWidth(longer) > columns - 1) break;
    cut = longer;
    at = end;
  }
  return cut + "…";
}

Table::Table(const std::vector<std::string>& head) {
  std::vector<Cell> row;
  for (const std::string& word : head) row.push_back({word});
  rows_.push_back(std::move(row));
}

std::string Table::Text(int columns, bool colours) const {
  std::vector<int> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], TextWidth(OneLine(row[i].text)));
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    int left = columns;
    int blanks = 0;  // owed before the next cell that shows something
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string shown = OneLine(row[i].text);
      if (columns > 0) shown = CutTo(shown, left - blanks);
      const int width = TextWidth(shown);
      if (width > 0) {
        line += std::string(static_cast<std::size_t>(blanks), ' ');
        line += row[i].colour ? Paint(shown, *row[i].colour, colours) : shown;
        left -= blanks + width;
        blanks = 0;
      }
      blanks += widths[i] - width + kGap;
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace drover
