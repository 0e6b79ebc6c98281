#include "node-helper/net/nft_tables.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "node-helper/net/module_loader.h"
#include "node-helper/net/nft_batch.h"

namespace drover {
namespace {

constexpr std::uint16_t kGetRule = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;

}  // namespace

NftTables::NftTables() = default;
NftTables::~NftTables() {
  if (changing_ >= 0) ::close(changing_);
}
NftTables::NftTables(NftTables&& other) noexcept
    : asking_(std::move(other.asking_)),
      changing_(std::exchange(other.changing_, -1)),
      loaded_(other.loaded_),
      sequence_(other.sequence_) {}

Status NftTables::Open() {
  if (!asking_) {
    auto socket = NetlinkSocket::Open(NETLINK_NETFILTER);
    if (!socket) return Fail(socket.error());
    asking_ = std::move(*socket);
  }
  if (changing_ >= 0) return {};
  const Result<int> fd = NeedNftSocket();
  if (!fd) return Fail(fd.error());
  changing_ = *fd;
  return {};
}

Result<std::vector<ListedRule>> NftTables::ListRules() {
  std::vector<ListedRule> rules;
  for (const std::uint8_t family : {kNftArp, kNftInet}) {
    const auto messages = asking_->List(kGetRule, NftPayload(family, EncodeNftTable()));
    if (!messages) return Fail(messages.error().In("rules of nftables"));
    for (const Bytes& message : *messages) {
      const auto rule = DecodeNftRule(message);
      if (!rule) return Fail(rule.error());
      if (rule->has_value()) rules.push_back(**rule);
    }
  }
  return rules;
}

Result<std::vector<PathPart>> NftTables::List() {
  loaded_ = loaded_ || IsModuleLoaded("nf_tables");
  if (!loaded_) return std::vector<PathPart>();
  if (const Status open = Open(); !open) return std::vector<PathPart>();
  const auto rules = ListRules();
  if (!rules) return Fail(rules.error());
  return WholeParts(*rules);
}

Status NftTables::Send(NftBatch& batch, const PathPart& part) {
  const std::uint32_t first = sequence_;
  const Result<int> answer = SendNftBatch(changing_, batch, first, NameOf(part));
  sequence_ += batch.size();
  if (!answer) return Fail(answer.error());
  if (*answer == 0) return {};
  if (*answer == EOPNOTSUPP || *answer == EPROTONOSUPPORT || *answer == EINVAL) {
    return Fail(ErrorCode::kInvalid, NameOf(part) +
                                         ": this kernel's nftables cannot do it (it needs "
                                         "nf_tables with the families arp and inet)");
  }
  return Fail(ErrnoError(*answer, NameOf(part)));
}

Status NftTables::Put(const PathPart& part) {
  if (const Status open = Open(); !open) return Fail(open.error().In(NameOf(part)));
  const auto listed = ListRules();
  if (!listed) return Fail(listed.error());
  NftBatch batch(sequence_);
  const std::vector<NftRule> rules = RulesOf(part);
  for (const NftRule& rule : rules) {  // adding a table or chain that is there changes nothing
    batch.Add(NFT_MSG_NEWTABLE, NLM_F_CREATE, rule.chain.family, EncodeNftTable());
    batch.Add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, rule.chain.family, EncodeNftChain(rule.chain));
  }
  for (const ListedRule& rule : *listed) {
    if (!IsOf(rule.comment, NameOf(part))) continue;
    batch.Add(NFT_MSG_DELRULE, 0, rule.family, EncodeNftRuleRemoval(rule));
  }
  for (const NftRule& rule : rules) {
    batch.Add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, rule.chain.family, EncodeNftRule(rule));
  }
  return Send(batch, part);
}

Status NftTables::Remove(const PathPart& part) {
  if (const Status open = Open(); !open) return Fail(open.error().In(NameOf(part)));
  const auto listed = ListRules();
  if (!listed) return Fail(listed.error());
  NftBatch batch(sequence_);
  std::set<std::uint8_t> families;
  std::set<std::uint8_t> staying;
  for (const ListedRule& rule : *listed) {
    (IsOf(rule.comment, NameOf(part)) ? families : staying).insert(rule.family);
  }
  if (families.empty()) return Fail(ErrorCode::kNotFound, NameOf(part) + ": it is not there");
  for (const ListedRule& rule : *listed) {
    if (!IsOf(rule.comment, NameOf(part)) || !staying.contains(rule.family)) continue;
    batch.Add(NFT_MSG_DELRULE, 0, rule.family, EncodeNftRuleRemoval(rule));
  }
  for (const std::uint8_t family : families) {
    if (!staying.contains(family)) batch.Add(NFT_MSG_DELTABLE, 0, family, EncodeNftTable());
  }
  return Send(batch, part);
}

}  // namespace drover
