#include "node-helper/net/pass_on.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "node-helper/net/module_loader.h"
#include "node-helper/net/nft_batch.h"
#include "node-helper/net/nft_expressions.h"
#include "node-helper/net/nft_rules.h"

namespace drover {
namespace {

// <linux/netfilter.h>; ip_vs_in_hook has the priority 99 there (NF_IP_PRI_NAT_SRC - 1).
constexpr std::uint32_t kLocalIn = 1;
constexpr std::int32_t kBehindIpvs = 150;
constexpr std::uint32_t kTcpFlags = 13;  // RFC 9293, section 3.1
constexpr std::uint8_t kSyn = 0x02;

NftChain ChainOf(Family family) {
  return {family == Family::kIpv4 ? kNftIpv4 : kNftIpv6, "input", kLocalIn, kBehindIpvs};
}

// Who begins a connection is not passed on: the scheduler takes it.
std::vector<NftRule> RulesOf(const PassedOn& passed, std::uint32_t index) {
  const NftChain chain = ChainOf(passed.to.family());
  Expressions ours;
  ours.ComesFor(passed.traffic).HasSocket().Verdict(kNftAccept);
  Expressions theirs;
  theirs.ComesFor(passed.traffic)
      .Load(NFT_PAYLOAD_TRANSPORT_HEADER, kTcpFlags, 1)
      .Mask({kSyn})
      .Is({0})
      .CopyTo(passed.to, index)
      .Verdict(kNftDrop);
  return {{chain, ours.bytes(), "a socket of this node"},
          {chain, theirs.bytes(), "unknown here, known to " + passed.to.ToString()}};
}

Status Add(NftBatch& batch, const std::vector<PassedOn>& all) {
  for (const PassedOn& passed : all) {
    const std::uint32_t index = ::if_nametoindex(passed.interface.c_str());
    if (index == 0) return Fail(ErrnoError(errno, "interface " + passed.interface));
    for (const NftRule& rule : RulesOf(passed, index)) {
      batch.Add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, rule.chain.family,
                EncodeNftChain(rule.chain, kPassOnTable));
      batch.Add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, rule.chain.family,
                EncodeNftRule(rule, kPassOnTable));
    }
  }
  return {};
}

}  // namespace

Status PassOn(const std::vector<PassedOn>& all) {
  if (all.empty() && !IsModuleLoaded("nf_tables")) return {};  // so there is no table
  const Result<int> fd = NeedNftSocket();
  if (!fd) return Fail(fd.error());
  NftBatch batch(1);
  for (const std::uint8_t family : {kNftIpv4, kNftIpv6}) {
    // What is not there cannot be removed; so it is made first.
    batch.Add(NFT_MSG_NEWTABLE, NLM_F_CREATE, family, EncodeNftTable(kPassOnTable));
    batch.Add(NFT_MSG_DELTABLE, 0, family, EncodeNftTable(kPassOnTable));
    const auto is_of = [family](const PassedOn& passed) {
      return ChainOf(passed.to.family()).family == family;
    };
    if (std::any_of(all.begin(), all.end(), is_of)) {
      batch.Add(NFT_MSG_NEWTABLE, NLM_F_CREATE, family, EncodeNftTable(kPassOnTable));
    }
  }
  Result<int> answer = 0;
  const Status added = Add(batch, all);
  if (added) answer = SendNftBatch(*fd, batch, 1, kPassOnTable);
  ::close(*fd);
  if (!added) return added;
  if (!answer) return Fail(answer.error());
  if (*answer == 0) return {};
  if (*answer == ENOENT || *answer == EOPNOTSUPP || *answer == EPROTONOSUPPORT) {
    return Fail(ErrorCode::kInvalid,
                "this kernel's nftables cannot pass segments on (it needs nft_dup_ipv4, "
                "nft_dup_ipv6 and nft_socket)");
  }
  return Fail(ErrnoError(*answer, kPassOnTable));
}

}  // namespace drover
