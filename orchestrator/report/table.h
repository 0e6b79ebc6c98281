// Columns for a terminal: as wide as their widest cell, cut where the terminal ends.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/report/terminal.h"

namespace drover {

struct Cell {
  std::string text;  // may hold anything that a node sent; it is tamed when shown
  std::optional<Colour> colour = std::nullopt;
};

class Table {
 public:
  explicit Table(const std::vector<std::string>& head);
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  // `columns` 0: as wide as it gets. Each line ends with a newline and has no blanks before it.
  [[nodiscard]] std::string Text(int columns, bool colours) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// At most `columns` wide, with "…" where something was cut off.
std::string CutTo(std::string_view text, int columns);

}  // namespace drover
