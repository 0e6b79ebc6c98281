#include "orchestrator/ssh/ssh_config_file.h"

#include <glob.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

namespace drover {
namespace {

using Lines = std::vector<ConfigLine>;

constexpr int kMaxDepth = 16;  // as OpenSSH: ends files that include themselves

std::optional<std::string> ReadText(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Glob(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

// Adds the lines of a file, with its includes in their place. False: it cannot be read.
bool AddFile(const std::string& path, const std::string& folder, const std::string& home, int depth,
             Lines& lines) {
  const std::optional<std::string> text = ReadText(path);
  if (!text) return false;
  for (ConfigLine& line : ParseSshConfig(*text, path)) {
    if (line.keyword != "include") {
      lines.push_back(std::move(line));
      continue;
    }
    for (const std::string& argument : line.arguments) {
      std::string pattern = ExpandTilde(argument, home);
      if (!pattern.starts_with('/')) pattern = folder + "/" + pattern;
      for (const std::string& included : Glob(pattern)) {
        if (depth >= kMaxDepth) continue;
        lines.push_back(ConfigLine{.kind = ConfigLine::Kind::kOpen});
        AddFile(included, folder, home, depth + 1, lines);
        lines.push_back(ConfigLine{.kind = ConfigLine::Kind::kClose});
      }
    }
  }
  return true;
}

// A whole file as one unit: a Host block at its end must not reach into the next file.
bool AddRoot(const std::string& path, const std::string& folder, const std::string& home,
             Lines& lines) {
  lines.push_back(ConfigLine{.kind = ConfigLine::Kind::kOpen});
  const bool readable = AddFile(path, folder, home, 0, lines);
  lines.push_back(ConfigLine{.kind = ConfigLine::Kind::kClose});
  return readable;
}

}  // namespace

Result<std::shared_ptr<const std::vector<ConfigLine>>> LoadSshConfig(const std::string& file,
                                                                     const std::string& home) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Lines>> loaded;
  const std::lock_guard lock(mutex);
  const std::string key = file + '\n' + home;
  const auto found = loaded.find(key);
  if (found != loaded.end()) return found->second;
  Lines lines;
  if (file.empty()) {
    AddRoot(home + "/.ssh/config", home + "/.ssh", home, lines);
    AddRoot("/etc/ssh/ssh_config", "/etc/ssh", home, lines);
  } else if (!AddRoot(ExpandTilde(file, home), home + "/.ssh", home, lines)) {
    return Fail(ErrorCode::kInvalid, ErrnoError(errno, "ssh configuration " + file).message);
  }
  auto shared = std::make_shared<const Lines>(std::move(lines));
  loaded.emplace(key, shared);
  return shared;
}

}  // namespace drover
