// What a verify task expects to find: services, who serves them, and who may answer for a VIP.
//
// Values only; worked out by compile, used by judge.h.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/desired_state.h"

namespace drover {

// A real server as the inventory names it.
struct ExpectedServer {
  std::string name;  // inventory name, or the address when the inventory does not know it
  Destination destination;
  std::uint32_t last_weight = 0;  // of one that was drained: the weight it had before
};

struct ExpectedService {
  SocketKey key;                       // what clients connect to
  std::optional<FwmarkKey> mark = {};  // the service has it by this mark, perhaps with other ports
  std::string scheduler;
  bool persistent = false;
  std::vector<ExpectedServer> servers;       // in the order of the table
  std::vector<std::string> scheduler_flags;  // sh-port and mh-port spread one client as well
  // The order is the active director's own; without it the playbook's stands, which need not be the
  // order in which the servers were added to the table.
  bool order_seen = false;
  // No virtual service: whoever has the VIP serves the port itself (a proxy), and the servers are
  // the hosts that may have it.
  bool own = false;
  bool one_packet = false;                      // UDP: no datagram leaves a connection behind
  bool checked = true;                          // its real servers are asked whether they serve
  std::chrono::seconds persistence_timeout{0};  // when it is persistent

  // The virtual service that connections come to.
  [[nodiscard]] ServiceKey table() const { return mark ? ServiceKey(*mark) : ServiceKey(key); }
};

struct VerifyExpectation {
  std::vector<ExpectedService> services;
  std::vector<std::string> directors;  // inventory names of hosts that may answer for the VIPs
  // Of these, who may have which VIP; of VRRP instances one at a time. A VIP that is missing here
  // may be any director's.
  std::map<IpAddress, std::vector<std::string>> holders = {};
  std::vector<std::string> real_servers;  // inventory names of hosts that must not
  std::vector<IpAddress> vips = {};       // to be judged beside those of the services

  [[nodiscard]] std::set<IpAddress> AllVips() const {
    std::set<IpAddress> all(vips.begin(), vips.end());
    for (const ExpectedService& service : services) all.insert(service.key.address);
    return all;
  }
  // All that connections to one virtual service come by: it counts them together.
  [[nodiscard]] std::vector<const ExpectedService*> ServedBy(const ServiceKey& table) const {
    std::vector<const ExpectedService*> served;
    for (const ExpectedService& service : services) {
      if (service.table() == table) served.push_back(&service);
    }
    return served;
  }
};

}  // namespace drover
