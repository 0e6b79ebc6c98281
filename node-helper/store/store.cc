#include "node-helper/store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kMaxFileName = 200;  // of NAME_MAX = 255 bytes
constexpr const char* kCurrent = "/current.json";

Result<OwnerRecord> ReadRecord(const std::string& path) {
  auto text = ReadWholeFile(path);
  if (!text) return Fail(text.error());
  auto record = DecodeRecord(*text);
  if (!record) return Fail(record.error().In(path));
  return record;
}

// FNV-1a: keeps two long names apart after they were cut.
std::uint64_t HashOf(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace

std::string FileNameOfOwner(const std::string& owner) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string name;
  for (const char letter : owner) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                       (byte == '.' && !name.empty());
    if (plain) {
      name += letter;
    } else {
      name += '%';
      name += kHex[byte >> 4];
      name += kHex[byte & 0xF];
    }
  }
  if (name.size() <= kMaxFileName) return name;
  return name.substr(0, kMaxFileName) + "%" + std::to_string(HashOf(owner));
}

std::string Store::FolderOf(const std::string& owner) const {
  return directory_ + "/owners/" + FileNameOfOwner(owner);
}

Result<OwnerRecord> Store::Load(const std::string& owner) const {
  auto record = ReadRecord(FolderOf(owner) + kCurrent);
  if (record) return record;
  if (record.error().code != ErrorCode::kNotFound) return record;
  OwnerRecord fresh;
  fresh.owner = owner;
  return fresh;
}

Result<std::vector<OwnerRecord>> Store::LoadAll() const {
  std::vector<OwnerRecord> records;
  const std::string folder = directory_ + "/owners";
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(folder, error);
  if (error.value() == ENOENT) return records;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    auto record = ReadRecord(entry->path().string() + kCurrent);
    if (record) {
      records.push_back(std::move(*record));
    } else if (record.error().code != ErrorCode::kNotFound) {
      // Not found: the folder was made, the document was not: killed before the first record.
      return Fail(record.error());
    }
  }
  if (error) return Fail(ErrnoError(error.value(), folder));
  std::sort(records.begin(), records.end(),
            [](const OwnerRecord& a, const OwnerRecord& b) { return a.owner < b.owner; });
  return records;
}

Status Store::Save(const OwnerRecord& record) const {
  const std::string folder = FolderOf(record.owner);
  if (const Status made = MakeDirectories(folder, kFolderMode); !made) {
    return Fail(made.error().In("cannot record what belongs to " + record.owner));
  }
  OwnerRecord stamped = record;
  stamped.saved_at = static_cast<std::int64_t>(std::time(nullptr));
  const Status written = WriteFileAtomically(folder + kCurrent, EncodeRecord(stamped), kFileMode);
  if (!written) return Fail(written.error().In("cannot record what belongs to " + record.owner));
  return {};
}

Status Store::Remove(const std::string& owner) const {
  std::error_code error;
  std::filesystem::remove_all(FolderOf(owner), error);
  if (error) return Fail(ErrnoError(error.value(), FolderOf(owner)));
  return {};
}

}  // namespace drover
