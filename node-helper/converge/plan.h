// Which changes lead from what a node has to what it should have: the smallest set, in a safe
// order, each with its reason. Also the changes that take away what left the playbook.
//
// Pure. Carrying the changes out is left to converge.h; resources that `desired` does not name are
// never touched here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/change.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

// Minimal; empty when `observed` already holds all of `desired`. The order:
//  0. tunnels, receivers and then routes, because settings and addresses may be those of a tunnel;
//     a setting of a tunnel that is not there yet is planned all the same;
//  1. sysctls, so that ARP hygiene stands before a VIP appears on lo. Among them the switches that
//     reset others come first (ip_forward and forwarding), and "all" and "default" before single
//     interfaces, because the kernel copies them;
//  2. services: each is added or edited in place, then its destinations are added, edited and
//     removed, in this order, so that a service is never emptied on the way;
//  3. sync daemons: what a peer sends is bound to services that stand already. One that runs with
//     other settings is stopped and started; the one of the other role is never touched by that;
//  4. filters of ARP and firewall marks;
//  5. addresses: they come last, so that a VIP attracts packets only when everything behind it
//     stands.
// The prefix length of an address cannot be edited. For IPv4 the new one is added before the old
// one is removed (the kernel keeps both, and the address is never gone); for IPv6 the old one must
// go first. kInvalid when a desired sysctl is not observed: "sysctl net.x: this kernel has no such
// setting". Those of ip_vs (net.ipv4.vs.*) are planned all the same: they appear with its module.
Result<std::vector<Change>> Plan(const DesiredState& desired, const DesiredState& observed);

// Takes away what `owned` names, `whole` does not and `observed` shows: addresses first (no packet
// comes any more), then sync daemons, services, and sysctls (ARP hygiene outlives the VIP), which
// go back to `original_sysctls` (key to value before Drover); without an entry there a sysctl stays
// as it is. What packets find their way by goes last.
std::vector<Change> PlanPrune(const DesiredState& owned, const DesiredState& whole,
                              const DesiredState& observed,
                              const std::map<std::string, std::string>& original_sysctls);

// What an observation shows after `change`: the model of the kernel for --check and for tests. A
// change that the kernel would refuse (adding what is there, editing what is not) leaves the state
// as it is.
DesiredState Advance(DesiredState state, const Change& change);

// True when writing one over the other changes nothing: same text, or the same numbers ("0x10 2"
// is "16  2", as the kernel reads numbers in C's notation).
bool SameSysctlValue(std::string_view a, std::string_view b);

// Whether `interface` is a tunnel of the state.
bool HasTunnel(const DesiredState& state, std::string_view interface);

// The keys to observe for a plan of `state`.
std::vector<std::string> SysctlKeys(const DesiredState& state);

}  // namespace drover
