// A fault as a list of steps, each of which can be done and undone, and their JSON form: what a
// drill's journal holds. Everything that undoing needs is in the step before it is done.
//
// Pure. Which steps a fault takes is fault_plan's, doing them is fault_hands'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace drover {

// The kinds, and what the fields of FaultStep mean for each.
enum class StepKind : std::uint8_t {
  kFilter,     // text: ruleset of nft for our table; items: its families by name
  kDelay,      // items: interfaces by name; number: milliseconds. Undone: our qdisc is gone
  kFreeze,     // items: processes (number: pid, before: start time). Undone: they go on
  kHelper,     // items: the helper's processes; text: command line that starts it. It is killed and
               // kept from coming back until it is undone
  kService,    // text: the init system's name of it
  kAddresses,  // items: interface, before: prefix, during: "lease" for an address that VRRP holds
  kSysctls,    // items: key, before, during
  kLinkDown,   // items: interfaces; text: the network before (net/network_snapshot)
  kRules,      // text: the ip_vs services and sync daemons before, as a DesiredState
  kFill,       // items: files by name, number: bytes
  kBurn,       // number: processes that keep a processor busy
  kAnswer,     // number: local port where errors are served
  kClock,      // number: seconds; items[0].number: wall clock minus CLOCK_MONOTONIC before, in us
  kReboot,     // nothing: the node is itself again when it is up
  kYield,      // items: VRRP instances that hand over. Undone: they may be master again
};
std::string_view ToString(StepKind kind);
Result<StepKind> ParseStepKind(std::string_view word);

struct StepItem {
  std::string name;
  std::string before;
  std::string during;
  std::int64_t number = 0;
  bool operator==(const StepItem&) const = default;
};

struct FaultStep {
  StepKind kind = StepKind::kFilter;
  std::string text;
  std::vector<StepItem> items;
  std::int64_t number = 0;
  bool operator==(const FaultStep&) const = default;
};

// In which order steps are undone: what keeps packets away first, then the others from the last to
// the first.
std::vector<FaultStep> UndoOrder(const std::vector<FaultStep>& steps);
// The kernel ends it by itself when its time is over, whoever is dead or frozen.
bool IsKernelTimed(const FaultStep& step);
// It outlives a reboot.
bool IsPersistent(const FaultStep& step);

std::string EncodeSteps(const std::vector<FaultStep>& steps);
Result<std::vector<FaultStep>> DecodeSteps(std::string_view text);

}  // namespace drover
