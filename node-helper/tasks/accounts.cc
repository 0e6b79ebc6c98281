#include "node-helper/tasks/accounts.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "node-helper/store/files.h"

namespace drover {
namespace {

std::optional<std::uint32_t> Number(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The third field is the number in both files: "name:x:number:...".
std::optional<std::pair<std::string_view, std::uint32_t>> ParseEntry(std::string_view line) {
  const std::size_t first = line.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::size_t third = std::min(line.find(':', second + 1), line.size());
  const auto number = Number(line.substr(second + 1, third - second - 1));
  if (!number) return std::nullopt;
  return std::pair(line.substr(0, first), *number);
}

template <typename Wanted>
std::optional<std::pair<std::string, std::uint32_t>> Search(const std::string& file,
                                                            const Wanted& wanted) {
  const auto text = ReadWholeFile(file);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto entry = ParseEntry(rest.substr(0, end));
    if (entry && wanted(*entry)) return std::pair(std::string(entry->first), entry->second);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

Result<std::uint32_t> IdOf(const std::string& name, const std::string& file, const char* kind) {
  const auto found = Search(file, [&](const auto& entry) { return entry.first == name; });
  if (found) return found->second;
  if (const auto number = Number(name)) return *number;
  return Fail(ErrorCode::kNotFound, std::string(kind) + " " + name + ": not in " + file);
}

std::string NameIn(const std::string& file, std::uint32_t id) {
  const auto found = Search(file, [&](const auto& entry) { return entry.second == id; });
  return found ? found->first : std::to_string(id);
}

}  // namespace

Result<uid_t> UserId(const std::string& user, const std::string& passwd) {
  return IdOf(user, passwd, "user");
}
Result<gid_t> GroupId(const std::string& group, const std::string& groups) {
  return IdOf(group, groups, "group");
}
std::string UserName(uid_t id, const std::string& passwd) { return NameIn(passwd, id); }
std::string GroupName(gid_t id, const std::string& groups) { return NameIn(groups, id); }

}  // namespace drover
