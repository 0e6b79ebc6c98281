#include "orchestrator/run/drill_evidence.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "orchestrator/run/private_file.h"
#include "orchestrator/run/run_record.h"

namespace drover {
namespace {

constexpr const char* kLockName = "running";
constexpr const char* kFlag = "/run/drover/no-drill";
constexpr std::size_t kLongestReason = 200;

std::optional<std::string> Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// True while the process that made the folder lives.
bool IsRunning(const std::filesystem::path& folder) {
  const int fd = ::open((folder / kLockName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return !free;
}

}  // namespace

std::string DrillsFolder(const Environment& environment) {
  return StateFolder(environment) + "/drills";
}

Result<std::unique_ptr<EvidenceFolder>> EvidenceFolder::Make(const std::string& path) {
  // Whoever writes below a folder makes it.
  if (const Status made = WritePrivateFileBelow(path + "/" + kLockName, ""); !made) {
    return Fail(made.error().In("evidence"));
  }
  const int fd = ::open((path + "/" + kLockName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(ErrnoError(errno, path));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return Fail(ErrorCode::kExists, path + ": another drill writes there");
  }
  return std::unique_ptr<EvidenceFolder>(new EvidenceFolder(path, fd));
}

EvidenceFolder::~EvidenceFolder() {
  ::unlink((path_ + "/" + kLockName).c_str());
  ::close(lock_);
}

Status EvidenceFolder::Write(const std::string& name, std::string_view bytes) const {
  return WritePrivateFile(path_ + "/" + name, bytes);
}

std::vector<InterruptedDrill> FindInterrupted(const std::string& folder) {
  std::vector<InterruptedDrill> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const auto text = Contents(at->path() / "journal.json");
    auto journal = text ? DecodeJournal(*text) : Fail(ErrorCode::kNotFound, "");
    if (!journal || journal->phase == DrillPhase::kJudged || IsRunning(at->path())) continue;
    found.push_back({at->path().string(), *std::move(journal)});
  }
  return found;
}

std::string NoDrillHere(const Environment& environment) {
  const std::string config = environment("XDG_CONFIG_HOME").value_or("");
  const std::string home = environment("HOME").value_or("/root");
  const std::string own = (config.empty() ? home + "/.config" : config) + "/drover/no-drill";
  for (const std::string& path : {std::string(kFlag), own}) {
    const auto text = Contents(path);
    if (!text) continue;
    const std::string reason = text->substr(0, std::min(text->find('\n'), kLongestReason));
    return reason.empty() ? path + " is there" : reason;
  }
  return "";
}

}  // namespace drover
