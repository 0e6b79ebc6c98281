#include "orchestrator/compile/cluster_state.h"

#include <algorithm>

#include "orchestrator/compile/arguments.h"

namespace drover {
namespace {

const std::vector<std::string>& Look(const std::map<IpAddress, std::vector<std::string>>& table,
                                     const IpAddress& address) {
  static const std::vector<std::string> kNone;
  const auto found = table.find(address);
  return found == table.end() ? kNone : found->second;
}

void AddOnce(std::vector<std::string>& list, const std::string& word) {
  if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
}

}  // namespace

bool ClusterState::Fits(const std::string& host, const std::string& name, bool same, bool known,
                        bool service, const Place& place, Diagnostics& diagnostics) {
  Place& first = places_[host][name];
  if (!known) {
    first = place;
    return true;
  }
  if (same && !service) return false;
  const std::string how = service ? " is defined twice on one host"
                                  : " is asked for twice on one host, with different settings";
  diagnostics.push_back(
      Diagnostic{place, name + how, "the first definition is at " + PlaceText(first)});
  return false;
}

void ClusterState::Add(const std::string& host, const DesiredState& part, const Place& place,
                       Diagnostics& diagnostics) {
  DesiredState& whole = states_[host];
  const auto add = [&](auto& list, const auto& resource, bool service) {
    const std::string name = NameOf(resource);
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const auto& other) { return NameOf(other) == name; });
    const bool known = found != list.end();
    const bool same = known && *found == resource;
    if (Fits(host, name, same, known, service, place, diagnostics)) list.push_back(resource);
  };
  for (const auto& address : part.addresses) add(whole.addresses, address, false);
  for (const auto& sysctl : part.sysctls) add(whole.sysctls, sysctl, false);
  for (const auto& service : part.services) add(whole.services, service, true);
}

void ClusterState::NameServers(const std::string& host, const NamedService& service) {
  services_[host].push_back(service);
}

void ClusterState::AddVip(const std::string& host, const IpAddress& address) {
  AddOnce(vips_[address], host);
}

void ClusterState::AddRealServer(const std::string& host, const IpAddress& address) {
  AddOnce(real_servers_[address], host);
}

const DesiredState& ClusterState::Of(const std::string& host) const {
  static const DesiredState kEmpty;
  const auto found = states_.find(host);
  return found == states_.end() ? kEmpty : found->second;
}

const std::vector<std::string>& ClusterState::HoldersOf(const IpAddress& vip) const {
  return Look(vips_, vip);
}

const std::vector<std::string>& ClusterState::RealServersOf(const IpAddress& vip) const {
  return Look(real_servers_, vip);
}

}  // namespace drover
