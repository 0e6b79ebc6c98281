#include "node-helper/sync/report.h"

#include <algorithm>
#include <array>
#include <functional>

namespace drover {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'D', 'R', 'V', 'S'};
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kSettled = 1;
constexpr std::size_t kHeader = 24;
constexpr std::size_t kFixed = kHeader + 8 * kConnectionClasses;

void Put(std::vector<std::uint8_t>& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint64_t Get(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes.subspan(at, size)) value = value << 8 | byte;
  return value;
}

tl::unexpected<Error> Offence(const char* what) {
  return Fail(ErrorCode::kInvalid, std::string("report of a connection table: ") + what);
}

}  // namespace

std::vector<std::uint8_t> EncodeReport(const TableReport& report) {
  const std::size_t size = std::min(report.sample.size(), kMaxSample);
  const auto every = std::clamp(report.every, std::chrono::milliseconds(0), kMaxReportPeriod);
  std::vector<std::uint8_t> out(kMagic.begin(), kMagic.end());
  out.reserve(kFixed + 8 * size);
  out.push_back(kVersion);
  out.push_back(report.settled ? kSettled : 0);
  out.push_back(report.sync_id);
  out.push_back(0);
  Put(out, report.node, 8);
  Put(out, static_cast<std::uint64_t>(every.count()), 4);
  Put(out, size, 2);
  Put(out, 0, 2);
  for (const std::uint64_t count : report.counts.of) Put(out, count, 8);
  for (std::size_t i = 0; i < size; ++i) Put(out, report.sample[i], 8);
  return out;
}

Result<TableReport> DecodeReport(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kFixed) return Offence("it is cut off");
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return Offence("it is none");
  if (bytes[4] != kVersion) return Offence("its version is unknown");
  if (bytes[5] > kSettled || bytes[7] != 0 || Get(bytes, 22, 2) != 0) {
    return Offence("it has unknown flags");
  }
  const std::uint64_t every = Get(bytes, 16, 4);
  const std::uint64_t size = Get(bytes, 20, 2);
  if (every > static_cast<std::uint64_t>(kMaxReportPeriod.count())) {
    return Offence("it comes too rarely");
  }
  if (size > kMaxSample) return Offence("its sample is too large");
  if (bytes.size() != kFixed + 8 * size) return Offence("its length is wrong");
  TableReport report;
  report.settled = bytes[5] == kSettled;
  report.sync_id = bytes[6];
  report.node = Get(bytes, 8, 8);
  report.every = std::chrono::milliseconds(every);
  for (std::size_t i = 0; i < kConnectionClasses; ++i) {
    report.counts.of[i] = Get(bytes, kHeader + 8 * i, 8);
  }
  for (std::size_t i = 0; i < size; ++i) report.sample.push_back(Get(bytes, kFixed + 8 * i, 8));
  const auto unordered =
      std::adjacent_find(report.sample.begin(), report.sample.end(), std::greater_equal<>());
  if (unordered != report.sample.end()) return Offence("its sample is not in order");
  return report;
}

}  // namespace drover
