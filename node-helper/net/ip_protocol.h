// The number of a transport protocol, as packets, ip_vs and nftables have it.
#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "protocol/service_key.h"

namespace drover {

constexpr std::uint8_t ProtocolNumber(Transport transport) {
  switch (transport) {
    case Transport::kTcp:
      return IPPROTO_TCP;
    case Transport::kUdp:
      return IPPROTO_UDP;
    case Transport::kSctp:
      return IPPROTO_SCTP;
  }
  return 0;
}

}  // namespace drover
