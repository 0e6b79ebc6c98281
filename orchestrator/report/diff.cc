#include "orchestrator/report/diff.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

constexpr std::size_t kContext = 3;
constexpr std::ptrdiff_t kMaxEdits =
    2000;  // of the search; its memory grows with the square (32 MB)

using Lines = std::vector<std::string>;

// One step from the old text to the new one: ' ' keeps, '-' drops, '+' adds a line.
struct Edit {
  char kind = ' ';
  std::size_t before = 0;  // index of the line in the old text, or where it would stand
  std::size_t after = 0;
};

Lines SplitLines(std::string_view text) {
  Lines lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) {
      lines.push_back(std::string(text.substr(start)) + "\n\\ No newline at end of file");
      break;
    }
    lines.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy search: for each
// number of edits d the furthest reaching point of every diagonal k. `trace` keeps them for the way
// back.
class Search {
 public:
  Search(const Lines& before, const Lines& after) : a_(before), b_(after) {}

  // The edits, or nothing when there would be too many.
  std::vector<Edit> Run() {
    const auto n = static_cast<std::ptrdiff_t>(a_.size());
    const auto m = static_cast<std::ptrdiff_t>(b_.size());
    const std::ptrdiff_t limit = std::min(n + m, kMaxEdits);
    offset_ = limit + 1;
    std::vector<std::ptrdiff_t> furthest(static_cast<std::size_t>(2 * limit + 3), 0);
    for (std::ptrdiff_t d = 0; d <= limit; ++d) {
      for (std::ptrdiff_t k = -d; k <= d; k += 2) {
        std::ptrdiff_t x = StepFrom(furthest, d, k);
        while (x < n && x - k < m && x - k >= 0 && a_[Index(x)] == b_[Index(x - k)]) {
          ++x;
        }
        furthest[Index(k + offset_)] = x;
        if (x >= n && x - k >= m) {
          return WayBack(d, n, m);
        }
      }
      // Of step d only the diagonals -d to d are ever looked at again.
      const auto first = furthest.begin() + (offset_ - d);
      trace_.emplace_back(first, first + (2 * d + 1));
    }
    return {};
  }

 private:
  static std::size_t Index(std::ptrdiff_t i) { return static_cast<std::size_t>(i); }

  std::ptrdiff_t StepFrom(const std::vector<std::ptrdiff_t>& furthest, std::ptrdiff_t d,
                          std::ptrdiff_t k) const {
    if (d == 0) {
      return 0;
    }
    const std::ptrdiff_t down = k < d ? furthest[Index(k + 1 + offset_)] : -1;
    const std::ptrdiff_t right = k > -d ? furthest[Index(k - 1 + offset_)] + 1 : -1;
    return k == -d || (k != d && right <= down) ? down : right;
  }

  std::vector<Edit> WayBack(std::ptrdiff_t d, std::ptrdiff_t x, std::ptrdiff_t y) const {
    std::vector<Edit> edits;
    for (; d > 0; --d) {
      const auto& last = trace_[Index(d - 1)];  // diagonals -(d-1) to d-1
      const auto at = [&](std::ptrdiff_t k) {
        return k < -(d - 1) || k > d - 1 ? std::ptrdiff_t{-1} : last[Index(k + d - 1)];
      };
      const std::ptrdiff_t k = x - y;
      const bool down = k == -d || (k != d && at(k - 1) + 1 <= at(k + 1));
      const std::ptrdiff_t from = down ? k + 1 : k - 1;
      const std::ptrdiff_t from_x = at(from);
      const std::ptrdiff_t from_y = from_x - from;
      while (x > from_x + (down ? 0 : 1) && y > from_y + (down ? 1 : 0)) {
        edits.push_back({' ', Index(--x), Index(--y)});
      }
      edits.push_back({down ? '+' : '-', Index(from_x), Index(from_y)});
      x = from_x;
      y = from_y;
    }
    while (x > 0) {
      edits.push_back({' ', Index(--x), Index(--y)});
    }
    std::reverse(edits.begin(), edits.end());
    return edits;
  }

  const Lines& a_;
  const Lines& b_;
  std::ptrdiff_t offset_ = 0;
  std::vector<std::vector<std::ptrdiff_t>> trace_;
};

std::vector<Edit> ReplaceAll(const Lines& before, const Lines& after) {
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < before.size(); ++i) {
    edits.push_back({'-', i, 0});
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    edits.push_back({'+', before.size(), i});
  }
  return edits;
}

// "3,4", "3" for one line, "2,0" for none behind line 2.
std::string Span(std::size_t start, std::size_t length) {
  if (length == 1) {
    return std::to_string(start + 1);
  }
  return std::to_string(length == 0 ? start : start + 1) + "," + std::to_string(length);
}

// The edits [first, last) of one hunk, with the context around them.
std::string Hunk(const std::vector<Edit>& edits, std::size_t first, std::size_t last,
                 const Lines& before, const Lines& after, bool colours) {
  std::size_t dropped = 0;
  std::size_t added = 0;
  std::string body;
  for (std::size_t i = first; i < last; ++i) {
    const Edit& edit = edits[i];
    dropped += edit.kind != '+' ? 1 : 0;
    added += edit.kind != '-' ? 1 : 0;
    const std::string line =
        edit.kind + Printable(edit.kind == '+' ? after[edit.after] : before[edit.before]);
    body += edit.kind == ' '   ? line
            : edit.kind == '+' ? Paint(line, Colour::kDiffAdd, colours)
                               : Paint(line, Colour::kDiffRemove, colours);
    body += '\n';
  }
  const std::string place =
      "@@ -" + Span(edits[first].before, dropped) + " +" + Span(edits[first].after, added) + " @@";
  return Paint(place, Colour::kDiffPlace, colours) + "\n" + body;
}

}  // namespace

std::string UnifiedDiff(const FileDiff& diff, bool colours) {
  if (diff.binary) {
    return "diff skipped: " + Printable(diff.path) + " appears to be binary or is too large\n";
  }
  const Lines before = SplitLines(diff.before.value_or(""));
  const Lines after = SplitLines(diff.after.value_or(""));
  if (before == after) {
    return "";
  }
  std::vector<Edit> edits = Search(before, after).Run();
  if (edits.empty()) {
    edits = ReplaceAll(before, after);
  }
  const std::string path = Printable(diff.path);
  std::string text =
      Paint("--- before" + (diff.before ? ": " + path : ""), Colour::kDiffRemove, colours) + "\n" +
      Paint("+++ after" + (diff.after ? ": " + path : ""), Colour::kDiffAdd, colours) + "\n";
  for (std::size_t i = 0; i < edits.size();) {
    if (edits[i].kind == ' ') {
      ++i;
      continue;
    }
    const std::size_t first = i - std::min(i, kContext);
    std::size_t last = i;  // behind the last difference of this hunk
    for (std::size_t j = i; j < edits.size() && j <= last + 2 * kContext; ++j) {
      last = edits[j].kind != ' ' ? j + 1 : last;
    }
    const std::size_t end = std::min(edits.size(), last + kContext);
    text += Hunk(edits, first, end, before, after, colours);
    i = end;
  }
  return text + "\n";
}

}  // namespace drover
