#include "protocol/vrrp_settings.h"

#include <algorithm>
#include <set>

#include "protocol/words.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMaxIntervalV3{40950};   // RFC 9568, section 5.2.7: 12 bits
constexpr milliseconds kMaxIntervalV2{255000};  // RFC 3768, section 5.3.7: one byte of seconds
constexpr milliseconds kMaxPreemptDelay{1000000};
constexpr milliseconds kMaxLease{60000};
constexpr milliseconds kMaxLinger{5000};
constexpr milliseconds kMaxSpan{3600000};
constexpr std::size_t kMaxCount = 255;     // RFC 9568, section 5.2.5
constexpr std::size_t kMaxPassword = 8;    // RFC 2338, section 5.3.6
constexpr std::size_t kLinkMtu = 1500;     // Ethernet; tunnels may have less, and fragment IPv6
constexpr std::size_t kVrrpHeader = 8;     // RFC 9568, section 5.2, up to the addresses
constexpr std::size_t kPasswordField = 8;  // RFC 2338, section 5.1: behind the addresses
constexpr int kMaxWeight = 253;
constexpr std::size_t kMaxName = 64;

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
}

Status ValidateName(std::string_view name, std::string_view what) {
  if (IsName(name)) return {};
  return Fail(ErrorCode::kInvalid, "\"" + std::string(name) + "\" is no name of a " +
                                       std::string(what) + " (1 to 64 characters, no blanks)");
}

Status InRange(milliseconds value, milliseconds least, milliseconds most, std::string_view what) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid, std::string(what) + " is " + DurationText(value) + ", not " +
                                       DurationText(least) + " to " + DurationText(most));
}

Status InRange(int value, int least, int most, std::string_view what) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid, std::string(what) + " is " + std::to_string(value) + ", not " +
                                       std::to_string(least) + " to " + std::to_string(most));
}

// The first of several that is not fine.
Status First(std::initializer_list<Status> all) {
  for (const Status& status : all) {
    if (!status) return status;
  }
  return {};
}

Status ValidateVersion(const VrrpInstance& instance) {
  const milliseconds interval = instance.advert_interval;
  if (instance.version == 2) {
    if (instance.family() == Family::kIpv6) {
      return Fail(ErrorCode::kInvalid, "IPv6 needs version 3");
    }
    if (interval % std::chrono::seconds(1) != milliseconds(0)) {
      return Fail(ErrorCode::kInvalid, "version 2 counts the advert interval in whole seconds, " +
                                           DurationText(interval) + " needs version 3");
    }
    return InRange(interval, std::chrono::seconds(1), kMaxIntervalV2, "the advert interval");
  }
  if (instance.version != 3) {
    return Fail(ErrorCode::kInvalid, "VRRP has versions 2 and 3");
  }
  if (!instance.password.empty()) {
    return Fail(ErrorCode::kInvalid, "version 3 has no password");
  }
  if (interval % milliseconds(10) != milliseconds(0)) {
    return Fail(ErrorCode::kInvalid, "version 3 counts the advert interval in steps of 10ms, not " +
                                         DurationText(interval));
  }
  return InRange(interval, milliseconds(10), kMaxIntervalV3, "the advert interval");
}

Status ValidatePrefix(const Prefix& prefix) {
  const IpAddress& ip = prefix.address;
  if (ip.is_unspecified() || ip.is_multicast() || ip.is_loopback()) {
    return Fail(ErrorCode::kInvalid, ip.ToString() + " cannot be a virtual address");
  }
  return InRange(prefix.length, 1, ip.bits(), "the prefix length of " + ip.ToString());
}

const char* FamilyName(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }

Status ValidateAddresses(const VrrpInstance& instance) {
  if (instance.addresses.empty()) {
    return Fail(ErrorCode::kInvalid, "has no address");
  }
  const std::size_t most = MaxAdvertisedAddresses(instance.family());
  if (instance.addresses.size() > most) {
    return Fail(ErrorCode::kInvalid,
                "an advert holds " + std::to_string(most) + " " + FamilyName(instance.family()) +
                    " addresses at most, not " + std::to_string(instance.addresses.size()) +
                    "; put the others under excluded_addresses");
  }
  std::set<IpAddress> seen;
  for (const Prefix& prefix : instance.AllAddresses()) {
    if (const Status fine = ValidatePrefix(prefix); !fine) return fine;
    if (!seen.insert(prefix.address).second) {
      return Fail(ErrorCode::kInvalid, prefix.address.ToString() + " is named twice");
    }
  }
  for (const Prefix& prefix : instance.addresses) {
    if (prefix.address.family() != instance.family()) {
      return Fail(ErrorCode::kInvalid,
                  "addresses of both families; an advert holds one, the other goes under "
                  "excluded_addresses or into an instance of its own");
    }
  }
  return {};
}

Status ValidatePeers(const VrrpInstance& instance) {
  std::set<IpAddress> seen;
  for (const IpAddress& peer : instance.unicast_peers) {
    if (peer.family() != instance.family()) {
      return Fail(ErrorCode::kInvalid, "unicast peer " + peer.ToString() + " is not " +
                                           std::string(ToString(instance.family())));
    }
    if (peer.is_multicast() || peer.is_unspecified() || peer == instance.source_address) {
      return Fail(ErrorCode::kInvalid, peer.ToString() + " cannot be a unicast peer");
    }
    if (!seen.insert(peer).second) {
      return Fail(ErrorCode::kInvalid, "unicast peer " + peer.ToString() + " is named twice");
    }
  }
  if (instance.source_address && instance.source_address->family() != instance.family()) {
    return Fail(ErrorCode::kInvalid, "the source address is not of the family of the addresses");
  }
  return {};
}

Status ValidateTracking(const std::vector<TrackedBy>& track) {
  std::set<std::string> seen;
  for (const TrackedBy& tracked : track) {
    if (!seen.insert(tracked.tracker).second) {
      return Fail(ErrorCode::kInvalid, "tracker " + tracked.tracker + " is named twice");
    }
    const Status weight = InRange(tracked.weight, -kMaxWeight, kMaxWeight,
                                  "the weight of tracker " + tracked.tracker);
    if (!weight) return weight;
  }
  return {};
}

Status ValidateLease(const VrrpInstance& instance) {
  if (instance.lease == milliseconds(0)) return {};
  if (instance.lease % std::chrono::seconds(1) != milliseconds(0)) {
    return Fail(ErrorCode::kInvalid, "the kernel counts the lease in whole seconds, not " +
                                         DurationText(instance.lease));
  }
  return InRange(instance.lease, std::chrono::seconds(1), kMaxLease, "the lease");
}

Status ValidateTimes(const VrrpInstance& instance) {
  const VrrpAnnounce& announce = instance.announce;
  return First({InRange(instance.preempt_delay, milliseconds(0), kMaxPreemptDelay, "preempt_delay"),
                InRange(instance.down_adverts, 1, 100, "down_adverts"),
                InRange(announce.count, 1, 100, "the count of announcements"),
                InRange(announce.refresh_count, 1, 100, "the count of refreshing announcements"),
                InRange(announce.delay, milliseconds(0), kMaxSpan, "the delay of announcements"),
                InRange(announce.refresh, milliseconds(0), kMaxSpan, "the refresh interval"),
                InRange(instance.linger, milliseconds(0), kMaxLinger, "linger"),
                InRange(instance.sync_wait, milliseconds(0), kMaxSpan, "sync_wait"),
                ValidateLease(instance)});
}

Status Named(const std::string& name, const Status& status) {
  if (status) return {};
  return Fail(status.error().In(name));
}

std::string TargetText(const TrackerTarget& target) {
  struct Speaker {
    std::string operator()(const InterfaceTracker& t) const { return "interface " + t.interface; }
    std::string operator()(const ProcessTracker& t) const {
      return "process " + t.process + (t.quorum == 1 ? "" : " x" + std::to_string(t.quorum));
    }
    std::string operator()(const FileTracker& t) const { return "file " + t.path; }
    std::string operator()(const ScriptTracker& t) const {
      return "script " + (t.argv.empty() ? "" : t.argv.front());
    }
    std::string operator()(const ServiceTracker& t) const {
      return "service " + ToString(t.service);
    }
  };
  return std::visit(Speaker{}, target);
}

Status ValidateTarget(const TrackerTarget& target) {
  const auto absolute = [](const std::string& path) -> Status {
    if (path.starts_with('/')) return {};
    return Fail(ErrorCode::kInvalid, "\"" + path + "\" is no absolute path");
  };
  if (const auto* link = std::get_if<InterfaceTracker>(&target)) {
    return ValidateInterfaceName(link->interface);
  }
  if (const auto* file = std::get_if<FileTracker>(&target)) return absolute(file->path);
  if (const auto* script = std::get_if<ScriptTracker>(&target)) {
    return absolute(script->argv.empty() ? "" : script->argv.front());
  }
  if (const auto* process = std::get_if<ProcessTracker>(&target)) {
    if (process->process.empty()) return Fail(ErrorCode::kInvalid, "names no process");
    if (process->quorum == 0) return Fail(ErrorCode::kInvalid, "the quorum must not be 0");
  }
  return {};
}

}  // namespace

std::vector<Prefix> VrrpInstance::AllAddresses() const {
  std::vector<Prefix> all = addresses;
  all.insert(all.end(), excluded_addresses.begin(), excluded_addresses.end());
  return all;
}

bool VrrpInstance::Holds(const IpAddress& address) const {
  const auto is = [&](const Prefix& prefix) { return prefix.address == address; };
  return std::any_of(addresses.begin(), addresses.end(), is) ||
         std::any_of(excluded_addresses.begin(), excluded_addresses.end(), is);
}

std::string_view ToString(VrrpChecksum checksum) {
  switch (checksum) {
    case VrrpChecksum::kAsPeer:
      return "as_peer";
    case VrrpChecksum::kRfc9568:
      return "rfc9568";
    case VrrpChecksum::kPseudoHeader:
      return "pseudo_header";
  }
  return "?";
}

Result<VrrpChecksum> ParseVrrpChecksum(std::string_view word) {
  return ParseOneOf(word,
                    {VrrpChecksum::kAsPeer, VrrpChecksum::kRfc9568, VrrpChecksum::kPseudoHeader},
                    "form of the checksum");
}

std::string_view ToString(OnRival rule) {
  switch (rule) {
    case OnRival::kReannounce:
      return "reannounce";
    case OnRival::kYield:
      return "yield";
  }
  return "?";
}

Result<OnRival> ParseOnRival(std::string_view word) {
  return ParseOneOf(word, {OnRival::kReannounce, OnRival::kYield}, "answer to a rival");
}

std::string NameOf(const VrrpInstance& instance) { return "vrrp_instance " + instance.name; }
std::string NameOf(const VrrpGroup& group) { return "vrrp_group " + group.name; }
std::string NameOf(const Tracker& tracker) { return "tracker " + tracker.name; }

std::string Summary(const VrrpInstance& instance) {
  std::string text = instance.interface + " vrid " + std::to_string(instance.vrid) + " v" +
                     std::to_string(instance.version) + " priority " +
                     std::to_string(instance.priority) + " every " +
                     DurationText(instance.advert_interval);
  if (!instance.preempt) text += " nopreempt";
  if (instance.vmac) text += " vmac";
  if (!instance.password.empty()) text += " password";
  text += ":";
  for (const Prefix& prefix : instance.addresses) text += " " + prefix.ToString();
  for (const Prefix& prefix : instance.excluded_addresses) text += " (" + prefix.ToString() + ")";
  if (!instance.unicast_peers.empty()) text += " unicast";
  for (const IpAddress& peer : instance.unicast_peers) text += " " + peer.ToString();
  for (const TrackedBy& tracked : instance.track) text += " tracks " + tracked.tracker;
  return text;
}

std::string Summary(const VrrpGroup& group) {
  std::string text;
  for (const std::string& name : group.instances) text += (text.empty() ? "" : " ") + name;
  for (const TrackedBy& tracked : group.track) text += " tracks " + tracked.tracker;
  return text;
}

std::string Summary(const Tracker& tracker) {
  return TargetText(tracker.target) + " every " + DurationText(tracker.interval) + " fall " +
         std::to_string(tracker.fall) + " rise " + std::to_string(tracker.rise);
}

std::size_t MaxAdvertisedAddresses(Family family) {
  const std::size_t ip_header = family == Family::kIpv4 ? 20 : 40;
  const std::size_t address = family == Family::kIpv4 ? 4 : 16;
  const std::size_t trailer = family == Family::kIpv4 ? kPasswordField : 0;
  return std::min(kMaxCount, (kLinkMtu - ip_header - kVrrpHeader - trailer) / address);
}

Status ValidateInstance(const VrrpInstance& instance) {
  if (const Status name = ValidateName(instance.name, "vrrp_instance"); !name) return name;
  Status limits;
  if (instance.vrid == 0) limits = Fail(ErrorCode::kInvalid, "virtual router id 0, not 1 to 255");
  if (instance.priority == 0) limits = Fail(ErrorCode::kInvalid, "priority 0, not 1 to 255");
  if (instance.password.size() > kMaxPassword) {
    limits = Fail(ErrorCode::kInvalid, "the password has more than 8 bytes");
  }
  return Named(NameOf(instance), First({limits, ValidateInterfaceName(instance.interface),
                                        ValidateAddresses(instance), ValidateVersion(instance),
                                        ValidatePeers(instance), ValidateTracking(instance.track),
                                        ValidateTimes(instance)}));
}

Status ValidateGroup(const VrrpGroup& group) {
  if (const Status name = ValidateName(group.name, "vrrp_group"); !name) return name;
  const std::set<std::string> names(group.instances.begin(), group.instances.end());
  Status members;
  if (names.size() != group.instances.size()) {
    members = Fail(ErrorCode::kInvalid, "an instance is named twice");
  } else if (names.size() < 2) {
    members = Fail(ErrorCode::kInvalid, "needs two instances at least");
  }
  for (const TrackedBy& tracked : group.track) {
    if (tracked.weight != 0 && members) {
      members = Fail(ErrorCode::kInvalid, "trackers of a group have no weight");
    }
  }
  return Named(NameOf(group), First({members, ValidateTracking(group.track)}));
}

Status ValidateTracker(const Tracker& tracker) {
  if (const Status name = ValidateName(tracker.name, "tracker"); !name) return name;
  return Named(
      NameOf(tracker),
      First({ValidateTarget(tracker.target),
             InRange(tracker.interval, milliseconds(100), kMaxSpan, "the interval"),
             InRange(tracker.timeout, milliseconds(100), kMaxSpan, "the timeout"),
             InRange(tracker.rise, 1, 100, "rise"), InRange(tracker.fall, 1, 100, "fall")}));
}

bool SpeaksDifferently(const VrrpInstance& left, const VrrpInstance& right) {
  if (left.version != right.version || left.vrid != right.vrid || left.password != right.password) {
    return true;
  }
  if (left.unicast_peers.empty() != right.unicast_peers.empty()) return true;
  return left.version == 2 && left.advert_interval != right.advert_interval;
}

}  // namespace drover
