// The hash functions of Linux with which ip_vs spreads clients: include/linux/hash.h (hash_32) and
// lib/siphash.c (hsiphash, which is SipHash-1-3 on 64-bit machines).
//
// Pure.
#pragma once

#include <cstdint>

#include "protocol/address.h"

namespace drover {

// The upper `bits` of the product with the golden ratio.
std::uint32_t GoldenHash32(std::uint32_t value, int bits);

// Both halves of the key are the same where ip_vs uses it.
std::uint32_t SipHash13Of32(std::uint32_t value, std::uint64_t key);

// An address as ip_vs folds it into 32 bits: IPv4 as it is, IPv6 with its words xor-ed.
std::uint32_t FoldAddress(const IpAddress& address);

}  // namespace drover
