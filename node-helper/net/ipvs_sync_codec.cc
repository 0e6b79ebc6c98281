#include "node-helper/net/ipvs_sync_codec.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <array>

#include "node-helper/net/ipvs_message.h"

namespace drover {
namespace {

constexpr std::uint32_t kMaxSyncId = 255;

std::uint32_t StateNumber(SyncRole role) {
  return role == SyncRole::kMaster ? IP_VS_STATE_MASTER : IP_VS_STATE_BACKUP;
}

void PutByte(AttributeWriter& writer, std::uint16_t type, std::uint8_t value) {
  writer.Put(type, ByteView(&value, 1));
}

Result<IpAddress> GroupOf(const AttributeReader& attributes) {
  if (const auto v6 = attributes.Get(IPVS_DAEMON_ATTR_MCAST_GROUP6)) {
    return ipvs::AddressOf(Family::kIpv6, v6);
  }
  if (const auto v4 = attributes.Get(IPVS_DAEMON_ATTR_MCAST_GROUP)) {
    return ipvs::AddressOf(Family::kIpv4, v4);
  }
  return SyncDaemon{}.group;
}

}  // namespace

Bytes EncodeStartSyncDaemon(const SyncDaemon& daemon) {
  Bytes bytes = ipvs::Header(IPVS_CMD_NEW_DAEMON);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED);
  writer.PutU32(IPVS_DAEMON_ATTR_STATE, StateNumber(daemon.role));
  writer.PutText(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface);
  writer.PutU32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
  if (daemon.max_length != 0) writer.PutU16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.max_length);
  const std::uint16_t group =
      daemon.group.is_v4() ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6;
  writer.Put(group, ByteView(daemon.group.data(), daemon.group.size()));
  writer.PutU16(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port);  // in host order, unlike a service's
  PutByte(writer, IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
  writer.End(nested);
  return bytes;
}

Bytes EncodeStopSyncDaemon(SyncRole role) {
  Bytes bytes = ipvs::Header(IPVS_CMD_DEL_DAEMON);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED);
  writer.PutU32(IPVS_DAEMON_ATTR_STATE, StateNumber(role));
  writer.End(nested);
  return bytes;
}

Bytes EncodeListSyncDaemons() { return ipvs::Header(IPVS_CMD_GET_DAEMON); }

Result<SyncDaemon> DecodeSyncDaemon(ByteView payload) {
  const Result<AttributeReader> attributes = ipvs::Content(payload, IPVS_CMD_ATTR_DAEMON);
  if (!attributes) return Fail(attributes.error());
  const auto state = attributes->U32(IPVS_DAEMON_ATTR_STATE);
  const auto interface = attributes->Text(IPVS_DAEMON_ATTR_MCAST_IFN);
  const auto sync_id = attributes->U32(IPVS_DAEMON_ATTR_SYNC_ID);
  if (!state || !interface || !sync_id) {
    return Fail(ErrorCode::kInternal, "ip_vs: a sync daemon lacks its settings");
  }
  if (*state != IP_VS_STATE_MASTER && *state != IP_VS_STATE_BACKUP) {
    return Fail(ErrorCode::kInternal,
                "ip_vs: a sync daemon has the unknown role " + std::to_string(*state));
  }
  if (*sync_id > kMaxSyncId) {
    return Fail(ErrorCode::kInternal,
                "ip_vs: a sync daemon has the unknown id " + std::to_string(*sync_id));
  }
  const Result<IpAddress> group = GroupOf(*attributes);
  if (!group) return Fail(group.error());
  SyncDaemon daemon;
  daemon.role = *state == IP_VS_STATE_MASTER ? SyncRole::kMaster : SyncRole::kBackup;
  daemon.interface = *interface;
  daemon.sync_id = static_cast<std::uint8_t>(*sync_id);
  daemon.group = *group;
  daemon.port = attributes->U16(IPVS_DAEMON_ATTR_MCAST_PORT).value_or(daemon.port);
  const auto ttl = attributes->Get(IPVS_DAEMON_ATTR_MCAST_TTL);
  if (ttl && !ttl->empty()) daemon.ttl = ttl->front();
  daemon.max_length = attributes->U16(IPVS_DAEMON_ATTR_SYNC_MAXLEN).value_or(0);
  return daemon;
}

}  // namespace drover
