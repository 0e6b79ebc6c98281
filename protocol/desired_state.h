// The words for what a node should have: addresses, sysctls and ip_vs services. One vocabulary for
// the playbook's wish (desired), for what the kernel says (observed), for `node-helper show` and
// for the wire.
//
// Values only. Which words are legal is checked here (Validate…); what the kernel really has is
// node-helper's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/check_settings.h"
#include "protocol/destination.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"
#include "protocol/service_key.h"
#include "protocol/sync_daemon.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// An address on an interface. Identity is (interface, address); the prefix length is its attribute.
struct InterfaceAddress {
  std::string interface;
  Prefix prefix;
  // Tell the neighbours (gratuitous ARP, unsolicited NA) when the address is set; for VIPs of
  // directors. A wish only: the kernel does not keep it, so it takes no part in the comparison of
  // states.
  bool announce = false;

  auto operator<=>(const InterfaceAddress&) const = default;
};

// A kernel setting under /proc/sys. The key is kept with slashes
// ("net/ipv4/conf/eth0.5/arp_ignore"), because interface names may hold dots; ParseSysctlKey reads
// both spellings as sysctl(8) does.
struct Sysctl {
  std::string key;
  std::string value;  // white space folded to single blanks, as the kernel prints tables with tabs

  auto operator<=>(const Sysctl&) const = default;
};

// "net.ipv4.ip_forward" or "net/ipv4/conf/eth0.5/arp_ignore" -> with slashes. The first separator
// decides which of the two it is (sysctl(8)). Refuses empty parts, "..", and anything that could
// leave /proc/sys.
Result<std::string> ParseSysctlKey(std::string_view text);
// With dots for people; slashes where a part holds a dot itself.
std::string SysctlKeyForPeople(std::string_view key);
// Folds runs of blanks and tabs, strips both ends.
std::string NormalizeSysctlValue(std::string_view value);

// One client keeps its real server for `timeout` after its last connection ended.
struct Persistence {
  std::chrono::seconds timeout{300};  // 1 s to 31 days (ip_vs keeps it in jiffies)
  int netmask_length = 32;  // clients of one network are one client; 1 to 32 (IPv4) or 128 (IPv6)
  std::string engine;       // persistence engine ("sip"), empty for none

  auto operator<=>(const Persistence&) const = default;
};

// A virtual service with all its destinations. The list is the whole list: a destination that is
// not in it is removed.
struct VirtualService {
  ServiceKey key;
  std::string scheduler = "wlc";
  // ip_vs_sh: sh-fallback, sh-port; ip_vs_mh: mh-fallback, mh-port; others by position: flag-1,
  // flag-2, flag-3.
  std::vector<std::string> scheduler_flags;  // sorted, without repetition
  bool one_packet = false;  // UDP: every datagram is scheduled anew (ipvsadm --ops)
  std::optional<Persistence> persistence;
  std::vector<Destination> destinations;

  auto operator<=>(const VirtualService&) const = default;
};

// Where the helper's daemon gives its metrics (Prometheus text format): "127.0.0.1:9630",
// "[::1]:9630" (loopback only) or the absolute path of a socket file.
struct MetricsListen {
  std::string at;

  auto operator<=>(const MetricsListen&) const = default;
};

// What a node should have, or what it has. The first five lists are kept by the kernel and can be
// observed; the others are carried out by the helper's daemon and are never observed.
struct DesiredState {
  std::vector<InterfaceAddress> addresses;
  std::vector<Sysctl> sysctls;
  std::vector<VirtualService> services;
  std::vector<SyncDaemon> sync_daemons;
  std::vector<PathPart> path;

  std::vector<VrrpInstance> vrrp_instances;
  std::vector<VrrpGroup> vrrp_groups;
  std::vector<Tracker> trackers;
  std::vector<ServiceWatch> watches;
  std::vector<MetricsListen> metrics;  // at most one

  [[nodiscard]] bool needs_daemon() const {
    return !(vrrp_instances.empty() && vrrp_groups.empty() && trackers.empty() && watches.empty() &&
             metrics.empty());
  }
  [[nodiscard]] bool empty() const {
    return addresses.empty() && sysctls.empty() && services.empty() && sync_daemons.empty() &&
           path.empty() && !needs_daemon();
  }
  bool operator==(const DesiredState&) const = default;
};

// The resource as messages name it: "address 10.0.0.100 on lo", "sysctl net.ipv4.ip_forward",
// "service tcp 10.0.0.100:80".
std::string NameOf(const InterfaceAddress& address);
std::string NameOf(const Sysctl& sysctl);
std::string NameOf(const VirtualService& service);
std::string NameOf(const MetricsListen& metrics);  // "metrics"

// The schedulers of the Linux kernel that we know (Documentation/networking/ipvs-sysctl.rst,
// net/netfilter/ipvs/).
const std::vector<std::string>& KnownSchedulers();
// The flags that a scheduler understands; a flag has the same bit under its positional name.
std::vector<std::string> FlagsOfScheduler(std::string_view scheduler);
// Bits as ip_vs counts them (IP_VS_SVC_F_SCHED1…3, include/uapi/linux/ip_vs.h); kInvalid for a
// foreign flag.
Result<std::uint32_t> SchedulerFlagBits(std::string_view scheduler,
                                        const std::vector<std::string>& flags);
std::vector<std::string> SchedulerFlagNames(std::string_view scheduler, std::uint32_t bits);

// The rules of ip_vs that can be told without a kernel: a known scheduler and its flags, DR and TUN
// keep the port, port 0 only with persistence, families agree (TUN may mix them), one-packet only
// for UDP, no destination twice, limits of numbers. One sentence for the first offence.
Status ValidateService(const VirtualService& service);
// Interface name (1 to 15 bytes, no slash or blank), usable address, prefix length.
Status ValidateAddress(const InterfaceAddress& address);
// A loopback address with port, or an absolute path.
Status ValidateMetrics(const MetricsListen& metrics);
// Every part, and nothing named twice.
Status ValidateState(const DesiredState& state);

// Adds `part` to `whole`. The same resource twice is fine when both say the same; else kInvalid
// names it.
Status MergeInto(DesiredState& whole, const DesiredState& part);
// Sorted by identity, so that equal states compare equal. The order of destinations is kept: rr and
// mh depend on it.
DesiredState Canonical(DesiredState state);

}  // namespace drover
