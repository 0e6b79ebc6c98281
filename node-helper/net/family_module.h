// Families of generic netlink that come with a kernel module.
//
// One thread at a time. Looking for a family (NetlinkSocket::FindFamily) loads nothing; this does.
#pragma once

#include <cstdint>
#include <string>

#include "node-helper/net/netlink_socket.h"
#include "protocol/result.h"

namespace drover {

// The number of the family; `module` is loaded unless the kernel has it.
Result<std::uint16_t> LoadFamily(NetlinkSocket& socket, const std::string& family,
                                 const std::string& module);

// Whether LoadFamily would find something to load; the error is the one it would give.
Status CanLoadFamily(NetlinkSocket& socket, const std::string& family, const std::string& module);

}  // namespace drover
