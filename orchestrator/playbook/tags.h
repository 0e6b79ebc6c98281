// Which tasks --tags and --skip-tags leave in, with Ansible's special words always, never, tagged,
// untagged and all.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover {

// "a, b,c" as three tags.
std::vector<std::string> SplitTags(std::string_view text);
// Whether a task with `tags` runs; an empty `only` is "all".
bool TagsSelect(const std::vector<std::string>& tags, const std::vector<std::string>& only,
                const std::vector<std::string>& skip);

}  // namespace drover
