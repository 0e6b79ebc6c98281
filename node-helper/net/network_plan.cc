#include "node-helper/net/network_plan.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace drover {
namespace {

using std::chrono::seconds;

constexpr const char* kWasThere = "was there before the run";
constexpr const char* kCameWithRun = "was not there before the run";
// Shorter ones are held by being renewed all the time (VRRP); whoever does so goes on or does not.
constexpr seconds kShortestLease{60};

InterfaceNames NamesOf(const NetworkSnapshot& snapshot) {
  InterfaceNames names;
  for (const LinkState& link : snapshot.links) names[link.index] = link.name;
  return names;
}

const LinkState* FindLink(const NetworkSnapshot& snapshot, const std::string& name) {
  for (const LinkState& link : snapshot.links) {
    if (link.name == name) return &link;
  }
  return nullptr;
}

// Interfaces have new numbers after a reboot; their names stay.
IndexMap IndexesNow(const NetworkSnapshot& before, const NetworkSnapshot& now) {
  IndexMap indexes;
  for (const LinkState& link : before.links) {
    if (const LinkState* found = FindLink(now, link.name)) indexes[link.index] = found->index;
  }
  return indexes;
}

bool IsHeld(const AddressState& address, const InterfaceNames& names, const HeldElsewhere& held) {
  const auto name = names.find(address.index);
  if (name == names.end()) return true;
  return held.interface(name->second) ||
         held.address(InterfaceAddress{name->second, address.prefix});
}

// Those of the snapshot that are ours to put back, with the interface numbers of now.
std::vector<AddressState> Ours(const NetworkSnapshot& snapshot, const NetworkSnapshot& now,
                               const HeldElsewhere& held) {
  const InterfaceNames names = NamesOf(snapshot);
  const IndexMap indexes = IndexesNow(snapshot, now);
  std::vector<AddressState> ours;
  for (const AddressState& address : snapshot.addresses) {
    if (IsHeld(address, names, held)) continue;
    if (const auto moved = WithIndexes(address, indexes)) ours.push_back(*moved);
  }
  return ours;
}

bool IsSameAddress(const AddressState& a, const AddressState& b) {
  return a.index == b.index && a.prefix == b.prefix;
}

bool Holds(const std::vector<AddressState>& addresses, const AddressState& address) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const AddressState& other) { return IsSameAddress(other, address); });
}

// What is left of a lease after `elapsed`; nothing when it is over, or was never a real one.
std::optional<AddressState> Aged(const AddressState& address, std::optional<seconds> elapsed) {
  if (!address.lifetime) return address;
  if (!elapsed || *address.lifetime < kShortestLease || *address.lifetime <= *elapsed) {
    return std::nullopt;
  }
  return WithLifetime(address, *elapsed);
}

NetworkStep AddressStep(bool add, const AddressState& address, const InterfaceNames& names) {
  NetworkStep step;
  step.type = add ? RTM_NEWADDR : RTM_DELADDR;
  // Without duplicate detection: it was in use a moment ago, and must be again at once.
  step.flags = add ? NLM_F_CREATE | NLM_F_EXCL : 0;
  step.payload = add ? WithoutDuplicateDetection(address) : address.wire;
  step.text = {add ? "add" : "remove", NameOf(address, names), "", "",
               add ? kWasThere : kCameWithRun};
  if (!add && address.prefix.address.is_v4()) step.promote_on = names.at(address.index);
  return step;
}

// IPv4 addresses of one network on one interface; the first is the one that is used as source.
using NetworkKey = std::tuple<std::uint32_t, int, std::string>;
NetworkKey KeyOf(const AddressState& address) {
  std::array<std::uint8_t, 4> bytes{};
  std::copy_n(address.prefix.address.data(), bytes.size(), bytes.begin());
  for (int bit = address.prefix.length; bit < 32; ++bit) {
    bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(1U << (7 - bit % 8)));
  }
  return {address.index, address.prefix.length, IpAddress::V4(bytes).ToString()};
}

std::map<NetworkKey, std::vector<AddressState>> Grouped(const std::vector<AddressState>& all) {
  std::map<NetworkKey, std::vector<AddressState>> groups;
  for (const AddressState& address : all) {
    if (address.prefix.address.is_v4()) groups[KeyOf(address)].push_back(address);
  }
  return groups;
}

// Addresses that would stand in front of one that was before them: they go and come again, so that
// the node speaks from the same address as before.
std::vector<AddressState> OutOfOrder(const std::vector<AddressState>& wanted,
                                     const std::vector<AddressState>& kept) {
  std::vector<AddressState> moving;
  const auto kept_groups = Grouped(kept);
  for (const auto& [key, group] : Grouped(wanted)) {
    const auto found = kept_groups.find(key);
    if (found == kept_groups.end()) continue;
    std::vector<AddressState> present = found->second;
    std::erase_if(present, [&](const AddressState& other) { return !Holds(group, other); });
    const bool prefix_of_wanted =
        present.size() <= group.size() &&
        std::equal(present.begin(), present.end(), group.begin(), IsSameAddress);
    if (!prefix_of_wanted) moving.insert(moving.end(), present.begin(), present.end());
  }
  return moving;
}

// Whether an address that is there may stay; `before` is what was remembered of it, if anything.
bool StaysAsItIs(const AddressState& address, const AddressState* before) {
  // What the kernel made for itself is its own; a lease belongs to whoever renews it or lets it
  // end, unless it was no lease before.
  if (address.by_kernel) return true;
  if (address.lifetime) return before == nullptr || before->lifetime;
  return before != nullptr && before->wire == address.wire;
}

// How often each message is there: the kernel keeps some of them twice.
template <typename State>
std::map<Bytes, int> Counts(const std::vector<State>& states) {
  std::map<Bytes, int> counts;
  for (const State& state : states) ++counts[state.wire];
  return counts;
}

// Those of `states` that are not in `others`, in their order.
template <typename State>
std::vector<State> Missing(const std::vector<State>& states, const std::vector<State>& others) {
  std::map<Bytes, int> there = Counts(others);
  std::vector<State> missing;
  for (const State& state : states) {
    if (there[state.wire]-- <= 0) missing.push_back(state);
  }
  return missing;
}

// True when the kernel would have made the route for addresses that are there. A local route of
// IPv4 has the first address of its network as source, whichever it leads to.
bool IsBacked(const RouteState& route, const std::vector<AddressState>& addresses) {
  const RouteBacking backing = BackingOf(route);
  const auto any = [&](auto fits) {
    return std::any_of(addresses.begin(), addresses.end(), [&](const AddressState& address) {
      return address.index == backing.index && fits(address.prefix.address);
    });
  };
  const bool leads_there =
      any([&](const IpAddress& address) { return backing.destination.Contains(address); });
  if (!backing.source) {
    return leads_there && !backing.destination.address.is_v4() && !backing.is_local_table;
  }
  return (leads_there || !backing.is_local) &&
         any([&](const IpAddress& address) { return address == *backing.source; });
}

NetworkStep RouteStep(bool add, const RouteState& route, const InterfaceNames& names) {
  NetworkStep step;
  step.type = add ? RTM_NEWROUTE : RTM_DELROUTE;
  // Append: two routes may differ in nothing but their next hop.
  step.flags = add ? NLM_F_CREATE | NLM_F_APPEND : 0;
  step.payload = route.wire;
  step.text = {add ? "add" : "remove", NameOf(route, names), "", "",
               add ? kWasThere : kCameWithRun};
  return step;
}

NetworkStep RuleStep(bool add, const RuleState& rule) {
  NetworkStep step;
  step.type = add ? RTM_NEWRULE : RTM_DELRULE;
  step.flags = add ? NLM_F_CREATE : 0;
  step.payload = rule.wire;
  step.text = {add ? "add" : "remove", NameOf(rule), "", "", add ? kWasThere : kCameWithRun};
  return step;
}

std::string UpWord(bool up) { return up ? "up" : "down"; }

}  // namespace

std::vector<NetworkStep> PlanLinks(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                   const HeldElsewhere& held) {
  std::vector<NetworkStep> steps;
  for (const LinkState& link : before.links) {
    const LinkState* present = FindLink(now, link.name);
    if (present == nullptr || held.interface(link.name)) continue;
    const std::string resource = "interface " + link.name;
    if (present->mtu != link.mtu) {
      steps.push_back({RTM_NEWLINK, 0, EncodeLinkMtu(present->index, link.mtu),
                       ChangeText{"change", resource, "mtu " + std::to_string(present->mtu),
                                  "mtu " + std::to_string(link.mtu), "was so before the run"},
                       ""});
    }
    if (present->up != link.up) {
      steps.push_back({RTM_NEWLINK, 0, EncodeLinkUp(present->index, link.up),
                       ChangeText{"change", resource, UpWord(present->up), UpWord(link.up),
                                  "was so before the run"},
                       ""});
    }
  }
  return steps;
}

std::vector<NetworkStep> PlanAddresses(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                       const HeldElsewhere& held) {
  const InterfaceNames names = NamesOf(now);
  std::optional<seconds> elapsed;
  if (before.boot_id == now.boot_id) elapsed = now.taken_at - before.taken_at;
  const std::vector<AddressState> wanted = Ours(before, now, held);
  const std::vector<AddressState> present = Ours(now, now, held);

  std::vector<NetworkStep> steps;
  std::vector<AddressState> kept;
  for (const AddressState& address : present) {
    const auto same = std::find_if(wanted.begin(), wanted.end(), [&](const AddressState& other) {
      return IsSameAddress(other, address);
    });
    if (!StaysAsItIs(address, same == wanted.end() ? nullptr : &*same)) {
      steps.push_back(AddressStep(false, address, names));
    } else {
      kept.push_back(address);
    }
  }
  for (const AddressState& address : OutOfOrder(wanted, kept)) {
    if (address.lifetime) continue;
    NetworkStep step = AddressStep(false, address, names);
    step.text.reason = "was not the first of its network before the run";
    steps.push_back(std::move(step));
    std::erase_if(kept, [&](const AddressState& other) { return IsSameAddress(other, address); });
  }
  std::vector<NetworkStep> adding;
  for (const AddressState& address : wanted) {
    const auto aged = Aged(address, elapsed);
    if (!aged || Holds(kept, address)) continue;
    // The kernel puts new ones of IPv6 in front and new ones of IPv4 behind.
    const auto at = address.prefix.address.is_v4() ? adding.end() : adding.begin();
    adding.insert(at, AddressStep(true, *aged, names));
  }
  steps.insert(steps.end(), adding.begin(), adding.end());
  return steps;
}

std::vector<NetworkStep> PlanRoutes(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                    const HeldElsewhere& held) {
  const InterfaceNames names = NamesOf(now);
  const IndexMap indexes = IndexesNow(before, now);
  const std::vector<AddressState> addresses = Ours(now, now, held);
  std::vector<RouteState> wanted;
  for (const RouteState& route : before.routes) {
    const auto moved = WithIndexes(route, indexes);
    if (moved && (!moved->by_kernel || IsBacked(*moved, addresses))) wanted.push_back(*moved);
  }
  std::vector<NetworkStep> steps;
  for (const RouteState& route : Missing(now.routes, wanted)) {
    if (!route.by_kernel) steps.push_back(RouteStep(false, route, names));
  }
  const std::vector<RouteState> missing = Missing(wanted, now.routes);
  for (const bool through_router : {false, true}) {
    for (const RouteState& route : missing) {
      if (HasGateway(route) == through_router) steps.push_back(RouteStep(true, route, names));
    }
  }
  return steps;
}

std::vector<NetworkStep> PlanRules(const NetworkSnapshot& before, const NetworkSnapshot& now) {
  std::vector<NetworkStep> steps;
  for (const RuleState& rule : Missing(before.rules, now.rules)) {
    steps.push_back(RuleStep(true, rule));
  }
  for (const RuleState& rule : Missing(now.rules, before.rules)) {
    steps.push_back(RuleStep(false, rule));
  }
  return steps;
}

std::vector<std::string> LostInterfaces(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                        const HeldElsewhere& held) {
  const InterfaceNames names = NamesOf(before);
  std::set<std::string> lost;
  for (const AddressState& address : before.addresses) {
    if (address.by_kernel || address.lifetime || IsHeld(address, names, held)) continue;
    const std::string& name = names.at(address.index);
    if (FindLink(now, name) == nullptr) lost.insert(name);
  }
  return {lost.begin(), lost.end()};
}

}  // namespace drover
