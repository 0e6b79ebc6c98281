// Virtual services and destinations to and from the generic netlink messages of ip_vs
// (<linux/ip_vs.h>, net/netfilter/ipvs/ip_vs_ctl.c). Everything here is the payload behind the
// nlmsghdr: a genlmsghdr and attributes.
//
// Pure; sockets are left to netlink_socket.
#pragma once

#include "node-helper/net/netlink_attributes.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

Bytes EncodeAddService(const VirtualService& service);
Bytes EncodeEditService(const VirtualService& service);
Bytes EncodeRemoveService(const ServiceKey& key);
Bytes EncodeAddDestination(const ServiceKey& key, const Destination& destination);
Bytes EncodeEditDestination(const ServiceKey& key, const Destination& destination);
Bytes EncodeRemoveDestination(const ServiceKey& key, const Destination& destination);
Bytes EncodeListServices();
Bytes EncodeListDestinations(const ServiceKey& key);

// One message of a list of services; without destinations. Settings that only mean something
// together are read together: a netmask or engine without persistence is left out.
Result<VirtualService> DecodeService(ByteView payload);
// One message of a list of destinations. `family` is the service's, for kernels before 3.18, which
// do not tell. The method "local" of old kernels and "bypass" have no word of ours and read as dr.
Result<Destination> DecodeDestination(ByteView payload, Family family);

}  // namespace drover
