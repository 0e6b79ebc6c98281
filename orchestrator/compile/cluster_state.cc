#include "orchestrator/compile/cluster_state.h"

#include <algorithm>
#include <set>

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
  for (const auto& daemon : part.sync_daemons) add(whole.sync_daemons, daemon, false);
  for (const auto& piece : part.path) add(whole.path, piece, false);
  for (const auto& instance : part.vrrp_instances) add(whole.vrrp_instances, instance, true);
  for (const auto& group : part.vrrp_groups) add(whole.vrrp_groups, group, true);
  for (const auto& tracker : part.trackers) add(whole.trackers, tracker, false);
  for (const auto& watch : part.watches) add(whole.watches, watch, true);
  for (const auto& metrics : part.metrics) add(whole.metrics, metrics, false);
}

void ClusterState::Refer(const std::string& host, Reference reference) {
  references_[host].push_back(std::move(reference));
}

void ClusterState::Imply(const std::string& host, ImpliedSysctl implied) {
  implied_[host].push_back(std::move(implied));
}

void ClusterState::SettleImplied() {
  for (auto& [host, implied] : implied_) {
    std::vector<Sysctl>& whole = states_[host].sysctls;
    std::set<std::string> own;
    for (const Sysctl& sysctl : whole) own.insert(sysctl.key);
    std::erase_if(implied, [&](const ImpliedSysctl& one) { return own.contains(one.sysctl.key); });
    for (const ImpliedSysctl& one : implied) {
      if (own.insert(one.sysctl.key).second) whole.push_back(one.sysctl);
    }
  }
}

Place ClusterState::PlaceOf(const std::string& host, const std::string& resource) const {
  const auto places = places_.find(host);
  if (places == places_.end()) return {};
  const auto place = places->second.find(resource);
  return place == places->second.end() ? Place{} : place->second;
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
