#include "node-helper/transaction/deadline.h"

#include <algorithm>
#include <ctime>

#include "node-helper/store/files.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDeadline = "/deadline";
constexpr const char* kLastChange = "/last_change";
constexpr const char* kBootIdFile = "/proc/sys/kernel/random/boot_id";

std::string BootId() {
  std::string text = ReadWholeFile(kBootIdFile).value_or("unknown");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

milliseconds SinceBoot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(now.tv_sec) +
                                                  std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

NodeClock NodeClock::OfThisNode() {
  return {BootId, SinceBoot, [] { return static_cast<std::int64_t>(std::time(nullptr)); }};
}

Status DeadlineFile::Write(const std::string& name, const std::string& run_id,
                           milliseconds at) const {
  if (const Status made = MakeDirectories(directory_, 0700); !made) return made;
  const Json json{{"run_id", run_id}, {"boot_id", clock_.boot_id()}, {"at_ms", at.count()}};
  return WriteFileAtomically(directory_ + name, Dump(json) + "\n", 0600);
}

std::optional<milliseconds> DeadlineFile::Read(const std::string& name,
                                               const std::string& run_id) const {
  const auto text = ReadWholeFile(directory_ + name);
  if (!text) return std::nullopt;
  const auto json = ParseJson(*text);
  if (!json) return std::nullopt;
  std::string whose;
  std::string boot_id;
  milliseconds at{0};
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    reader.Read("run_id", whose);
    reader.Read("boot_id", boot_id);
    reader.ReadDuration("at_ms", at);
  }
  const bool fits = run_id.empty() || whose == run_id;
  if (!errors.ok() || !fits || boot_id != clock_.boot_id()) return std::nullopt;
  return at;
}

Status DeadlineFile::Renew(const std::string& run_id, milliseconds lease) const {
  return Write(kDeadline, run_id, clock_.since_boot() + lease);
}

std::optional<milliseconds> DeadlineFile::Left(const std::string& run_id) const {
  const auto at = Read(kDeadline, run_id);
  if (!at) return std::nullopt;
  return std::max(*at - clock_.since_boot(), milliseconds{0});
}

Status DeadlineFile::Remove() const {
  if (const Status removed = RemoveFileIfThere(directory_ + kDeadline); !removed) return removed;
  return RemoveFileIfThere(directory_ + kLastChange);
}

Status DeadlineFile::NoteChange() const { return Write(kLastChange, "", clock_.since_boot()); }

std::optional<milliseconds> DeadlineFile::LastChange() const { return Read(kLastChange, ""); }

}  // namespace drover
