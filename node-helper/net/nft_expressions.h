// The expressions of a rule of nftables, as `nft --debug=netlink` shows them.
//
// Pure. What rules are made of them is left to nft_rules and pass_on.
#pragma once

#include <cstdint>
#include <cstring>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/address.h"
#include "protocol/service_key.h"

namespace drover {

// <linux/netfilter.h>, which does not go together with the C library's headers.
inline constexpr std::uint32_t kNftDrop = 0;
inline constexpr std::uint32_t kNftAccept = 1;
inline constexpr std::uint8_t kNftIpv4 = 2;
inline constexpr std::uint8_t kNftIpv6 = 10;

Bytes Be32(std::uint32_t number);
Bytes Be16(std::uint16_t number);
// Marks, interfaces and types of devices are in host order.
template <typename Number>
Bytes HostOrder(Number number) {
  Bytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}
Bytes BytesOf(const IpAddress& address);

// In the order of their execution. Everything goes by register 1.
class Expressions {
 public:
  // `base` is NFT_PAYLOAD_….
  Expressions& Load(std::uint32_t base, std::uint32_t offset, std::uint32_t length);
  Expressions& Store(std::uint32_t base, std::uint32_t offset, std::uint32_t length);
  // `key` is NFT_META_….
  Expressions& LoadMeta(std::uint32_t key);
  Expressions& StoreMeta(std::uint32_t key);
  // The rule ends here for other values.
  Expressions& Is(const Bytes& value);
  Expressions& IsNot(const Bytes& value);
  Expressions& Mask(const Bytes& mask);
  Expressions& Set(const Bytes& value);
  Expressions& Verdict(std::uint32_t verdict);
  // Destination address, protocol and destination port.
  Expressions& ComesFor(const SocketKey& traffic);
  // A socket of this node takes the packet, whatever its state.
  Expressions& HasSocket();
  // A copy goes to `neighbour` over the interface `index`.
  Expressions& CopyTo(const IpAddress& neighbour, std::uint32_t index);
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  template <typename Fill>
  Expressions& Add(const char* name, const Fill& fill);
  Expressions& Compare(std::uint32_t how, const Bytes& value);
  Expressions& Put(const Bytes& value, std::uint32_t to);

  Bytes bytes_;
};

}  // namespace drover
