// How a network comes back to what it was: the differences between two snapshots as steps, in an
// order that works. Plan(x, x) is empty.
//
// Pure. Carried out by network_restore, which looks again before each kind of step, because the
// kernel changes things along (an interface that goes up brings routes).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "node-helper/net/network_snapshot.h"
#include "protocol/change.h"
#include "protocol/desired_state.h"

namespace drover {

// What somebody else keeps and puts back himself (the VRRP speaker, the records): left alone, and
// so is what the kernel derives of it.
struct HeldElsewhere {
  std::function<bool(const InterfaceAddress&)> address = [](const InterfaceAddress&) {
    return false;
  };
  std::function<bool(const std::string& interface)> interface = [](const std::string&) {
    return false;
  };
};

// Asked anew each time something is put back: records change in between.
using HeldNow = std::function<HeldElsewhere()>;

// One message for the kernel, with its words.
struct NetworkStep {
  std::uint16_t type = 0;   // RTM_...
  std::uint16_t flags = 0;  // NLM_F_...
  Bytes payload;
  ChangeText text;
  // Set when an IPv4 address goes from this interface and its neighbours in the network must stay.
  std::string promote_on;
  bool operator==(const NetworkStep&) const = default;
};

std::vector<NetworkStep> PlanLinks(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                   const HeldElsewhere& held);
std::vector<NetworkStep> PlanAddresses(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                       const HeldElsewhere& held);
std::vector<NetworkStep> PlanRoutes(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                    const HeldElsewhere& held);
std::vector<NetworkStep> PlanRules(const NetworkSnapshot& before, const NetworkSnapshot& now);

// Interfaces that had addresses of their own and are not there any more: nobody here can make them
// again.
std::vector<std::string> LostInterfaces(const NetworkSnapshot& before, const NetworkSnapshot& now,
                                        const HeldElsewhere& held);

}  // namespace drover
