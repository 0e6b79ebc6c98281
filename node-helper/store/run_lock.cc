#include "node-helper/store/run_lock.h"

#include <array>
#include <ctime>

#include "node-helper/store/files.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 53;  // exact in every JSON reader

}  // namespace

Result<std::optional<RunLock>> RunLockFile::Load() const {
  const auto text = ReadWholeFile(path_);
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) return std::optional<RunLock>();
    return Fail(text.error());
  }
  const auto json = ParseJson(*text);
  if (!json) return Fail(json.error().In(path_));
  JsonErrors errors;
  RunLock lock;
  {
    ObjectReader reader(*json, "", errors);
    reader.ReadValue("run", lock.run, RunFromJson);
    reader.ReadInteger("since", lock.since, 0, kMaxSeconds);
    reader.ReadDuration("lease_ms", lock.lease);
    reader.Read("revert", lock.revert);
  }
  if (!errors.ok()) return Fail(errors.error().In(path_));
  return std::optional<RunLock>(lock);
}

Status RunLockFile::Save(const RunLock& lock) const {
  if (const Status made = MakeDirectories(ParentOf(path_), 0700); !made) return made;
  const Json json{{"run", RunToJson(lock.run)},
                  {"since", lock.since},
                  {"lease_ms", lock.lease.count()},
                  {"revert", lock.revert}};
  return WriteFileAtomically(path_, Dump(json) + "\n", 0600);
}

Status RunLockFile::Remove() const { return RemoveFileIfThere(path_); }

std::string UtcText(std::int64_t seconds) {
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm broken_down{};
  gmtime_r(&time, &broken_down);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &broken_down);
  return text.data();
}

std::string LockedText(const LockHolder& holder, std::int64_t now) {
  const RunInfo& run = holder.run;
  const std::int64_t until =
      now + std::chrono::duration_cast<std::chrono::seconds>(holder.expires_in).count();
  return "this node is locked by the run of " + run.user + " on " + run.control_host + " (" +
         (run.command.empty() ? run.owner : run.command) + ", owner " + run.owner + ", pid " +
         std::to_string(run.pid) + ") since " + UtcText(holder.since) + ", until " +
         UtcText(until) + " unless it is heard of" +
         (holder.armed ? "; its changes go back then" : "") +
         "; wait for it, or take the lock away with: drover unlock --id " + run.run_id;
}

}  // namespace drover
