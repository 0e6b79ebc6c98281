// What ip_vs counted: connections, packets and bytes of every service and real server, and how many
// connections each real server has now. For status and metrics.
//
// One thread at a time. Nothing is loaded by looking.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/address.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// Since the service, or the real server in it, was added, as the kernel sums them up every 2 s.
// With direct routing and tunnels the answers pass by the director, so what goes out is 0.
struct TrafficCounters {
  std::uint64_t connections = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  auto operator<=>(const TrafficCounters&) const = default;
};

struct DestinationCounters {
  Endpoint endpoint;
  TrafficCounters traffic;
  std::uint32_t active = 0;      // connections that are established (TCP: by what the kernel saw)
  std::uint32_t inactive = 0;    // all others that are still in the table
  std::uint32_t persistent = 0;  // templates of persistent clients

  bool operator==(const DestinationCounters&) const = default;
};

struct ServiceCounters {
  ServiceKey service;
  TrafficCounters traffic;
  std::vector<DestinationCounters> destinations;  // in the order in which they were added

  bool operator==(const ServiceCounters&) const = default;
};

// Of the network namespace this thread is in; empty without ip_vs.
Result<std::vector<ServiceCounters>> ReadIpvsCounters();

}  // namespace drover
