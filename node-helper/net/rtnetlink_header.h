// The fixed header that opens the payload of every message of rtnetlink(7), before its attributes.
//
// Pure.
#pragma once

#include <linux/netlink.h>

#include <cstring>
#include <string>

#include "node-helper/net/netlink_attributes.h"

namespace drover {

// Attributes may follow.
template <typename Header>
Bytes EncodeHeader(const Header& header) {
  Bytes bytes(NLMSG_ALIGN(sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// Takes the header off; what is left are attributes. `what` the message is about, for errors: "a
// route".
template <typename Header>
Result<AttributeReader> DecodeHeader(ByteView payload, Header& header, const char* what) {
  if (payload.size() < NLMSG_ALIGN(sizeof header)) {
    return Fail(ErrorCode::kInternal,
                std::string("rtnetlink: a message about ") + what + " is cut off");
  }
  std::memcpy(&header, payload.data(), sizeof header);
  auto attributes = AttributeReader::Parse(payload.subspan(NLMSG_ALIGN(sizeof header)));
  if (!attributes) return Fail(attributes.error().In(what));
  return attributes;
}

}  // namespace drover
