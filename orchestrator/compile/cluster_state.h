// The desired state of every host as it grows task by task, with the place of each resource, so
// that a contradiction can name both.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/verify/expectation.h"
#include "protocol/desired_state.h"

namespace drover {

// A virtual service with its real servers as the playbook names them.
struct NamedService {
  VirtualService service;
  std::vector<std::string> server_names;  // beside service.destinations
};

// A name in a host's playbook that has to be defined by another task of the same host.
struct Reference {
  enum class Kind { kTracker, kInstance, kService };
  Kind kind = Kind::kTracker;
  std::string name;  // of services: as ToString(ServiceKey)
  Place place;
};

// A setting that a resource needs unless the playbook has its own word about it.
struct ImpliedSysctl {
  std::string resource;  // NameOf(…) of what needs it
  Sysctl sysctl;
};

class ClusterState {
 public:
  // Adds what one task asks of a host. Repeating a resource with the same content is fine, but for
  // virtual services; offences are said at `place`.
  void Add(const std::string& host, const DesiredState& part, const Place& place,
           Diagnostics& diagnostics);
  // Remembers how the real servers of a service are called.
  void NameServers(const std::string& host, const NamedService& service);
  // An address that clients talk to (vip) or that a real server answers for (real_server).
  void AddVip(const std::string& host, const IpAddress& address);
  void AddRealServer(const std::string& host, const IpAddress& address);

  void Refer(const std::string& host, Reference reference);
  // Every service of the host has to find its real server by hashing (mh, sh).
  void DemandHashing(const std::string& host, const Place& place) { hashing_[host] = place; }
  void Imply(const std::string& host, ImpliedSysctl implied);
  // Adds what is implied to the states, where the playbook does not set it itself; what was added
  // is left in implied(). Once, after all tasks.
  void SettleImplied();

  [[nodiscard]] const std::map<std::string, DesiredState>& states() const { return states_; }
  [[nodiscard]] const DesiredState& Of(const std::string& host) const;
  [[nodiscard]] const std::map<std::string, std::vector<NamedService>>& services() const {
    return services_;
  }
  [[nodiscard]] const std::map<std::string, std::vector<Reference>>& references() const {
    return references_;
  }
  [[nodiscard]] const std::map<std::string, Place>& hashing() const { return hashing_; }
  [[nodiscard]] const std::map<std::string, std::vector<ImpliedSysctl>>& implied() const {
    return implied_;
  }
  // Where the resource (NameOf) of a host is defined.
  [[nodiscard]] Place PlaceOf(const std::string& host, const std::string& resource) const;
  // All hosts that may have the address: of VRRP instances one of them at a time.
  [[nodiscard]] const std::vector<std::string>& HoldersOf(const IpAddress& vip) const;
  [[nodiscard]] const std::vector<std::string>& RealServersOf(const IpAddress& vip) const;

 private:
  bool Fits(const std::string& host, const std::string& name, bool same, bool known, bool service,
            const Place& place, Diagnostics& diagnostics);

  std::map<std::string, DesiredState> states_;
  std::map<std::string, std::map<std::string, Place>> places_;  // host, resource
  std::map<std::string, std::vector<NamedService>> services_;
  std::map<std::string, std::vector<Reference>> references_;
  std::map<std::string, Place> hashing_;
  std::map<std::string, std::vector<ImpliedSysctl>> implied_;
  std::map<IpAddress, std::vector<std::string>> vips_;
  std::map<IpAddress, std::vector<std::string>> real_servers_;
};

}  // namespace drover
