#include "orchestrator/compile/virtual_routers.h"

#include <algorithm>

namespace drover {
namespace {

bool ShareAddress(const VrrpInstance& left, const VrrpInstance& right) {
  return std::any_of(left.addresses.begin(), left.addresses.end(), [&](const Prefix& mine) {
    return std::any_of(right.addresses.begin(), right.addresses.end(),
                       [&](const Prefix& theirs) { return theirs.address == mine.address; });
  });
}

bool SameRouter(const VrrpInstance& left, const VrrpInstance& right) {
  return left.vrid == right.vrid && left.family() == right.family() &&
         (left.name == right.name || ShareAddress(left, right));
}

}  // namespace

const VrrpInstance* FindInstance(const DesiredState& state, const std::string& name) {
  const auto found =
      std::find_if(state.vrrp_instances.begin(), state.vrrp_instances.end(),
                   [&](const VrrpInstance& instance) { return instance.name == name; });
  return found == state.vrrp_instances.end() ? nullptr : &*found;
}

std::vector<VirtualRouter> FindVirtualRouters(const std::map<std::string, DesiredState>& states) {
  std::vector<VirtualRouter> routers;
  for (const auto& [host, state] : states) {
    for (const VrrpInstance& instance : state.vrrp_instances) {
      const auto fits = [&](const VirtualRouter& router) {
        return !router.members.contains(host) &&
               std::any_of(router.members.begin(), router.members.end(), [&](const auto& member) {
                 const auto* other = FindInstance(states.at(member.first), member.second);
                 return other != nullptr && SameRouter(*other, instance);
               });
      };
      auto router = std::find_if(routers.begin(), routers.end(), fits);
      if (router == routers.end()) router = routers.insert(routers.end(), VirtualRouter{});
      router->members[host] = instance.name;
    }
  }
  return routers;
}

}  // namespace drover
