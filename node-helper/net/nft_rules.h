// Filters of ARP and firewall marks as rules of nftables: what rules a part is made of, and whether
// rules that the kernel lists are those.
//
// Pure. Sending is left to nft_tables. All rules live in tables of one name, which belong to nobody
// else; each tells in its comment, which nft shows, what part it is of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

inline constexpr const char* kNftTable = "drover";

// A base chain of our tables.
struct NftChain {
  std::uint8_t family = 0;  // kNftArp, kNftInet
  const char* name = "";
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  bool operator==(const NftChain&) const = default;
};

// One rule: where it stands, and NFTA_RULE_EXPRESSIONS of it.
struct NftRule {
  NftChain chain;
  Bytes expressions;
  std::string comment;  // "arp filter 10.0.0.100 asks as 10.0.0.21"
};

// One rule as the kernel lists it.
struct ListedRule {
  std::uint8_t family = 0;
  std::string chain;
  std::uint64_t handle = 0;
  Bytes expressions;
  std::string comment;
};

// Empty for parts that are no rules of nftables.
std::vector<NftRule> RulesOf(const PathPart& part);
// The part that such a comment tells of.
std::optional<PathPart> PartOfComment(std::string_view comment);
// What of the parts is whole: every rule is there, in its chain, and does what it should.
std::vector<PathPart> WholeParts(const std::vector<ListedRule>& rules);
// True when `comment` tells of a part of this name.
bool IsOf(std::string_view comment, std::string_view name);

// Attributes of NFT_MSG_NEWTABLE or DELTABLE, NEWCHAIN, NEWRULE, DELRULE and GETRULE.
Bytes EncodeNftTable(const char* table = kNftTable);
Bytes EncodeNftChain(const NftChain& chain, const char* table = kNftTable);
Bytes EncodeNftRule(const NftRule& rule, const char* table = kNftTable);
Bytes EncodeNftRuleRemoval(const ListedRule& rule);
// Nothing for rules of other tables. `payload` begins with nfgenmsg.
Result<std::optional<ListedRule>> DecodeNftRule(ByteView payload);

}  // namespace drover
