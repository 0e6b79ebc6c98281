#include "node-helper/net/nft_expressions.h"

#include <linux/netfilter/nf_tables.h>

#include "node-helper/net/ip_protocol.h"

namespace drover {
namespace {

// Where addresses and ports are in packets.
constexpr std::uint32_t kIpv4Target = 16;
constexpr std::uint32_t kIpv6Target = 24;
constexpr std::uint32_t kPortTarget = 2;

void PutPlace(AttributeWriter& data, std::uint32_t base, std::uint32_t offset,
              std::uint32_t length) {
  data.Put(NFTA_PAYLOAD_BASE, Be32(base));
  data.Put(NFTA_PAYLOAD_OFFSET, Be32(offset));
  data.Put(NFTA_PAYLOAD_LEN, Be32(length));
}

void PutValue(AttributeWriter& data, std::uint16_t attribute, const Bytes& value) {
  const std::size_t begun = data.Begin(attribute);
  data.Put(NFTA_DATA_VALUE, value);
  data.End(begun);
}

}  // namespace

Bytes Be32(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

Bytes Be16(std::uint16_t number) {
  return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

Bytes BytesOf(const IpAddress& address) {
  return {address.data(), address.data() + address.size()};
}

template <typename Fill>
Expressions& Expressions::Add(const char* name, const Fill& fill) {
  AttributeWriter writer(bytes_);
  const std::size_t element = writer.Begin(NFTA_LIST_ELEM);
  writer.PutText(NFTA_EXPR_NAME, name);
  const std::size_t data = writer.Begin(NFTA_EXPR_DATA);
  fill(writer);
  writer.End(data);
  writer.End(element);
  return *this;
}

Expressions& Expressions::Load(std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
  return Add("payload", [&](AttributeWriter& data) {
    data.Put(NFTA_PAYLOAD_DREG, Be32(NFT_REG_1));
    PutPlace(data, base, offset, length);
  });
}

Expressions& Expressions::Store(std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
  return Add("payload", [&](AttributeWriter& data) {
    data.Put(NFTA_PAYLOAD_SREG, Be32(NFT_REG_1));
    PutPlace(data, base, offset, length);
  });
}

Expressions& Expressions::LoadMeta(std::uint32_t key) {
  return Add("meta", [&](AttributeWriter& data) {
    data.Put(NFTA_META_DREG, Be32(NFT_REG_1));
    data.Put(NFTA_META_KEY, Be32(key));
  });
}

Expressions& Expressions::StoreMeta(std::uint32_t key) {
  return Add("meta", [&](AttributeWriter& data) {
    data.Put(NFTA_META_SREG, Be32(NFT_REG_1));
    data.Put(NFTA_META_KEY, Be32(key));
  });
}

Expressions& Expressions::Is(const Bytes& value) { return Compare(NFT_CMP_EQ, value); }
Expressions& Expressions::IsNot(const Bytes& value) { return Compare(NFT_CMP_NEQ, value); }

Expressions& Expressions::Compare(std::uint32_t how, const Bytes& value) {
  return Add("cmp", [&](AttributeWriter& data) {
    data.Put(NFTA_CMP_SREG, Be32(NFT_REG_1));
    data.Put(NFTA_CMP_OP, Be32(how));
    PutValue(data, NFTA_CMP_DATA, value);
  });
}

Expressions& Expressions::Mask(const Bytes& mask) {
  return Add("bitwise", [&](AttributeWriter& data) {
    data.Put(NFTA_BITWISE_SREG, Be32(NFT_REG_1));
    data.Put(NFTA_BITWISE_DREG, Be32(NFT_REG_1));
    data.Put(NFTA_BITWISE_LEN, Be32(static_cast<std::uint32_t>(mask.size())));
    PutValue(data, NFTA_BITWISE_MASK, mask);
    PutValue(data, NFTA_BITWISE_XOR, Bytes(mask.size()));
  });
}

Expressions& Expressions::Put(const Bytes& value, std::uint32_t to) {
  return Add("immediate", [&](AttributeWriter& data) {
    data.Put(NFTA_IMMEDIATE_DREG, Be32(to));
    PutValue(data, NFTA_IMMEDIATE_DATA, value);
  });
}

Expressions& Expressions::Set(const Bytes& value) { return Put(value, NFT_REG_1); }

Expressions& Expressions::Verdict(std::uint32_t verdict) {
  return Add("immediate", [&](AttributeWriter& data) {
    data.Put(NFTA_IMMEDIATE_DREG, Be32(NFT_REG_VERDICT));
    const std::size_t begun = data.Begin(NFTA_IMMEDIATE_DATA);
    const std::size_t code = data.Begin(NFTA_DATA_VERDICT);
    data.Put(NFTA_VERDICT_CODE, Be32(verdict));
    data.End(code);
    data.End(begun);
  });
}

Expressions& Expressions::ComesFor(const SocketKey& traffic) {
  const IpAddress& address = traffic.address;
  return Load(NFT_PAYLOAD_NETWORK_HEADER, address.is_v4() ? kIpv4Target : kIpv6Target,
              static_cast<std::uint32_t>(address.size()))
      .Is(BytesOf(address))
      .LoadMeta(NFT_META_L4PROTO)
      .Is({ProtocolNumber(traffic.transport)})
      .Load(NFT_PAYLOAD_TRANSPORT_HEADER, kPortTarget, 2)
      .Is(Be16(traffic.port));
}

// nft_socket.c ends the rule when there is none. What it loads is of no interest; the comparison,
// which always holds, lets nft show the rule.
Expressions& Expressions::HasSocket() {
  return Add("socket",
             [](AttributeWriter& data) {
               data.Put(NFTA_SOCKET_KEY, Be32(NFT_SOCKET_TRANSPARENT));
               data.Put(NFTA_SOCKET_DREG, Be32(NFT_REG_1));
             })
      .Compare(NFT_CMP_LTE, {1});
}

Expressions& Expressions::CopyTo(const IpAddress& neighbour, std::uint32_t index) {
  return Put(BytesOf(neighbour), NFT_REG_1)
      .Put(HostOrder(index), NFT_REG_2)
      .Add("dup", [&](AttributeWriter& data) {
        data.Put(NFTA_DUP_SREG_ADDR, Be32(NFT_REG_1));
        data.Put(NFTA_DUP_SREG_DEV, Be32(NFT_REG_2));
      });
}

}  // namespace drover
