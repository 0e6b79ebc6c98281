#include "node-helper/converge/plan.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>
#include <tuple>

namespace drover {
namespace {

using AddressIdentity = std::pair<std::string, IpAddress>;

constexpr std::string_view kIpvsSysctls = "net/ipv4/vs/";

AddressIdentity IdentityOf(const InterfaceAddress& address) {
  return {address.interface, address.prefix.address};
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Sorts sysctls so that no write undoes an earlier one: switching forwarding resets others
// (inet_forward_change, addrconf_fixup_forwarding), conf/all and conf/default are copied to
// interfaces (devinet_copy_dflt_conf).
std::tuple<int, int, std::string> WriteOrder(const Sysctl& sysctl) {
  const std::string& key = sysctl.key;
  const bool resets = EndsWith(key, "/ip_forward") || EndsWith(key, "/forwarding");
  int scope = 2;
  if (key.find("/all/") != std::string::npos) scope = 0;
  if (key.find("/default/") != std::string::npos) scope = 1;
  if (EndsWith(key, "/ip_forward")) scope = 0;
  return {resets ? 0 : 1, scope, key};
}

// "lvs0" of "net/ipv4/conf/lvs0/rp_filter"; empty for other settings.
std::string_view InterfaceOfKey(std::string_view key) {
  for (const std::string_view folder : {"net/ipv4/conf/", "net/ipv6/conf/"}) {
    if (!StartsWith(key, folder)) continue;
    key.remove_prefix(folder.size());
    return key.substr(0, key.find('/'));
  }
  return "";
}

Status PlanSysctls(const DesiredState& desired, const DesiredState& observed,
                   std::vector<Change>& plan) {
  std::map<std::string, std::string> values;
  for (const Sysctl& sysctl : observed.sysctls) values[sysctl.key] = sysctl.value;
  std::vector<Sysctl> wanted = desired.sysctls;
  std::sort(wanted.begin(), wanted.end(),
            [](const Sysctl& a, const Sysctl& b) { return WriteOrder(a) < WriteOrder(b); });
  for (const Sysctl& sysctl : wanted) {
    const auto found = values.find(sysctl.key);
    if (found == values.end()) {
      const bool of_tunnel = HasTunnel(desired, InterfaceOfKey(sysctl.key));
      if (!of_tunnel && !StartsWith(sysctl.key, kIpvsSysctls)) {
        return Fail(ErrorCode::kInvalid, NameOf(sysctl) + ": this kernel has no such setting");
      }
      plan.push_back({SetSysctl{sysctl, ""},
                      of_tunnel ? "the tunnel is not there yet" : "ip_vs is not loaded yet"});
    } else if (!SameSysctlValue(found->second, sysctl.value)) {
      plan.push_back({SetSysctl{sysctl, found->second}, "is " + found->second});
    }
  }
  return {};
}

// The bits of the flags, so that "flag-1" and "sh-fallback" are the same; names as they are when
// they are none of this scheduler's.
std::pair<std::uint32_t, std::vector<std::string>> FlagsOf(const VirtualService& service) {
  if (const auto bits = SchedulerFlagBits(service.scheduler, service.scheduler_flags)) {
    return {*bits, {}};
  }
  return {0, service.scheduler_flags};
}

std::string PersistenceText(const VirtualService& service) {
  if (!service.persistence) return "not persistent";
  const Persistence& p = *service.persistence;
  return "persistent " + std::to_string(p.timeout.count()) + "s mask " +
         std::to_string(p.netmask_length) + (p.engine.empty() ? "" : " engine " + p.engine);
}

std::string FlagText(const VirtualService& service) {
  std::string text;
  for (const std::string& flag : service.scheduler_flags) text += " " + flag;
  return text.empty() ? "no scheduler flags" : "scheduler flags" + text;
}

void Append(std::string& text, const std::string& part) {
  text += (text.empty() ? "" : ", ") + part;
}

// What `observed` has that `desired` has not, in words; empty when the settings agree.
// Destinations take no part.
std::string ServiceDifference(const VirtualService& desired, const VirtualService& observed) {
  std::string reason;
  if (desired.scheduler != observed.scheduler) Append(reason, "scheduler is " + observed.scheduler);
  if (FlagsOf(desired) != FlagsOf(observed)) Append(reason, "has " + FlagText(observed));
  if (desired.one_packet != observed.one_packet) {
    Append(reason, observed.one_packet ? "is one-packet" : "is not one-packet");
  }
  if (desired.persistence != observed.persistence) {
    Append(reason, "is " + PersistenceText(observed));
  }
  return reason;
}

std::string DestinationDifference(const Destination& desired, const Destination& observed) {
  std::string reason;
  if (desired.forward != observed.forward) {
    Append(reason, "forwarding is " + std::string(ToString(observed.forward)));
  }
  if (desired.tunnel != observed.tunnel) {
    Append(reason, "packets are wrapped in " + ToString(observed.tunnel));
  }
  if (desired.weight != observed.weight) {
    Append(reason, "weight is " + std::to_string(observed.weight));
  }
  if (desired.upper_threshold != observed.upper_threshold) {
    Append(reason, "upper threshold is " + std::to_string(observed.upper_threshold));
  }
  if (desired.lower_threshold != observed.lower_threshold) {
    Append(reason, "lower threshold is " + std::to_string(observed.lower_threshold));
  }
  return reason;
}

void PlanDestinations(const VirtualService& desired, const std::vector<Destination>& observed,
                      std::vector<Change>& plan) {
  std::map<Endpoint, const Destination*> present;
  for (const Destination& destination : observed) present[destination.endpoint()] = &destination;
  std::set<Endpoint> wanted;
  std::vector<Change> edits;
  for (const Destination& destination : desired.destinations) {
    wanted.insert(destination.endpoint());
    const auto found = present.find(destination.endpoint());
    if (found == present.end()) {
      plan.push_back({AddDestination{desired.key, destination}, "missing"});
      continue;
    }
    const std::string reason = DestinationDifference(destination, *found->second);
    if (!reason.empty()) {
      edits.push_back({EditDestination{desired.key, destination, *found->second}, reason});
    }
  }
  plan.insert(plan.end(), edits.begin(), edits.end());
  for (const Destination& destination : observed) {
    if (wanted.count(destination.endpoint()) != 0) continue;
    plan.push_back({RemoveDestination{desired.key, destination}, "not in the service's list"});
  }
}

void PlanServices(const DesiredState& desired, const DesiredState& observed,
                  std::vector<Change>& plan) {
  std::map<ServiceKey, const VirtualService*> present;
  for (const VirtualService& service : observed.services) present[service.key] = &service;
  for (const VirtualService& service : desired.services) {
    const auto found = present.find(service.key);
    if (found == present.end()) {
      VirtualService bare = service;
      bare.destinations.clear();
      plan.push_back({AddService{bare}, "missing"});
      PlanDestinations(service, {}, plan);
      continue;
    }
    const std::string reason = ServiceDifference(service, *found->second);
    if (!reason.empty()) {
      VirtualService bare = service;
      VirtualService before = *found->second;
      bare.destinations.clear();
      before.destinations.clear();
      plan.push_back({EditService{bare, before}, reason});
    }
    PlanDestinations(service, found->second->destinations, plan);
  }
}

// The length that a daemon of these settings ends up with: the kernel moves it into its limits
// (start_sync_thread).
std::uint32_t LengthInKernel(const SyncDaemon& daemon) {
  constexpr std::uint32_t kShortestOfBackup = 1024;
  constexpr std::uint32_t kLongestPacket = 65535;
  const std::uint32_t headers = daemon.group.is_v4() ? 20 + 8 : 40 + 8;  // IP and UDP
  const std::uint32_t shortest = daemon.role == SyncRole::kBackup ? kShortestOfBackup : 1;
  return std::clamp<std::uint32_t>(daemon.max_length, shortest, kLongestPacket - headers);
}

// What `observed` has that `desired` has not, in words; empty when the settings agree.
std::string SyncDaemonDifference(const SyncDaemon& desired, const SyncDaemon& observed) {
  std::string reason;
  if (desired.interface != observed.interface) Append(reason, "runs on " + observed.interface);
  if (desired.sync_id != observed.sync_id) {
    Append(reason, "id is " + std::to_string(observed.sync_id));
  }
  if (desired.group != observed.group) Append(reason, "group is " + observed.group.ToString());
  if (desired.port != observed.port) Append(reason, "port is " + std::to_string(observed.port));
  if (desired.ttl != observed.ttl) Append(reason, "ttl is " + std::to_string(observed.ttl));
  // 0 leaves the length to the kernel, which then tells the one that it chose.
  if (desired.max_length != 0 && LengthInKernel(desired) != LengthInKernel(observed)) {
    Append(reason, "datagrams hold " + std::to_string(observed.max_length) + " bytes");
  }
  return reason;
}

void PlanSyncDaemons(const DesiredState& desired, const DesiredState& observed,
                     std::vector<Change>& plan) {
  std::map<SyncRole, const SyncDaemon*> running;
  for (const SyncDaemon& daemon : observed.sync_daemons) running[daemon.role] = &daemon;
  for (const SyncDaemon& daemon : desired.sync_daemons) {
    const auto found = running.find(daemon.role);
    if (found == running.end()) {
      plan.push_back({StartSyncDaemon{daemon}, "missing"});
      continue;
    }
    const std::string reason = SyncDaemonDifference(daemon, *found->second);
    if (reason.empty()) continue;
    plan.push_back({StopSyncDaemon{*found->second}, reason});
    plan.push_back({StartSyncDaemon{daemon}, reason});
  }
}

// Tunnels, receivers and routes come early, the others late.
bool IsGround(const PathPart& part) {
  return std::holds_alternative<Tunnel>(part) || std::holds_alternative<GueReceiver>(part) ||
         std::holds_alternative<Route>(part);
}

void PlanPath(const DesiredState& desired, const DesiredState& observed, bool ground,
              std::vector<Change>& plan) {
  std::map<std::string, const PathPart*> present;
  for (const PathPart& part : observed.path) present[NameOf(part)] = &part;
  std::vector<PathPart> wanted = desired.path;
  std::sort(wanted.begin(), wanted.end());
  for (const PathPart& part : wanted) {
    if (IsGround(part) != ground) continue;
    const auto found = present.find(NameOf(part));
    if (found == present.end()) {
      plan.push_back({AddPathPart{part}, "missing"});
    } else if (*found->second != part) {
      plan.push_back({ReplacePathPart{part, *found->second}, Summary(*found->second)});
    }
  }
}

void PrunePath(const DesiredState& owned, const DesiredState& whole, const DesiredState& observed,
               const std::string& reason, std::vector<Change>& plan) {
  std::set<std::string> leaving;
  for (const PathPart& part : owned.path) leaving.insert(NameOf(part));
  for (const PathPart& part : whole.path) leaving.erase(NameOf(part));
  std::vector<PathPart> there = observed.path;
  std::sort(there.rbegin(), there.rend());
  for (const PathPart& part : there) {
    if (leaving.contains(NameOf(part))) plan.push_back({RemovePathPart{part}, reason});
  }
}

std::string ReasonToAdd(const InterfaceAddress& address, const std::string& reason) {
  const bool silent = address.announce && address.interface == "lo";
  return silent ? reason + "; not announced, lo has no neighbours" : reason;
}

// One address whose identity is observed with the prefix lengths `present`.
void PlanAddress(const InterfaceAddress& address, const std::vector<InterfaceAddress>& present,
                 std::vector<Change>& plan) {
  std::string reason = "missing";
  bool there = false;
  std::vector<Change> removals;
  for (const InterfaceAddress& other : present) {
    if (other.prefix == address.prefix) {
      there = true;
      continue;
    }
    const std::string differs = "prefix length is " + std::to_string(other.prefix.length);
    reason = differs;
    removals.push_back({RemoveAddress{InterfaceAddress{other.interface, other.prefix}}, differs});
  }
  const bool remove_first = !address.prefix.address.is_v4();
  if (remove_first) plan.insert(plan.end(), removals.begin(), removals.end());
  if (!there) plan.push_back({AddAddress{address}, ReasonToAdd(address, reason)});
  if (!remove_first) plan.insert(plan.end(), removals.begin(), removals.end());
}

std::map<AddressIdentity, std::vector<InterfaceAddress>> ByIdentity(const DesiredState& state) {
  std::map<AddressIdentity, std::vector<InterfaceAddress>> addresses;
  for (const InterfaceAddress& address : state.addresses) {
    addresses[IdentityOf(address)].push_back(address);
  }
  return addresses;
}

// The numbers of a value; nothing unless every word is one.
bool Numbers(std::string_view value, std::vector<long long>& numbers) {
  std::istringstream words{std::string(value)};
  for (std::string word; words >> word;) {
    const std::size_t sign = word[0] == '-' ? 1 : 0;
    const bool digit = word.size() > sign && word[sign] >= '0' && word[sign] <= '9';
    if (!digit || word.size() > 18) return false;  // longer ones are compared as text
    char* end = nullptr;
    numbers.push_back(std::strtoll(word.c_str(), &end, 0));
    if (*end != '\0') return false;
  }
  return !numbers.empty();
}

}  // namespace

bool SameSysctlValue(std::string_view a, std::string_view b) {
  if (NormalizeSysctlValue(a) == NormalizeSysctlValue(b)) return true;
  std::vector<long long> left;
  std::vector<long long> right;
  return Numbers(a, left) && Numbers(b, right) && left == right;
}

bool HasTunnel(const DesiredState& state, std::string_view interface) {
  return std::any_of(state.path.begin(), state.path.end(), [&](const PathPart& part) {
    const auto* tunnel = std::get_if<Tunnel>(&part);
    return tunnel != nullptr && tunnel->name == interface;
  });
}

std::vector<std::string> SysctlKeys(const DesiredState& state) {
  std::vector<std::string> keys;
  keys.reserve(state.sysctls.size());
  for (const Sysctl& sysctl : state.sysctls) keys.push_back(sysctl.key);
  return keys;
}

Result<std::vector<Change>> Plan(const DesiredState& desired, const DesiredState& observed) {
  std::vector<Change> plan;
  PlanPath(desired, observed, /*ground=*/true, plan);
  if (const Status status = PlanSysctls(desired, observed, plan); !status) {
    return Fail(status.error());
  }
  PlanServices(desired, observed, plan);
  PlanSyncDaemons(desired, observed, plan);
  PlanPath(desired, observed, /*ground=*/false, plan);
  const auto present = ByIdentity(observed);
  for (const InterfaceAddress& address : desired.addresses) {
    const auto found = present.find(IdentityOf(address));
    PlanAddress(address, found == present.end() ? std::vector<InterfaceAddress>{} : found->second,
                plan);
  }
  return plan;
}

std::vector<Change> PlanPrune(const DesiredState& owned, const DesiredState& whole,
                              const DesiredState& observed,
                              const std::map<std::string, std::string>& original_sysctls) {
  const std::string reason = "left the playbook";
  std::vector<Change> plan;
  const auto owned_addresses = ByIdentity(owned);
  const auto whole_addresses = ByIdentity(whole);
  for (const InterfaceAddress& address : observed.addresses) {
    const AddressIdentity identity = IdentityOf(address);
    if (owned_addresses.count(identity) == 0 || whole_addresses.count(identity) != 0) continue;
    plan.push_back({RemoveAddress{InterfaceAddress{address.interface, address.prefix}}, reason});
  }
  std::set<SyncRole> stopping;
  for (const SyncDaemon& daemon : owned.sync_daemons) stopping.insert(daemon.role);
  for (const SyncDaemon& daemon : whole.sync_daemons) stopping.erase(daemon.role);
  for (const SyncDaemon& daemon : observed.sync_daemons) {
    if (stopping.count(daemon.role) != 0) plan.push_back({StopSyncDaemon{daemon}, reason});
  }
  std::set<ServiceKey> leaving;
  for (const VirtualService& service : owned.services) leaving.insert(service.key);
  for (const VirtualService& service : whole.services) leaving.erase(service.key);
  for (const VirtualService& service : observed.services) {
    if (leaving.count(service.key) != 0) plan.push_back({RemoveService{service}, reason});
  }
  std::set<std::string> restored;
  for (const Sysctl& sysctl : owned.sysctls) restored.insert(sysctl.key);
  for (const Sysctl& sysctl : whole.sysctls) restored.erase(sysctl.key);
  std::vector<Change> sysctls;
  for (const Sysctl& sysctl : observed.sysctls) {
    const auto original = original_sysctls.find(sysctl.key);
    if (restored.count(sysctl.key) == 0 || original == original_sysctls.end()) continue;
    if (SameSysctlValue(original->second, sysctl.value)) continue;
    sysctls.push_back({SetSysctl{Sysctl{sysctl.key, original->second}, sysctl.value}, reason});
  }
  std::sort(sysctls.begin(), sysctls.end(), [](const Change& a, const Change& b) {
    return WriteOrder(std::get<SetSysctl>(a.action).sysctl) <
           WriteOrder(std::get<SetSysctl>(b.action).sysctl);
  });
  plan.insert(plan.end(), sysctls.begin(), sysctls.end());
  PrunePath(owned, whole, observed, reason, plan);
  return plan;
}

}  // namespace drover
