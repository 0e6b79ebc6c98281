// How a virtual service is named in a playbook: address, port and protocol, or a firewall mark.
//
// Pure.
#pragma once

#include <optional>

#include "orchestrator/compile/arguments.h"
#include "protocol/service_key.h"

namespace drover {

// From the keys address and protocol, or fwmark and family; offences are said at their places.
// ":0" is understood where the mapping has the key "persistence".
std::optional<ServiceKey> ReadServiceKey(Arguments& arguments);
// A service that another task defines: "10.0.0.100:80", "udp 10.0.0.100:53", "fwmark 7", or a
// mapping as above.
std::optional<ServiceKey> ReadServiceName(const Argument& argument, Arguments& arguments);

}  // namespace drover
