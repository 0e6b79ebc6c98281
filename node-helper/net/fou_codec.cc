#include "node-helper/net/fou_codec.h"

#include <linux/fou.h>
#include <linux/genetlink.h>
#include <sys/socket.h>

#include <algorithm>

namespace drover {
namespace {

Bytes Header(std::uint8_t command) {
  return {command, FOU_GENL_VERSION, 0, 0};  // struct genlmsghdr
}

void PutU8(AttributeWriter& writer, std::uint16_t type, std::uint8_t value) {
  writer.Put(type, ByteView(&value, 1));
}

void PutPort(AttributeWriter& writer, const GueReceiver& receiver) {
  PutU8(writer, FOU_ATTR_AF, AF_INET);
  writer.PutU16Be(FOU_ATTR_PORT, receiver.port);
}

bool Is(const AttributeReader& attributes, std::uint16_t type, std::uint8_t value) {
  const auto bytes = attributes.Get(type);
  return bytes && bytes->size() == 1 && bytes->front() == value;
}

// Kernels before 5.2 know no limits, later ones tell those that are not set as 0 or not at all.
bool IsUnset(const AttributeReader& attributes, std::uint16_t type) {
  const auto bytes = attributes.Get(type);
  return !bytes || std::all_of(bytes->begin(), bytes->end(), [](auto byte) { return byte == 0; });
}

}  // namespace

Bytes EncodeListReceivers() { return Header(FOU_CMD_GET); }

Bytes EncodeReceiver(const GueReceiver& receiver) {
  Bytes bytes = Header(FOU_CMD_ADD);
  AttributeWriter writer(bytes);
  PutPort(writer, receiver);
  PutU8(writer, FOU_ATTR_TYPE, FOU_ENCAP_GUE);
  return bytes;
}

Bytes EncodeReceiverRemoval(const GueReceiver& receiver) {
  Bytes bytes = Header(FOU_CMD_DEL);
  AttributeWriter writer(bytes);
  PutPort(writer, receiver);
  return bytes;
}

Result<std::optional<GueReceiver>> DecodeReceiver(ByteView payload) {
  if (payload.size() < sizeof(genlmsghdr)) {
    return Fail(ErrorCode::kInternal, "fou: a message is cut off");
  }
  const auto attributes = AttributeReader::Parse(payload.subspan(sizeof(genlmsghdr)));
  if (!attributes) return Fail(attributes.error().In("fou"));
  if (!Is(*attributes, FOU_ATTR_AF, AF_INET) || !Is(*attributes, FOU_ATTR_TYPE, FOU_ENCAP_GUE)) {
    return std::nullopt;
  }
  for (const std::uint16_t limit : std::initializer_list<std::uint16_t>{
           FOU_ATTR_LOCAL_V4, FOU_ATTR_PEER_V4, FOU_ATTR_PEER_PORT, FOU_ATTR_IFINDEX}) {
    if (!IsUnset(*attributes, limit)) return std::nullopt;
  }
  const auto port = attributes->U16Be(FOU_ATTR_PORT);
  if (!port || *port == 0) return Fail(ErrorCode::kInternal, "fou: a receiver without a port");
  return GueReceiver{*port};
}

}  // namespace drover
