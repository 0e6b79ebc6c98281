#include "node-helper/fault/kernel_undo.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include "node-helper/fault/filter_rules.h"
#include "node-helper/net/netlink_attributes.h"
#include "node-helper/net/nft_batch.h"

namespace drover {

Result<std::unique_ptr<KernelUndo>> KernelUndo::Open() {
  const Result<int> fd = OpenNftSocket();
  if (!fd) return Fail(fd.error());
  Descriptor netfilter(*fd);
  auto route = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!route) return Fail(route.error());
  return std::unique_ptr<KernelUndo>(new KernelUndo(std::move(netfilter), std::move(*route)));
}

Status KernelUndo::RemoveTable(const std::string& family) {
  // A kernel without nftables has nothing of ours in it.
  if (!netfilter_.valid()) return {};
  const std::string name = std::string("table ") + family + " " + kFilterTable;
  Bytes table;
  AttributeWriter(table).PutText(NFTA_TABLE_NAME, kFilterTable);
  const std::uint32_t first = sequence_ + 1;
  NftBatch batch(first);
  batch.Add(NFT_MSG_DELTABLE, 0, family == "netdev" ? kNftNetdev : kNftInet, table);
  const Result<int> answer = SendNftBatch(netfilter_.get(), batch, first, name);
  sequence_ += batch.size();
  if (!answer) return Fail(answer.error());
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
