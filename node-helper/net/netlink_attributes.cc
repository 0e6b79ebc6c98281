#include "node-helper/net/netlink_attributes.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace drover {
namespace {

template <typename Number>
std::optional<Number> NumberOf(std::optional<ByteView> value) {
  if (!value || value->size() < sizeof(Number)) return std::nullopt;
  Number number = 0;
  std::memcpy(&number, value->data(), sizeof(number));
  return number;
}

template <typename Number>
ByteView ViewOf(const Number& number) {
  return {reinterpret_cast<const std::uint8_t*>(&number), sizeof(number)};
}

void Pad(Bytes& out) { out.resize(NLA_ALIGN(out.size()), 0); }

}  // namespace

void AttributeWriter::Put(std::uint16_t type, ByteView value) {
  const std::size_t begun = Begin(type);
  out_.insert(out_.end(), value.begin(), value.end());
  End(begun);
}

void AttributeWriter::PutU16(std::uint16_t type, std::uint16_t value) { Put(type, ViewOf(value)); }

void AttributeWriter::PutU16Be(std::uint16_t type, std::uint16_t value) {
  const Bytes bytes = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  Put(type, bytes);
}

void AttributeWriter::PutU32(std::uint16_t type, std::uint32_t value) { Put(type, ViewOf(value)); }

void AttributeWriter::PutText(std::uint16_t type, std::string_view text) {
  Bytes bytes(text.begin(), text.end());
  bytes.push_back(0);
  Put(type, bytes);
}

std::size_t AttributeWriter::Begin(std::uint16_t type) {
  Pad(out_);
  const std::size_t begun = out_.size();
  nlattr header{};
  header.nla_type = type;
  const ByteView view = ViewOf(header);
  out_.insert(out_.end(), view.begin(), view.end());
  return begun;
}

void AttributeWriter::End(std::size_t begun) {
  const auto length = static_cast<std::uint16_t>(out_.size() - begun);
  std::memcpy(out_.data() + begun, &length, sizeof(length));  // nla_len is the first field
  Pad(out_);
}

Result<AttributeReader> AttributeReader::Parse(ByteView bytes) {
  AttributeReader reader;
  while (!bytes.empty()) {
    nlattr header{};
    if (bytes.size() < sizeof(header)) {
      return Fail(ErrorCode::kInternal, "netlink: an attribute header is cut off");
    }
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > bytes.size()) {
      return Fail(ErrorCode::kInternal, "netlink: an attribute is longer than its message");
    }
    const auto type = static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK);
    reader.attributes_[type] = bytes.subspan(sizeof(header), header.nla_len - sizeof(header));
    const std::size_t step = NLA_ALIGN(std::size_t{header.nla_len});
    bytes = bytes.subspan(std::min(step, bytes.size()));
  }
  return reader;
}

std::optional<ByteView> AttributeReader::Get(std::uint16_t type) const {
  const auto found = attributes_.find(type);
  if (found == attributes_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint16_t> AttributeReader::U16(std::uint16_t type) const {
  return NumberOf<std::uint16_t>(Get(type));
}

std::optional<std::uint16_t> AttributeReader::U16Be(std::uint16_t type) const {
  const std::optional<ByteView> value = Get(type);
  if (!value || value->size() < 2) return std::nullopt;
  return static_cast<std::uint16_t>((*value)[0] << 8 | (*value)[1]);
}

std::optional<std::uint32_t> AttributeReader::U32(std::uint16_t type) const {
  return NumberOf<std::uint32_t>(Get(type));
}

std::optional<std::string> AttributeReader::Text(std::uint16_t type) const {
  const std::optional<ByteView> value = Get(type);
  if (!value) return std::nullopt;
  return std::string(value->begin(), std::find(value->begin(), value->end(), 0));
}

}  // namespace drover
