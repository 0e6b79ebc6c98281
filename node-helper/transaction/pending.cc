#include "node-helper/transaction/pending.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "node-helper/store/files.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr const char* kPending = "/pending.json";
constexpr const char* kUndone = "/undone.json";
constexpr const char* kReserve = "/reserve";
constexpr std::size_t kLeastReserve = std::size_t{16} << 10;
constexpr std::size_t kRecordsInReserve = 3;
constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 53;  // exact in every JSON reader

CapturedText CapturedFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  CapturedText captured;
  ObjectReader reader(json, path, errors);
  reader.Read("part", captured.part);
  reader.Read("subject", captured.subject);
  reader.Read("file", captured.file);
  return captured;
}

// A path may be any bytes, JSON is UTF-8.
Json CapturedToJson(const CapturedText& captured) {
  return {{"part", captured.part},
          {"subject", EncodeBase64(captured.subject)},
          {"file", captured.file}};
}

Json PendingToJson(const Pending& pending) {
  return {{"run", RunToJson(pending.run)},
          {"since", pending.since},
          {"previous", pending.previous ? EncodeRecord(*pending.previous) : std::string()},
          {"had_service", pending.had_service},
          {"captured", ListToJson(pending.captured, CapturedToJson)},
          {"going_back", pending.going_back},
          {"reason", pending.reason},
          {"attempts", pending.attempts},
          {"left", pending.left}};
}

}  // namespace

bool PendingJournal::exists() const { return ::access((folder_ + kPending).c_str(), F_OK) == 0; }

Result<std::optional<Pending>> PendingJournal::Load() const {
  const std::string path = folder_ + kPending;
  const auto text = ReadWholeFile(path);
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) return std::optional<Pending>();
    return Fail(text.error());
  }
  const auto json = ParseJson(*text);
  if (!json) return Fail(json.error().In(path));
  JsonErrors errors;
  Pending pending;
  std::string previous;
  {
    ObjectReader reader(*json, "", errors);
    reader.ReadValue("run", pending.run, RunFromJson);
    reader.ReadInteger("since", pending.since, 0, kMaxSeconds);
    reader.Read("previous", previous);
    reader.Read("had_service", pending.had_service);
    reader.ReadList("captured", pending.captured, CapturedFromJson);
    reader.Read("going_back", pending.going_back);
    reader.Read("reason", pending.reason);
    reader.ReadInteger("attempts", pending.attempts, 0, kMaxU32);
    reader.Read("left", pending.left);
  }
  if (!errors.ok()) return Fail(errors.error().In(path));
  for (CapturedText& captured : pending.captured) {
    auto subject = DecodeBase64(captured.subject);
    if (!subject) return Fail(subject.error().In(path));
    captured.subject = std::move(*subject);
  }
  if (!previous.empty()) {
    auto record = DecodeRecord(previous);
    if (!record) return Fail(record.error().In(path));
    pending.previous = std::move(*record);
  }
  return std::optional<Pending>(std::move(pending));
}

Status PendingJournal::Save(const Pending& pending) const {
  if (const Status made = MakeDirectories(folder_, 0700); !made) return made;
  return WriteFileAtomically(folder_ + kPending, Dump(PendingToJson(pending)) + "\n", 0600);
}

Status PendingJournal::Reserve(const Pending& pending) const {
  if (const Status made = MakeDirectories(folder_, 0700); !made) return made;
  const std::size_t record = pending.previous ? EncodeRecord(*pending.previous).size() : 0;
  const std::string bytes(kLeastReserve + kRecordsInReserve * record, '\xff');
  return WriteFileAtomically(folder_ + kReserve, bytes, 0600);
}

void PendingJournal::FreeReserve() const {
  // One that stays is only room that is missing.
  [[maybe_unused]] const Status removed = RemoveFileIfThere(folder_ + kReserve);
}

Status PendingJournal::Capture(Pending& pending, const std::string& part,
                               const std::string& subject, const std::string& text) const {
  if (const Status made = MakeDirectories(folder_, 0700); !made) return made;
  const std::string file = std::to_string(pending.captured.size() + 1);
  const Status written = WriteFileAtomically(folder_ + "/" + file, text, 0600);
  if (written) pending.captured.push_back({part, subject, file});
  return written;
}

Result<std::string> PendingJournal::TextOf(const CapturedText& captured) const {
  return ReadWholeFile(folder_ + "/" + captured.file);
}

Status PendingJournal::SaveUndone(const OwnerRecord& record) const {
  return WriteFileAtomically(folder_ + kUndone, EncodeRecord(record), 0600);
}

Result<std::optional<OwnerRecord>> PendingJournal::LoadUndone() const {
  const auto text = ReadWholeFile(folder_ + kUndone);
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) return std::optional<OwnerRecord>();
    return Fail(text.error());
  }
  auto record = DecodeRecord(*text);
  if (!record) return Fail(record.error().In(folder_ + kUndone));
  return std::optional<OwnerRecord>(std::move(*record));
}

Status PendingJournal::Drop() const {
  if (const Status over = RemoveFileIfThere(folder_ + kPending); !over) return over;
  if (const Status flushed = SyncDirectory(folder_); !flushed) {
    return flushed.error().code == ErrorCode::kNotFound ? Status() : flushed;
  }
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
  if (error) return Fail(ErrnoError(error.value(), folder_));
  return {};
}

}  // namespace drover
