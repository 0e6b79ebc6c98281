// Messages for nftables, which takes changes only in batches: all of one or nothing.
//
// One thread at a time. What the messages say is left to others.
#pragma once

#include <cstdint>
#include <string>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"

namespace drover {

// Numbers of <linux/netfilter.h>, which does not go together with the C library's headers.
inline constexpr std::uint8_t kNftInet = 1;
inline constexpr std::uint8_t kNftArp = 3;
inline constexpr std::uint8_t kNftNetdev = 5;

class NftBatch {
 public:
  // `first` numbers its messages.
  explicit NftBatch(std::uint32_t first);

  // `message` is NFT_MSG_…, `flags` NLM_F_….
  void Add(std::uint16_t message, std::uint16_t flags, std::uint8_t family,
           const Bytes& attributes);
  // The whole; the kernel acknowledges the last message, or says of which it refuses.
  Bytes Finish();
  // How many numbers it has used up.
  [[nodiscard]] std::uint32_t size() const { return next_ - first_; }

 private:
  void Append(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource,
              const Bytes& attributes);

  Bytes bytes_;
  std::size_t last_ = 0;  // where the last message begins
  std::uint32_t first_;
  std::uint32_t next_;
};

// A message that asks nftables (not in a batch): its payload behind the netlink header.
Bytes NftPayload(std::uint8_t family, const Bytes& attributes);

// The kernel's errno, 0 when it took all. An error is a failure of the transport. `fd` is a socket
// of NETLINK_NETFILTER; `name` is for the message.
Result<int> SendNftBatch(int fd, NftBatch& batch, std::uint32_t first, const std::string& name);

// A bound socket; -1 when this kernel has none of netfilter.
Result<int> OpenNftSocket();
// The same where there must be one.
Result<int> NeedNftSocket();

}  // namespace drover
