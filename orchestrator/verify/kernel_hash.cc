#include "orchestrator/verify/kernel_hash.h"

#include <bit>
#include <cstddef>

namespace drover {
namespace {

// The state of SipHash (Aumasson, Bernstein: SipHash, 2012).
struct SipState {
  std::uint64_t a, b, c, d;

  void Round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
};

}  // namespace

std::uint32_t GoldenHash32(std::uint32_t value, int bits) {
  constexpr std::uint32_t kGoldenRatio = 0x61C88647;
  return (value * kGoldenRatio) >> (32 - bits);
}

std::uint32_t SipHash13Of32(std::uint32_t value, std::uint64_t key) {
  constexpr std::uint64_t kLength = 4;
  SipState state{0x736f6d6570736575ULL ^ key, 0x646f72616e646f6dULL ^ key,
                 0x6c7967656e657261ULL ^ key, 0x7465646279746573ULL ^ key};
  const std::uint64_t last = kLength << 56 | value;
  state.d ^= last;
  state.Round();
  state.a ^= last;
  state.c ^= 0xff;
  for (int i = 0; i < 3; ++i) state.Round();
  return static_cast<std::uint32_t>(state.a ^ state.b ^ state.c ^ state.d);
}

std::uint32_t FoldAddress(const IpAddress& address) {
  std::uint32_t folded = 0;
  for (std::size_t at = 0; at < address.size(); at += 4) {
    const std::uint8_t* bytes = address.data() + at;
    folded ^= std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
              std::uint32_t{bytes[2]} << 8 | bytes[3];
  }
  return folded;
}

}  // namespace drover
