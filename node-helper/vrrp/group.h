// Sync groups: instances that are master or backup together (keepalived's vrrp_sync_group).
//
// Pure. A member that would become master waits until all are ready; a member that became a backup
// takes the masters among the others along. Faults travel the same way, but are told to the members
// as faults (GroupFault).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node-helper/vrrp/instance.h"

namespace drover::vrrp {

// Who has to be told what after a member moved; positions in the list of members.
struct GroupOrders {
  std::vector<std::size_t> promote;
  std::vector<std::size_t> drag;
  bool operator==(const GroupOrders&) const = default;
};

// Looks at all members as they are now. Carrying the orders out and asking again gives none.
GroupOrders OrdersOf(std::span<const Instance* const> members);

// A member and what is wrong with it (empty: nothing).
struct MemberFault {
  std::string member;
  std::string reason;
};
// Why `member` must be in fault although nothing is wrong with itself; none: the others are well.
std::optional<std::string> GroupFault(const std::string& group, const std::string& member,
                                      std::span<const MemberFault> members);

}  // namespace drover::vrrp
