// Any packet is taken or refused for a named reason, and what is taken encodes to the same bytes.

#include <cstdlib>
#include <string_view>

#include "node-helper/vrrp/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace drover::vrrp;
  const auto packet = SplitIpv4({reinterpret_cast<const char*>(data), size});
  if (!packet || packet->payload.size() < 2) return 0;
  Expectation expectation;
  expectation.version = packet->payload[0] >> 4 == 2 ? Version::k2 : Version::k3;
  expectation.vrid = packet->payload[1];
  if (expectation.version == Version::k2 && packet->payload.size() > 5) {
    expectation.interval = std::chrono::seconds(packet->payload[5]);
    expectation.auth = packet->payload[4] == 1 ? AuthType::kPassword : AuthType::kNone;
  }
  expectation.unicast_peers = {packet->route.source};
  const auto answer = Accept(*packet, expectation);
  if (const auto* refusal = std::get_if<Refusal>(&answer)) {
    if (ToString(*refusal) == "?") std::abort();
    return 0;
  }
  const auto& decoded = std::get<Decoded>(answer);
  const Bytes again =
      Encode(decoded.advertisement, packet->route, decoded.form.value_or(ChecksumForm::kPlain));
  if (again.size() != packet->payload.size()) std::abort();
  return 0;
}
