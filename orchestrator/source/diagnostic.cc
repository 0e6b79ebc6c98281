#include "orchestrator/source/diagnostic.h"

#include <algorithm>

#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

constexpr int kTabStop = 8;
constexpr std::size_t kMaxShownCells = 160;
constexpr std::size_t kFewCandidates = 12;

std::string_view LineOf(const SourceFile& file, int line) {
  std::string_view rest = file.text;
  for (int i = 1; i < line; ++i) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view text = rest.substr(0, rest.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// A line as a terminal shows it, cut into cells, and the cell where a column begins.
struct ShownLine {
  std::vector<std::string> cells;  // wide characters are followed by an empty cell
  std::size_t caret = 0;
};

ShownLine Show(std::string_view line, int column) {
  ShownLine shown;
  int at = 1;
  for (std::size_t pos = 0; pos < line.size(); ++at) {
    if (at == column) shown.caret = shown.cells.size();
    const std::size_t begin = pos;
    const char32_t code_point = NextCodePoint(line, pos);
    const int width = DisplayWidth(code_point);
    if (code_point == '\t') {
      do {
        shown.cells.emplace_back(" ");
      } while (shown.cells.size() % kTabStop != 0);
    } else if (width == 0 && !shown.cells.empty()) {
      shown.cells.back() += line.substr(begin, pos - begin);
    } else {
      // Control characters could drive the reader's terminal.
      const bool control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
      shown.cells.emplace_back(control ? "?" : std::string(line.substr(begin, pos - begin)));
      if (width == 2) shown.cells.emplace_back();
    }
  }
  if (column >= at) shown.caret = shown.cells.size();
  return shown;
}

void AppendExcerpt(const Place& place, std::string& out) {
  const ShownLine shown = Show(LineOf(*place.file, place.line), place.column);
  const std::size_t begin =
      shown.caret > kMaxShownCells * 3 / 4 ? shown.caret - kMaxShownCells / 2 : 0;
  const std::size_t end = std::min(shown.cells.size(), begin + kMaxShownCells);
  if (begin >= end) return;
  out += begin > 0 ? "\n  ..." : "\n  ";
  for (std::size_t i = begin; i < end; ++i) out += shown.cells[i];
  if (end < shown.cells.size()) out += "...";
  if (place.column <= 0) return;
  out += "\n  " + std::string(begin > 0 ? 3 : 0, ' ') + std::string(shown.caret - begin, ' ') + "^";
}

std::string FormatAs(std::string_view severity, const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  std::string out;
  if (place.file) {
    out = place.file->name + ":";
    if (place.line > 0) out += std::to_string(place.line) + ":";
    if (place.line > 0 && place.column > 0) out += std::to_string(place.column) + ":";
    out += " ";
  }
  out += std::string(severity) + ": " + diagnostic.message;
  if (place.file && place.line > 0 && !diagnostic.secret) AppendExcerpt(place, out);
  if (!diagnostic.hint.empty()) out += "\n  hint: " + diagnostic.hint;
  return out;
}

// Edits (insert, drop, replace, swap neighbours) from one word to the other.
std::size_t Distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string Format(const Diagnostic& diagnostic) { return FormatAs("error", diagnostic); }

std::string FormatWarning(const Diagnostic& diagnostic) { return FormatAs("warning", diagnostic); }

std::string Format(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!out.empty()) out += "\n";
    out += Format(diagnostic);
  }
  return out;
}

LineIndex::LineIndex(SourceFilePtr file) : file_(std::move(file)), starts_{0} {
  const std::string& text = file_->text;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    starts_.push_back(at + 1);
  }
}

Place LineIndex::At(std::size_t offset) const {
  offset = std::min(offset, file_->text.size());
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const std::size_t start = *(after - 1);
  const std::string_view before = std::string_view(file_->text).substr(start, offset - start);
  return Place{file_, static_cast<int>(after - starts_.begin()),
               static_cast<int>(CountCodePoints(before)) + 1};
}

std::size_t LineIndex::Offset(int line, int byte) const {
  if (line < 1) return 0;
  const auto index = static_cast<std::size_t>(line - 1);
  if (index >= starts_.size()) return file_->text.size();
  return std::min(starts_[index] + static_cast<std::size_t>(std::max(byte, 0)), file_->text.size());
}

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string lower = Lower(word);
  // A slip: one edit in a short word, a third of the letters in a long one.
  const std::size_t near = std::clamp<std::size_t>(word.size() / 3, 1, 3);
  const std::string* nearest = nullptr;
  std::size_t smallest = near + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(candidate.size(), word.size());
    if (longer - std::min(candidate.size(), word.size()) > near) continue;
    const std::size_t distance = Distance(lower, Lower(candidate));
    if (distance < smallest && distance < longer) {
      smallest = distance;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? "" : *nearest;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = Nearest(word, candidates);
  if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
  if (candidates.empty() || candidates.size() > kFewCandidates) return "";
  std::string list = "one of: ";
  for (const std::string& candidate : candidates) {
    if (&candidate != &candidates.front()) list += ", ";
    list += candidate;
  }
  return list;
}

}  // namespace drover
