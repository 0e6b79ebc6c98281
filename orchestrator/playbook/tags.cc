#include "orchestrator/playbook/tags.h"

#include <algorithm>

namespace drover {
namespace {

bool Has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool Meet(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::any_of(left.begin(), left.end(),
                     [&](const std::string& word) { return Has(right, word); });
}

}  // namespace

std::vector<std::string> SplitTags(std::string_view text) {
  std::vector<std::string> tags;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    std::string_view tag = text.substr(at, end - at);
    const std::size_t first = tag.find_first_not_of(" \t");
    if (first != std::string_view::npos) {
      tags.emplace_back(tag.substr(first, tag.find_last_not_of(" \t") - first + 1));
    }
    at = end + 1;
  }
  return tags;
}

// Follows ansible/playbook/taggable.py: "never" holds a task back unless one of its tags is asked
// for by name; "always" lets it in unless "always" itself is skipped.
bool TagsSelect(const std::vector<std::string>& tags, const std::vector<std::string>& only,
                const std::vector<std::string>& skip) {
  const bool untagged = tags.empty();
  const bool never = Has(tags, "never");
  const bool always = Has(tags, "always");
  bool in = only.empty() ? !never : false;
  if (!only.empty()) {
    in = always || (Has(only, "all") && !never) || Meet(tags, only) ||
         (Has(only, "tagged") && !untagged && !never) || (Has(only, "untagged") && untagged);
  }
  if (!in || skip.empty()) return in;
  if (Has(skip, "all")) return always && !Has(skip, "always");
  if (Meet(tags, skip)) return false;
  if (Has(skip, "tagged") && !untagged) return false;
  return !(Has(skip, "untagged") && untagged);
}

}  // namespace drover
