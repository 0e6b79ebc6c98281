#include "node-helper/vrrp/group.h"

#include <algorithm>

namespace drover::vrrp {

GroupOrders OrdersOf(std::span<const Instance* const> members) {
  GroupOrders orders;
  std::vector<std::size_t> masters;
  std::vector<std::size_t> waiting;
  bool follows = false;  // some member hears a master that it does not mean to replace
  bool takes_part = true;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Instance& member = *members[i];
    switch (member.state()) {
      case State::kMaster:
        masters.push_back(i);
        break;
      case State::kBackup:
        if (member.ready()) waiting.push_back(i);
        follows = follows || (!member.ready() && member.master().has_value());
        takes_part = takes_part && member.ready();
        break;
      case State::kInitialize:
      case State::kFault:
        takes_part = false;
        break;
    }
  }
  if (takes_part) {
    orders.promote = waiting;
  } else if (follows) {
    orders.drag = masters;
  }
  return orders;
}

std::optional<std::string> GroupFault(const std::string& group, const std::string& member,
                                      std::span<const MemberFault> members) {
  const auto bad = std::find_if(members.begin(), members.end(), [&](const MemberFault& other) {
    return other.member != member && !other.reason.empty();
  });
  if (bad == members.end()) return std::nullopt;
  return "group " + group + ": " + bad->member + ": " + bad->reason;
}

}  // namespace drover::vrrp
