// Connection synchronisation daemons to and from the generic netlink messages of ip_vs
// (<linux/ip_vs.h>, net/netfilter/ipvs/ip_vs_ctl.c: ip_vs_genl_new_daemon and its neighbours).
//
// Pure; sockets are left to netlink_socket.
#pragma once

#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"
#include "protocol/sync_daemon.h"

namespace drover {

Bytes EncodeStartSyncDaemon(const SyncDaemon& daemon);
// The kernel runs one daemon of each role, so the role is enough.
Bytes EncodeStopSyncDaemon(SyncRole role);
Bytes EncodeListSyncDaemons();

// One message of a list of daemons. Group, port, TTL and length are missing before Linux 4.3 and
// read as what that kernel uses.
Result<SyncDaemon> DecodeSyncDaemon(ByteView payload);

}  // namespace drover
