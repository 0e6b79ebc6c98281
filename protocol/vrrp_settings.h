// The words for VRRP on a node: instances (virtual routers), sync groups and trackers, as the
// playbook asks for them (RFC 9568; version 2: RFC 3768).
//
// Values only. What is legal is checked here (Validate…); running it is node-helper's business.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// A tracker as an instance or group uses it. Weight 0: the instance is in fault while the tracker
// is down. Negative: added to the priority while it is down. Positive: added while it is up.
struct TrackedBy {
  std::string tracker;
  int weight = 0;  // -253 to 253

  auto operator<=>(const TrackedBy&) const = default;
};

// How the checksum of version 3 over IPv4 is made when sending (RFC 9568, section 5.2.8). kAsPeer:
// as the last peer heard did, until then with the pseudo-header, as keepalived. Receiving takes all
// forms.
enum class VrrpChecksum : std::uint8_t { kAsPeer, kRfc9568, kPseudoHeader };
std::string_view ToString(VrrpChecksum checksum);  // "as_peer", "rfc9568", "pseudo_header"
Result<VrrpChecksum> ParseVrrpChecksum(std::string_view word);

// What a master does about a stranger that claims its addresses without outranking it by VRRP.
enum class OnRival : std::uint8_t { kReannounce, kYield };
std::string_view ToString(OnRival rule);  // "reannounce", "yield"
Result<OnRival> ParseOnRival(std::string_view word);

// How neighbours are told about the addresses (gratuitous ARP, unsolicited NA): `count` times at
// takeover, `count` times again after `delay`, then `refresh_count` times every `refresh`.
struct VrrpAnnounce {
  int count = 5;                          // 1 to 100
  std::chrono::milliseconds delay{5000};  // 0: no second burst
  std::chrono::milliseconds refresh{0};   // 0: never
  int refresh_count = 1;                  // 1 to 100

  auto operator<=>(const VrrpAnnounce&) const = default;
};

// One virtual router on this node.
struct VrrpInstance {
  std::string name;  // identity on the node
  std::string interface;
  int version = 3;  // 2 or 3; IPv6 needs 3
  std::uint8_t vrid = 1;
  std::uint8_t priority = 100;  // 1 to 254, 255 for the address owner
  // Version 3: 10 ms to 40.95 s in steps of 10 ms (12 bits of centiseconds). Version 2: 1 s to
  // 255 s, whole.
  std::chrono::milliseconds advert_interval{1000};
  int down_adverts = 3;  // adverts missed until a backup takes over, 1 to 100; RFC: 3
  bool preempt = true;
  std::chrono::milliseconds preempt_delay{0};  // 0 to 1000 s
  // Of one family, order kept, at most MaxAdvertisedAddresses; they travel in the advert. All are
  // set with the prefix length given.
  std::vector<Prefix> addresses;
  // Set and released with the others but not in the advert; may be of the other family.
  std::vector<Prefix> excluded_addresses;
  std::vector<IpAddress> unicast_peers;     // empty: multicast (224.0.0.18, ff02::12)
  std::optional<IpAddress> source_address;  // default: first IPv4, or link-local, of the interface
  std::string password;  // version 2 authentication PASS, at most 8 bytes; empty: none. Secret.
  VrrpChecksum checksum = VrrpChecksum::kAsPeer;
  bool vmac = false;  // addresses live on a macvlan with 00:00:5e:00:01:{vrid} (02 for IPv6)
  VrrpAnnounce announce;
  // Lifetime that the kernel gives the addresses of a master; refreshed by the helper, so that they
  // vanish when it cannot run. Whole seconds from 1 s; 0: none.
  std::chrono::milliseconds lease{1000};
  // How long a master that yields to a peer goes on taking (not announcing) packets.
  std::chrono::milliseconds linger{200};
  OnRival on_rival = OnRival::kReannounce;
  // A backup that may take over from a living master (preempt) waits so long at most until its
  // connection table holds the master's connections; counts only with connection_sync. 0: does not
  // wait.
  std::chrono::milliseconds sync_wait{60000};
  std::vector<TrackedBy> track;

  // Those of the advert, then the others.
  [[nodiscard]] std::vector<Prefix> AllAddresses() const;
  [[nodiscard]] bool Holds(const IpAddress& address) const;
  [[nodiscard]] Family family() const {
    return addresses.empty() ? (source_address ? source_address->family() : Family::kIpv4)
                             : addresses.front().address.family();
  }
  bool operator==(const VrrpInstance&) const = default;
};

// Instances that are master or backup together (keepalived: vrrp_sync_group).
struct VrrpGroup {
  std::string name;
  std::vector<std::string> instances;  // names; at least two, each in one group at most
  std::vector<TrackedBy> track;        // holds for every member; weight 0 only

  bool operator==(const VrrpGroup&) const = default;
};

struct InterfaceTracker {
  std::string interface;  // up: exists, is up and has carrier
  bool operator==(const InterfaceTracker&) const = default;
};
struct ProcessTracker {
  std::string process;  // name of the executable (at most 15 bytes are compared, as the kernel
                        // keeps them), or its absolute path
  std::uint32_t quorum = 1;
  bool operator==(const ProcessTracker&) const = default;
};
struct FileTracker {
  std::string path;  // up: exists and does not start with the number 0
  bool operator==(const FileTracker&) const = default;
};
struct ScriptTracker {
  std::vector<std::string> argv;  // no shell; exit 0 is up
  bool operator==(const ScriptTracker&) const = default;
};
struct ServiceTracker {
  ServiceKey service;  // up: the virtual service has its quorum of live real servers
  bool operator==(const ServiceTracker&) const = default;
};
using TrackerTarget =
    std::variant<InterfaceTracker, ProcessTracker, FileTracker, ScriptTracker, ServiceTracker>;

// Something that instances watch.
struct Tracker {
  std::string name;  // identity on the node
  TrackerTarget target;
  std::chrono::milliseconds interval{1000};  // of process, file and script
  std::chrono::milliseconds timeout{1000};   // of script
  int rise = 1;
  int fall = 1;

  bool operator==(const Tracker&) const = default;
};

std::string NameOf(const VrrpInstance& instance);  // "vrrp_instance web"
std::string NameOf(const VrrpGroup& group);        // "vrrp_group pair"
std::string NameOf(const Tracker& tracker);        // "tracker uplink"
// One line without secrets: "eth0 vrid 51 v3 priority 150 every 1s: 10.0.0.100/32".
std::string Summary(const VrrpInstance& instance);
std::string Summary(const VrrpGroup& group);
std::string Summary(const Tracker& tracker);

// How many addresses one advert carries: its count is one byte (RFC 9568, section 5.2.5), and it
// must go out in one piece on a link of 1500 bytes.
std::size_t MaxAdvertisedAddresses(Family family);

// One sentence for the first offence; limits as at the fields.
Status ValidateInstance(const VrrpInstance& instance);
Status ValidateGroup(const VrrpGroup& group);
Status ValidateTracker(const Tracker& tracker);

// What a peer that still has the other settings would not understand or hear: version, interval
// (version 2), authentication, virtual router id, or multicast instead of unicast. Between such
// settings a rolling change goes in two phases.
bool SpeaksDifferently(const VrrpInstance& left, const VrrpInstance& right);

}  // namespace drover
