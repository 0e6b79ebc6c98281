#include "node-helper/store/generations.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "node-helper/store/files.h"

namespace drover {
namespace {

std::optional<std::uint64_t> NumberIn(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string Generations::PathOf(std::uint64_t number) const {
  return folder_ + "/" + std::to_string(number) + ".json";
}

Status Generations::Keep(const OwnerRecord& record) const {
  if (const Status made = MakeDirectories(folder_, 0700); !made) return made;
  auto kept = Numbers();
  if (!kept) return Fail(kept.error());
  if (kept->empty()) {
    const Status first =
        WriteFileAtomically(folder_ + "/first", std::to_string(record.generation) + "\n", 0600);
    if (!first) return first;
  }
  const Status written = WriteFileAtomically(PathOf(record.generation), EncodeRecord(record), 0600);
  if (!written) return written;
  if (std::find(kept->begin(), kept->end(), record.generation) == kept->end()) {
    kept->push_back(record.generation);
  }
  std::sort(kept->rbegin(), kept->rend());
  for (std::size_t i = kKeptGenerations; i < kept->size(); ++i) {
    if (const Status removed = RemoveFileIfThere(PathOf((*kept)[i])); !removed) return removed;
  }
  return {};
}

Result<std::vector<std::uint64_t>> Generations::Numbers() const {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(folder_, error);
  if (error.value() == ENOENT) return numbers;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.ends_with(".json")) continue;
    const auto number = NumberIn(std::string_view(name).substr(0, name.size() - 5));
    if (number) numbers.push_back(*number);
  }
  if (error) return Fail(ErrnoError(error.value(), folder_));
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

Result<OwnerRecord> Generations::Load(std::uint64_t number) const {
  const auto text = ReadWholeFile(PathOf(number));
  if (!text) return Fail(text.error());
  auto record = DecodeRecord(*text);
  if (!record) return Fail(record.error().In(PathOf(number)));
  return record;
}

Result<std::uint64_t> Generations::First() const {
  const auto text = ReadWholeFile(folder_ + "/first");
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) return std::uint64_t{0};
    return Fail(text.error());
  }
  const auto number = NumberIn(std::string_view(*text).substr(0, text->find('\n')));
  if (!number) return Fail(ErrorCode::kInternal, folder_ + "/first: is no number");
  return *number;
}

Result<std::optional<OwnerRecord>> Generations::At(std::uint64_t number) const {
  const auto kept = Numbers();
  if (!kept) return Fail(kept.error());
  for (const std::uint64_t candidate : *kept) {
    if (candidate > number) continue;
    auto record = Load(candidate);
    if (!record) return Fail(record.error());
    return std::optional<OwnerRecord>(std::move(*record));
  }
  const auto first = First();
  if (!first) return Fail(first.error());
  if (kept->empty() || number < *first) return std::optional<OwnerRecord>();
  return Fail(ErrorCode::kNotFound, "generation " + std::to_string(number) +
                                        " is no longer kept on this node (the oldest is " +
                                        std::to_string(kept->back()) + ")");
}

Result<bool> Generations::Has(const std::string& run_id) const {
  const auto kept = Numbers();
  if (!kept) return Fail(kept.error());
  return std::any_of(kept->begin(), kept->end(), [&](std::uint64_t number) {
    const auto record = Load(number);
    return record && record->run.run_id == run_id;
  });
}

Status Generations::ForgetRun(const std::string& run_id) const {
  const auto kept = Numbers();
  if (!kept) return Fail(kept.error());
  for (const std::uint64_t number : *kept) {
    const auto record = Load(number);
    // One that cannot be read was not written by this run: files are replaced at once.
    if (!record || record->run.run_id != run_id) continue;
    if (const Status removed = RemoveFileIfThere(PathOf(number)); !removed) return removed;
  }
  return {};
}

}  // namespace drover
