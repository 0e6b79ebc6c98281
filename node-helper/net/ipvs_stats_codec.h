// The counters in the messages that ip_vs lists services and destinations with (<linux/ip_vs.h>).
//
// Pure; settings in the same messages are read by ipvs_codec.
#pragma once

#include "node-helper/net/ipvs_stats.h"
#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"

namespace drover {

// One message of a list of services; without destinations.
Result<ServiceCounters> DecodeServiceCounters(ByteView payload);
// One message of a list of destinations. `family` is the service's, for kernels before 3.18, which
// do not tell.
Result<DestinationCounters> DecodeDestinationCounters(ByteView payload, Family family);

}  // namespace drover
