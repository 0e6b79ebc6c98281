#include "protocol/drill.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace drover {
namespace {

using Lines = std::vector<std::string>;

// The lines of `from` that `other` has not, each told with `sign`.
void AddMissing(const std::string& section, const Lines& from, const Lines& other, char sign,
                std::vector<std::string>& differences) {
  Lines only;
  std::set_difference(from.begin(), from.end(), other.begin(), other.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) {
    differences.push_back(section + ": " + sign + " " + line);
  }
}

}  // namespace

std::vector<std::string> DifferencesOf(const NodeSnapshot& before, const NodeSnapshot& after) {
  std::map<std::string, std::pair<Lines, Lines>> sections;
  for (const SnapshotSection& section : before.sections) {
    sections[section.name].first = section.lines;
  }
  for (const SnapshotSection& section : after.sections) {
    sections[section.name].second = section.lines;
  }
  std::vector<std::string> differences;
  for (auto& [name, sides] : sections) {
    std::sort(sides.first.begin(), sides.first.end());
    std::sort(sides.second.begin(), sides.second.end());
    AddMissing(name, sides.first, sides.second, '-', differences);
    AddMissing(name, sides.second, sides.first, '+', differences);
  }
  return differences;
}

}  // namespace drover
