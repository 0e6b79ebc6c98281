#include "node-helper/net/nft_batch.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace drover {
namespace {

// It may load modules first.
constexpr int kPatienceMs = 10000;

nfgenmsg Generic(std::uint8_t family, std::uint16_t resource) {
  nfgenmsg generic{};
  generic.nfgen_family = family;
  generic.version = NFNETLINK_V0;
  generic.res_id = htons(resource);
  return generic;
}

// The kernel's errno for one of the messages from `first` on; an error when it does not answer.
Result<int> AnswerTo(int fd, std::uint32_t first, const std::string& name) {
  alignas(nlmsghdr) std::array<char, 16384> buffer;
  pollfd waiting{fd, POLLIN, 0};
  while (::poll(&waiting, 1, kPatienceMs) > 0) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    auto left = static_cast<unsigned>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq < first) continue;
      nlmsgerr error{};
      std::memcpy(&error, NLMSG_DATA(message), sizeof error);
      return -error.error;
    }
  }
  return Fail(ErrorCode::kTimeout, name + ": the kernel gives no answer");
}

}  // namespace

NftBatch::NftBatch(std::uint32_t first) : first_(first), next_(first) {
  Append(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, {});
}

void NftBatch::Append(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                      std::uint16_t resource, const Bytes& attributes) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(nfgenmsg)) + attributes.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = next_++;
  const nfgenmsg generic = Generic(family, resource);
  const auto* head = reinterpret_cast<const std::uint8_t*>(&header);
  const auto* body = reinterpret_cast<const std::uint8_t*>(&generic);
  last_ = bytes_.size();
  bytes_.insert(bytes_.end(), head, head + sizeof header);
  bytes_.insert(bytes_.end(), body, body + sizeof generic);
  bytes_.insert(bytes_.end(), attributes.begin(), attributes.end());
  bytes_.resize((bytes_.size() + 3) / 4 * 4);
}

void NftBatch::Add(std::uint16_t message, std::uint16_t flags, std::uint8_t family,
                   const Bytes& attributes) {
  Append(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags, family, 0,
         attributes);
}

Bytes NftBatch::Finish() {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data() + last_, sizeof header);
  header.nlmsg_flags |= NLM_F_ACK;
  std::memcpy(bytes_.data() + last_, &header, sizeof header);
  Append(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, {});
  return bytes_;
}

Bytes NftPayload(std::uint8_t family, const Bytes& attributes) {
  const nfgenmsg generic = Generic(family, 0);
  const auto* body = reinterpret_cast<const std::uint8_t*>(&generic);
  Bytes bytes(body, body + sizeof generic);
  bytes.insert(bytes.end(), attributes.begin(), attributes.end());
  return bytes;
}

Result<int> SendNftBatch(int fd, NftBatch& batch, std::uint32_t first, const std::string& name) {
  const Bytes bytes = batch.Finish();
  if (::send(fd, bytes.data(), bytes.size(), 0) < 0) return Fail(ErrnoError(errno, name));
  return AnswerTo(fd, first, name);
}

Result<int> OpenNftSocket() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -1;
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return Fail(ErrnoError(error, "netlink of netfilter"));
}

Result<int> NeedNftSocket() {
  const Result<int> fd = OpenNftSocket();
  if (fd && *fd < 0) return Fail(ErrorCode::kInvalid, "this kernel has no netfilter");
  return fd;
}

}  // namespace drover
