// What a node has, as `verify` looks at it from inside: addresses, settings, the table and the
// counters of ip_vs, the way that answers take. Looking changes nothing.
//
// Values only; the JSON form is in codec.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/desired_state.h"
#include "protocol/service_key.h"

namespace drover {

// Which way would answers from `from` go to `to`?
struct RouteQuestion {
  IpAddress from;
  IpAddress to;
  bool operator==(const RouteQuestion&) const = default;
};

struct ObserveTask {
  std::vector<std::string> sysctls;  // keys with slashes
  // Settings of net/ipv4/conf ("arp_ignore") that are wanted of "all" and of every interface that
  // has an address.
  std::vector<std::string> interface_settings;
  std::vector<RouteQuestion> routes;
  bool operator==(const ObserveTask&) const = default;
};

// What ip_vs counted for a real server since it was added, and what it has open.
struct DestinationTraffic {
  Endpoint endpoint;
  std::uint64_t connections = 0;
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
  std::uint32_t templates = 0;  // clients that persistence binds to it
  bool operator==(const DestinationTraffic&) const = default;
};
struct ServiceTraffic {
  ServiceKey service;
  std::uint64_t connections = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;  // with direct routing and tunnels answers pass by: 0
  std::vector<DestinationTraffic> servers;
  bool operator==(const ServiceTraffic&) const = default;
};

struct RouteAnswer {
  RouteQuestion question;
  bool reachable = false;
  std::string interface;
  std::optional<IpAddress> gateway;
  bool operator==(const RouteAnswer&) const = default;
};

struct Observation {
  std::vector<InterfaceAddress> addresses;
  std::vector<Sysctl> sysctls;           // those that were asked for and that the kernel has
  std::vector<PathPart> path;
  std::vector<VirtualService> services;  // destinations in the order in which they were added
  std::vector<ServiceTraffic> traffic;
  std::vector<RouteAnswer> routes;
  bool operator==(const Observation&) const = default;
};

}  // namespace drover
