// The list of real servers of a virtual service: names of hosts, addresses, "addr:port", mappings.
//
// Pure but for the resolver that the options may bring.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/compile/module_context.h"

namespace drover {

// What a real server takes from its service unless it says otherwise.
struct ServerDefaults {
  ServiceKey key;
  Forwarding forward = Forwarding::kDr;
  Wrapping tunnel = {};
  std::uint32_t weight = 1;
  std::uint32_t upper_threshold = 0;
  std::uint32_t lower_threshold = 0;
};

// A real server with its name and the place that an error about it points at.
struct PlacedServer {
  Destination destination;
  std::string name;
  Place place;
};
std::vector<PlacedServer> ReadRealServers(const ServerDefaults& defaults, Arguments& arguments,
                                          ModuleContext& context);
// One of them, wherever it stands.
std::optional<PlacedServer> ReadRealServer(const Argument& item, const ServerDefaults& defaults,
                                           Arguments& arguments, ModuleContext& context);
// dr, nat, tun under `key`, with the names that ipvsadm and keepalived use for them.
std::optional<Forwarding> ReadForwarding(const std::string& key, Arguments& arguments);
// ipip, gre or gue under "tunnel", with gue's "tunnel_port" and "tunnel_checksum".
std::optional<Wrapping> ReadTunnel(Arguments& arguments);

}  // namespace drover
