// Addresses as the system knows them: of a name, and of this host on the way to another.
//
// Asks the resolver, which may take its time.
#pragma once

#include <optional>
#include <string>

#include "protocol/address.h"

namespace drover {

std::optional<IpAddress> ResolveAddress(const std::string& name);
// What packets to `other` carry as their source.
std::optional<IpAddress> LocalAddressTowards(const IpAddress& other);

}  // namespace drover
