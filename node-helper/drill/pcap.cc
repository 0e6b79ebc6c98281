#include "node-helper/drill/pcap.h"

#include <algorithm>

namespace drover {
namespace {

constexpr std::uint32_t kMagic = 0xa1b2c3d4;       // of files with microseconds
constexpr std::uint32_t kVersion = 4U << 16 | 2U;  // minor and major, as they stand in the file
constexpr std::uint32_t kSnapBytes = 65535;
constexpr std::uint32_t kEthernet = 1;
constexpr std::int64_t kMicros = 1'000'000;

// Little-endian, whatever this machine is; readers go by the magic.
void Append(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

std::string EncodePcap(std::span<const CapturedFrame> frames, std::int64_t wall_us,
                       std::int64_t monotonic_us) {
  std::string out;
  for (const std::uint32_t word : {kMagic, kVersion, 0U, 0U, kSnapBytes, kEthernet}) {
    Append(out, word);
  }
  for (const CapturedFrame& frame : frames) {
    const std::int64_t at = std::max<std::int64_t>(0, wall_us + frame.monotonic_us - monotonic_us);
    Append(out, static_cast<std::uint32_t>(at / kMicros));
    Append(out, static_cast<std::uint32_t>(at % kMicros));
    Append(out, static_cast<std::uint32_t>(frame.bytes.size()));
    Append(out, std::max(frame.length, static_cast<std::uint32_t>(frame.bytes.size())));
    out.append(frame.bytes.begin(), frame.bytes.end());
  }
  return out;
}

}  // namespace drover
