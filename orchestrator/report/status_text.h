// The status of a cluster on one screen, and as JSON.
//
// Pure.
#pragma once

#include <map>
#include <string>

#include "orchestrator/cluster/cluster_status.h"
#include "protocol/address.h"

namespace drover {

struct StatusLook {
  int columns = 0;  // of the terminal; 0: a pipe, lines are as long as they are
  bool colours = false;
  std::string playbook;
  std::map<IpAddress, std::string> names;  // of hosts, by address
};

// Roles and owners, services with their real servers, synchronisation, hosts, what is wrong, and
// the last transitions. `time` is when the hosts were asked, in UTC.
std::string StatusText(const ClusterStatus& cluster, const StatusLook& look,
                       const std::string& time);
// One JSON document without a newline at its end: "healthy", "concerns", "routers", "hosts".
std::string StatusJson(const ClusterStatus& cluster, const std::string& time, int indent);

// "950ms", "12s", "3m 5s", "2h 4m", "3d 1h".
std::string AgeText(std::chrono::milliseconds age);

}  // namespace drover
