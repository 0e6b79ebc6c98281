// What a node's network is set to: interfaces up or down and their MTU, addresses, routes of all
// tables, rules. Taken before a run changes the node, so that it can be put back (network_restore).
//
// The value and its text are pure; TakeNetworkSnapshot asks the kernel. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "node-helper/net/network_codec.h"
#include "protocol/result.h"

namespace drover {

struct NetworkSnapshot {
  std::string boot_id;               // lifetimes of addresses mean something in this boot only
  std::chrono::seconds taken_at{0};  // since that boot
  std::vector<LinkState> links;
  std::vector<AddressState> addresses;  // in the kernel's order: primary ones first
  std::vector<RouteState> routes;
  std::vector<RuleState> rules;
  bool operator==(const NetworkSnapshot&) const = default;
};

Result<NetworkSnapshot> TakeNetworkSnapshot();

// A line per thing, so that people can read it.
std::string EncodeNetworkSnapshot(const NetworkSnapshot& snapshot);
Result<NetworkSnapshot> DecodeNetworkSnapshot(std::string_view text);

}  // namespace drover
