#include "node-helper/tasks/source_ports.h"

#include <filesystem>
#include <fstream>
#include <random>

namespace drover {
namespace {

constexpr std::uint32_t kPorts = kLastSourcePort - kFirstSourcePort + 1;

std::uint32_t StoredOffset(const std::string& file) {
  std::ifstream in(file);
  std::uint32_t offset = 0;
  if (in >> offset) return offset % kPorts;
  return static_cast<std::uint32_t>(std::random_device{}() % kPorts);
}

}  // namespace

SourcePorts::SourcePorts(const std::string& file, std::uint32_t wanted) {
  const std::uint32_t offset = StoredOffset(file);
  next_ = static_cast<std::uint16_t>(kFirstSourcePort + offset);
  // A file that cannot be written costs the memory of this probe, not the probe.
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
  std::ofstream(file, std::ios::trunc) << (offset + wanted) % kPorts << "\n";
}

std::uint16_t SourcePorts::Next() {
  const std::uint16_t port = next_;
  next_ = port == kLastSourcePort ? kFirstSourcePort : static_cast<std::uint16_t>(port + 1);
  return port;
}

}  // namespace drover
