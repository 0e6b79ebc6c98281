#include "node-helper/sync/connection.h"

#include <netinet/in.h>

#include <numeric>

namespace drover {
namespace {

constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325;  // FNV-1a, 64 bits
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

std::uint64_t HashByte(std::uint64_t hash, std::uint8_t byte) { return (hash ^ byte) * kFnvPrime; }

std::uint64_t HashEndpoint(std::uint64_t hash, const Endpoint& endpoint) {
  for (std::size_t i = 0; i < endpoint.address.size(); ++i) {
    hash = HashByte(hash, endpoint.address.data()[i]);
  }
  hash = HashByte(hash, static_cast<std::uint8_t>(endpoint.port >> 8));
  return HashByte(hash, static_cast<std::uint8_t>(endpoint.port));
}

// FNV mixes its last bytes badly; the finaliser of MurmurHash3 spreads them.
std::uint64_t Spread(std::uint64_t hash) {
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace

std::string_view ToString(ConnectionClass kind) {
  switch (kind) {
    case ConnectionClass::kOpening:
      return "opening";
    case ConnectionClass::kEstablished:
      return "established";
    case ConnectionClass::kClosing:
      return "closing";
    case ConnectionClass::kDatagram:
      return "datagram";
    case ConnectionClass::kTemplate:
      return "template";
    case ConnectionClass::kOther:
      return "other";
  }
  return "?";
}

ConnectionClass ClassOf(std::uint8_t protocol, std::uint16_t client_port, std::string_view state) {
  if (protocol == IPPROTO_IP) return ConnectionClass::kTemplate;
  const bool tcp = protocol == IPPROTO_TCP;
  if (!tcp && protocol != IPPROTO_SCTP && protocol != IPPROTO_UDP) return ConnectionClass::kOther;
  if (client_port == 0) return ConnectionClass::kTemplate;
  if (protocol == IPPROTO_UDP) return ConnectionClass::kDatagram;
  if (state == "ESTABLISHED") return ConnectionClass::kEstablished;
  if (state == "NONE") return ConnectionClass::kOpening;
  if (tcp) {
    const bool opening = StartsWith(state, "SYN") || state == "LISTEN";
    return opening ? ConnectionClass::kOpening : ConnectionClass::kClosing;
  }
  const bool opening = StartsWith(state, "INIT") || StartsWith(state, "COOKIE");
  return opening ? ConnectionClass::kOpening : ConnectionClass::kClosing;
}

bool MattersForHandover(ConnectionClass kind) {
  return kind == ConnectionClass::kEstablished || kind == ConnectionClass::kDatagram ||
         kind == ConnectionClass::kTemplate;
}

std::uint64_t Fingerprint(const Connection& connection) {
  std::uint64_t hash = HashByte(kFnvStart, connection.protocol);
  hash = HashEndpoint(hash, connection.client);
  hash = HashEndpoint(hash, connection.virtual_address);
  return Spread(HashEndpoint(hash, connection.real_server));
}

std::uint64_t ClassCounts::total() const {
  return std::accumulate(of.begin(), of.end(), std::uint64_t{0});
}

}  // namespace drover
