// A connection synchronisation daemon of ip_vs: a kernel thread that sends (master) or takes
// (backup) connection entries over multicast UDP (net/netfilter/ipvs/ip_vs_sync.c).
//
// Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

enum class SyncRole : std::uint8_t { kMaster, kBackup };
std::string_view ToString(SyncRole role);  // "master", "backup"
Result<SyncRole> ParseSyncRole(std::string_view word);

// Identity is the role: the kernel runs at most one of each. A backup with an id other than 0 takes
// entries of that id only.
struct SyncDaemon {
  SyncRole role = SyncRole::kMaster;
  std::string interface;
  std::uint8_t sync_id = 0;
  IpAddress group = IpAddress::V4({224, 0, 0, 81});
  std::uint16_t port = 8848;
  std::uint8_t ttl = 1;
  std::uint16_t max_length = 0;  // of a datagram's payload; 0: what the interface's MTU allows

  auto operator<=>(const SyncDaemon&) const = default;
};

std::string NameOf(const SyncDaemon& daemon);   // "sync daemon master"
std::string Summary(const SyncDaemon& daemon);  // "eth0 id 11 group 224.0.0.81:8848 ttl 1"
Status ValidateSyncDaemon(const SyncDaemon& daemon);

}  // namespace drover
