// A cluster of two directors with one instance and one watched service, as the nodes tell it.
#pragma once

#include "orchestrator/cluster/cluster_status.h"

namespace drover {

inline InstanceStatus InstanceIn(const std::string& state) {
  InstanceStatus instance;
  instance.name = "web";
  instance.interface = "eth0";
  instance.vrid = 51;
  instance.state = state;
  instance.priority = state == "master" ? 150 : 100;
  instance.base_priority = instance.priority;
  instance.in_state_for = std::chrono::milliseconds(65000);
  instance.master_down = std::chrono::milliseconds(3600);
  instance.addresses = {*Prefix::Parse("10.0.0.100/32")};
  if (state == "backup") {
    instance.master = *IpAddress::Parse("10.0.0.11");
    instance.last_heard = std::chrono::milliseconds(400);
  }
  return instance;
}

inline ServiceStatus WebService() {
  const auto server = [](const std::string& endpoint) {
    ServerStatus one;
    one.endpoint = *Endpoint::Parse(endpoint);
    one.wanted = one.weight = 1;
    one.in_table = true;
    one.checks = {CheckStatus{"http", true, true, "", std::chrono::microseconds(800)}};
    return one;
  };
  ServiceStatus service;
  service.service = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};
  service.scheduler = "rr";
  service.watched = true;
  service.connections = 12;
  service.servers = {server("10.0.0.21:80"), server("10.0.0.22:80")};
  return service;
}

inline HostStatus Director(const std::string& host, const std::string& state) {
  HostStatus director;
  director.host = host;
  director.needs_daemon = true;
  director.status.emplace();
  director.status->host = host;
  director.status->version = "0.1.0";
  director.status->running_for = std::chrono::milliseconds(3'700'000);
  director.status->instances = {InstanceIn(state)};
  director.status->services = {WebService()};
  return director;
}

inline HostStatus SilentHost(const std::string& host, ErrorCode code, const std::string& why,
                             bool needs_daemon = true) {
  HostStatus silent;
  silent.host = host;
  silent.needs_daemon = needs_daemon;
  silent.error = Error{code, why};
  return silent;
}

inline ClusterStatus TwoDirectors(const std::string& lb1 = "master",
                                  const std::string& lb2 = "backup") {
  return ClusterStatus{{Director("lb1", lb1), Director("lb2", lb2)}};
}

}  // namespace drover
