// Netlink attributes (type, length, value, padded to 4 bytes) written to and read from bytes.
//
// Pure; which attributes mean what is known by ipvs_codec and address_codec. Lengths are checked
// when reading, so that no input reads past its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace drover {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Appends attributes to bytes that already hold the headers of a message.
class AttributeWriter {
 public:
  explicit AttributeWriter(Bytes& out) : out_(out) {}

  void Put(std::uint16_t type, ByteView value);
  void PutU16(std::uint16_t type, std::uint16_t value);     // host order
  void PutU16Be(std::uint16_t type, std::uint16_t value);   // network order
  void PutU32(std::uint16_t type, std::uint32_t value);     // host order
  void PutText(std::uint16_t type, std::string_view text);  // with its terminating zero
  // What is put between Begin and End lies inside the attribute.
  std::size_t Begin(std::uint16_t type);
  void End(std::size_t begun);

 private:
  Bytes& out_;
};

// The attributes of a message or of a nested attribute. A type that comes twice counts once, with
// its last value, as in the kernel.
class AttributeReader {
 public:
  // kInternal when a length does not fit.
  static Result<AttributeReader> Parse(ByteView bytes);

  [[nodiscard]] std::optional<ByteView> Get(std::uint16_t type) const;
  // All of them, by type.
  [[nodiscard]] const std::map<std::uint16_t, ByteView>& all() const { return attributes_; }
  // Nothing when the attribute is missing or shorter than the number.
  [[nodiscard]] std::optional<std::uint16_t> U16(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::uint16_t> U16Be(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::uint32_t> U32(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::string> Text(std::uint16_t type) const;

 private:
  std::map<std::uint16_t, ByteView> attributes_;
};

}  // namespace drover
