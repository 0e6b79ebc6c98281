// Resources and records for tests, in few words.
#pragma once

#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "protocol/desired_state.h"

namespace drover {

inline InterfaceAddress Vip(const std::string& prefix, const std::string& interface = "lo") {
  return InterfaceAddress{interface, Prefix::Parse(prefix).value(), false};
}

inline VirtualService Web(const std::string& scheduler = "rr",
                          const std::string& vip = "10.0.0.100") {
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, IpAddress::Parse(vip).value(), 80};
  service.scheduler = scheduler;
  service.destinations = {Destination{IpAddress::Parse("10.0.0.11").value(), 80},
                          Destination{IpAddress::Parse("10.0.0.12").value(), 80}};
  return service;
}

inline Sysctl ArpIgnore(const std::string& value = "1") {
  return Sysctl{"net/ipv4/conf/all/arp_ignore", value};
}

inline DesiredState State(std::vector<InterfaceAddress> addresses, std::vector<Sysctl> sysctls = {},
                          std::vector<VirtualService> services = {}) {
  return DesiredState{std::move(addresses), std::move(sysctls), std::move(services)};
}

inline OwnerRecord RecordOf(const std::string& owner, DesiredState state) {
  OwnerRecord record;
  record.owner = owner;
  record.generation = 1;
  record.complete = true;
  record.run.owner = owner;
  record.state = std::move(state);
  return record;
}

}  // namespace drover
