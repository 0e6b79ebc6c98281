// What the check and tracker engines hand to the process that comes after an upgrade in place, as
// text. Times are those of CLOCK_MONOTONIC, which goes on.
//
// Pure. A text that cannot be read is an empty memory: the checks begin anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "node-helper/checks/asker.h"

namespace drover {

// Of a real server.
struct ServerMemory {
  bool up = false;
  health::Time since{};
  std::uint32_t mark = 0;  // of its private way; 0: none
  bool operator==(const ServerMemory&) const = default;
};

struct CheckEngineMemory {
  std::map<std::string, AskerMemory> targets;   // by id
  std::map<std::string, ServerMemory> servers;  // by MemoryName
  bool operator==(const CheckEngineMemory&) const = default;
};

std::string MemoryName(const ServerKey& key);
std::string EncodeMemory(const CheckEngineMemory& memory);
CheckEngineMemory DecodeMemory(const std::string& text);

// Of the trackers, by name and settings.
using TrackerMemory = std::map<std::string, health::CheckMemory>;
std::string EncodeTrackerMemory(const TrackerMemory& memory);
TrackerMemory DecodeTrackerMemory(const std::string& text);

}  // namespace drover
