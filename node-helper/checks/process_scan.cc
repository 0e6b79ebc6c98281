#include "node-helper/checks/process_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <charconv>
#include <memory>

#include "node-helper/store/descriptor.h"

namespace drover {
namespace {

constexpr std::size_t kNameBytes = 15;  // TASK_COMM_LEN without its end
constexpr std::size_t kStatBytes = 256;
constexpr std::size_t kPathBytes = 4096;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

bool LivesAs(std::string_view stat, std::string_view name) {
  // "42 (name) S …"; the name may hold anything, also ") ".
  const std::size_t begin = stat.find('(');
  const std::size_t end = stat.rfind(") ");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return false;
  if (stat.size() < end + 3) return false;
  const char state = stat[end + 2];
  if (state == 'Z' || state == 'X' || state == 'x') return false;
  return stat.substr(begin + 1, end - begin - 1) == name.substr(0, kNameBytes);
}

ProcessScan::ProcessScan(std::string process) : process_(std::move(process)) {}

bool ProcessScan::Matches(pid_t pid) const {
  const std::string folder = "/proc/" + std::to_string(pid);
  if (process_.starts_with('/')) {
    // A zombie has no executable any more.
    std::array<char, kPathBytes> path;
    const ssize_t size = ::readlink((folder + "/exe").c_str(), path.data(), path.size());
    if (size <= 0) return false;
    std::string_view target(path.data(), static_cast<std::size_t>(size));
    // The file was replaced (an upgrade of its package), the process still runs.
    constexpr std::string_view kDeleted = " (deleted)";
    if (target.ends_with(kDeleted)) target.remove_suffix(kDeleted.size());
    return target == process_;
  }
  const Descriptor file(::open((folder + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  std::array<char, kStatBytes> stat;
  const ssize_t size = ::read(file.get(), stat.data(), stat.size());
  return size > 0 && LivesAs({stat.data(), static_cast<std::size_t>(size)}, process_);
}

std::size_t ProcessScan::Count(std::size_t enough) {
  std::erase_if(found_, [this](pid_t pid) { return !Matches(pid); });
  if (found_.size() >= enough) return found_.size();
  found_.clear();
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir("/proc"));
  if (!folder) return 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || !Matches(pid)) continue;
    found_.push_back(pid);
    if (found_.size() >= enough) break;
  }
  return found_.size();
}

}  // namespace drover
