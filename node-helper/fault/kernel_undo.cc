#include "node-helper/fault/kernel_undo.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "node-helper/fault/filter_rules.h"
#include "node-helper/net/netlink_attributes.h"

namespace drover {
namespace {

constexpr int kPatienceMs = 2000;
// <linux/netfilter.h> and the C library's headers do not go together.
constexpr std::uint8_t kFamilyInet = 1;
constexpr std::uint8_t kFamilyNetdev = 5;
constexpr std::uint16_t kDeleteTable = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE;

void AppendMessage(Bytes& out, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                   std::uint8_t family, std::uint16_t resource, const Bytes& attributes) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(nfgenmsg)) + attributes.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  nfgenmsg generic{};
  generic.nfgen_family = family;
  generic.version = NFNETLINK_V0;
  generic.res_id = htons(resource);
  const auto* head = reinterpret_cast<const std::uint8_t*>(&header);
  const auto* body = reinterpret_cast<const std::uint8_t*>(&generic);
  out.insert(out.end(), head, head + sizeof header);
  out.insert(out.end(), body, body + sizeof generic);
  out.insert(out.end(), attributes.begin(), attributes.end());
  out.resize((out.size() + 3) / 4 * 4);
}

// nftables takes changes only between these two.
Bytes DeleteTableBatch(std::uint8_t family, std::uint32_t sequence) {
  Bytes name;
  AttributeWriter(name).PutText(NFTA_TABLE_NAME, kFilterTable);
  Bytes batch;
  AppendMessage(batch, NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, sequence, AF_UNSPEC,
                NFNL_SUBSYS_NFTABLES, {});
  AppendMessage(batch, kDeleteTable, NLM_F_REQUEST | NLM_F_ACK, sequence + 1, family, 0, name);
  AppendMessage(batch, NFNL_MSG_BATCH_END, NLM_F_REQUEST, sequence + 2, AF_UNSPEC,
                NFNL_SUBSYS_NFTABLES, {});
  return batch;
}

// The kernel's errno for one of the messages from `first` on; nothing: it did not answer.
std::optional<int> AnswerTo(int fd, std::uint32_t first) {
  alignas(nlmsghdr) std::array<char, 8192> buffer;
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
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<KernelUndo>> KernelUndo::Open() {
  Descriptor netfilter(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  // A kernel without nftables has nothing of ours in it.
  if (netfilter.valid() &&
      ::bind(netfilter.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    return Fail(ErrnoError(errno, "netlink of netfilter"));
  }
  auto route = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!route) return Fail(route.error());
  return std::unique_ptr<KernelUndo>(new KernelUndo(std::move(netfilter), std::move(*route)));
}

Status KernelUndo::RemoveTable(const std::string& family) {
  if (!netfilter_.valid()) return {};
  const std::string name = std::string("table ") + family + " " + kFilterTable;
  const std::uint8_t number = family == "netdev" ? kFamilyNetdev : kFamilyInet;
  const std::uint32_t first = sequence_ + 1;
  sequence_ += 3;
  const Bytes batch = DeleteTableBatch(number, first);
  if (::send(netfilter_.get(), batch.data(), batch.size(), 0) < 0) {
    return Fail(ErrnoError(errno, name));
  }
  const auto answer = AnswerTo(netfilter_.get(), first);
  if (!answer) return Fail(ErrorCode::kTimeout, name + ": the kernel gives no answer");
  // Without the module of nftables, or of the family, there can be no table.
  if (*answer == 0 || *answer == ENOENT || *answer == EOPNOTSUPP || *answer == EINVAL) return {};
  return Fail(ErrnoError(*answer, name));
}

Status KernelUndo::RemoveQdisc(const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return {};
  tcmsg message{};
  message.tcm_family = AF_UNSPEC;
  message.tcm_ifindex = static_cast<int>(index);
  message.tcm_parent = TC_H_ROOT;
  message.tcm_handle = kDelayHandle << 16;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
  const auto verdict = route_->Request(RTM_DELQDISC, 0, Bytes(bytes, bytes + sizeof message));
  if (!verdict) return Fail(verdict.error());
  // Another handle, or the default one: not ours.
  const int error = verdict->error_number;
  if (verdict->ok() || error == ENOENT || error == EINVAL || error == ENODEV) return {};
  return Fail(ErrorCode::kInternal, "qdisc of " + interface + ": " + verdict->Reason());
}

}  // namespace drover
