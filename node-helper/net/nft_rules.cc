#include "node-helper/net/nft_rules.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>

#include "node-helper/net/nft_batch.h"
#include "node-helper/net/nft_expressions.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

// <linux/netfilter.h>, <linux/netfilter_arp.h>, <linux/netfilter_ipv4.h>.
constexpr std::uint32_t kArpIn = 0;
constexpr std::uint32_t kArpOut = 1;
constexpr std::uint32_t kPrerouting = 0;
constexpr std::int32_t kFilterPriority = 0;
constexpr std::int32_t kManglePriority = -150;
// An ARP packet of Ethernet and IPv4 (RFC 826).
constexpr std::uint32_t kArpSender = 14;
constexpr std::uint32_t kArpTarget = 24;
constexpr std::uint32_t kEthernetSource = 6;
constexpr std::uint16_t kEthernet = 1;  // ARPHRD_ETHER
// libnftnl's TLV of a rule's comment (NFTNL_UDATA_RULE_COMMENT).
constexpr std::uint8_t kCommentTag = 0;

constexpr NftChain kInput = {kNftArp, "input", kArpIn, kFilterPriority};
constexpr NftChain kOutput = {kNftArp, "output", kArpOut, kFilterPriority};
constexpr NftChain kMarks = {kNftInet, "prerouting", kPrerouting, kManglePriority};

constexpr std::uint32_t kNetwork = NFT_PAYLOAD_NETWORK_HEADER;

std::string CommentOf(const PathPart& part) { return NameOf(part) + " " + Summary(part); }

std::vector<NftRule> RulesOfFilter(const ArpFilter& filter) {
  const std::string comment = CommentOf(filter);
  const Bytes address = BytesOf(filter.address);
  return {
      {kInput, Expressions().Load(kNetwork, kArpTarget, 4).Is(address).Verdict(kNftDrop).bytes(),
       comment},
      {kOutput,
       Expressions()
           .Load(kNetwork, kArpSender, 4)
           .Is(address)
           .Set(BytesOf(filter.sender))
           .Store(kNetwork, kArpSender, 4)
           .bytes(),
       comment}};
}

std::vector<NftRule> RulesOfMark(const PacketMark& mark) {
  const IpAddress& address = mark.traffic.address;
  Expressions rule;
  if (!mark.except_from.empty()) rule.LoadMeta(NFT_META_IIFTYPE).Is(HostOrder(kEthernet));
  for (const MacAddress& mac : mark.except_from) {
    rule.Load(NFT_PAYLOAD_LL_HEADER, kEthernetSource, static_cast<std::uint32_t>(mac.size()))
        .IsNot({mac.begin(), mac.end()});
  }
  rule.LoadMeta(NFT_META_NFPROTO)
      .Is({address.is_v4() ? kNftIpv4 : kNftIpv6})
      .ComesFor(mark.traffic)
      .Set(HostOrder(mark.mark))
      .StoreMeta(NFT_META_MARK);
  return {{kMarks, rule.bytes(), CommentOf(mark)}};
}

// Every attribute of `wanted` is in `listed`, whatever else the kernel adds.
bool Holds(ByteView listed, ByteView wanted) {
  if (std::equal(listed.begin(), listed.end(), wanted.begin(), wanted.end())) return true;
  const auto want = AttributeReader::Parse(wanted);
  const auto have = AttributeReader::Parse(listed);
  if (!want || !have || want->all().empty()) return false;
  return std::all_of(want->all().begin(), want->all().end(), [&](const auto& attribute) {
    const auto value = have->Get(attribute.first);
    return value && Holds(*value, attribute.second);
  });
}

// The elements of a list, which all have one type.
std::vector<ByteView> Elements(ByteView list) {
  std::vector<ByteView> elements;
  while (list.size() >= 4) {
    std::uint16_t length = 0;
    std::memcpy(&length, list.data(), sizeof length);
    if (length < 4 || length > list.size()) return {};
    elements.push_back(list.subspan(4, length - 4U));
    list = list.subspan(std::min<std::size_t>((length + 3U) & ~3U, list.size()));
  }
  return elements;
}

bool SameExpressions(ByteView listed, ByteView wanted) {
  const std::vector<ByteView> have = Elements(listed);
  const std::vector<ByteView> want = Elements(wanted);
  return have.size() == want.size() && std::equal(have.begin(), have.end(), want.begin(), Holds);
}

std::string CommentOf(ByteView userdata) {
  while (userdata.size() >= 2) {
    const std::size_t length = userdata[1];
    if (length > userdata.size() - 2) return "";
    if (userdata[0] == kCommentTag) {
      const ByteView text = userdata.subspan(2, length);
      return {text.begin(), std::find(text.begin(), text.end(), 0)};
    }
    userdata = userdata.subspan(2 + length);
  }
  return "";
}

// Cuts the text behind `start`, when it begins so.
bool Cut(std::string_view& text, std::string_view start) {
  if (text.substr(0, start.size()) != start) return false;
  text.remove_prefix(start.size());
  return true;
}

std::string_view CutWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

std::optional<PathPart> FilterOfComment(std::string_view text) {
  const auto address = IpAddress::Parse(CutWord(text));
  if (!address || !Cut(text, "asks as ")) return std::nullopt;
  const auto sender = IpAddress::Parse(text);
  if (!sender) return std::nullopt;
  return ArpFilter{*address, *sender};
}

std::optional<PathPart> MarkOfComment(std::string_view text) {
  const auto transport = ParseTransport(CutWord(text));
  const auto endpoint = Endpoint::Parse(CutWord(text));
  if (!transport || !endpoint || !Cut(text, "fwmark ")) return std::nullopt;
  std::uint32_t mark = 0;
  for (const char digit : CutWord(text)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    mark = mark * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  std::vector<MacAddress> exceptions;
  if (!text.empty() && !Cut(text, "not from ")) return std::nullopt;
  while (!text.empty()) {
    const auto mac = ParseMac(CutWord(text));
    if (!mac) return std::nullopt;
    exceptions.push_back(*mac);
  }
  return PacketMark{{*transport, endpoint->address, endpoint->port}, mark, std::move(exceptions)};
}

}  // namespace

std::vector<NftRule> RulesOf(const PathPart& part) {
  if (const auto* filter = std::get_if<ArpFilter>(&part)) return RulesOfFilter(*filter);
  if (const auto* mark = std::get_if<PacketMark>(&part)) return RulesOfMark(*mark);
  return {};
}

std::optional<PathPart> PartOfComment(std::string_view comment) {
  std::optional<PathPart> part;
  if (Cut(comment, "arp filter ")) {
    part = FilterOfComment(comment);
  } else if (Cut(comment, "mark ")) {
    part = MarkOfComment(comment);
  }
  return part && ValidatePathPart(*part) ? part : std::nullopt;
}

bool IsOf(std::string_view comment, std::string_view name) {
  return Cut(comment, name) && (comment.empty() || comment[0] == ' ');
}

std::vector<PathPart> WholeParts(const std::vector<ListedRule>& rules) {
  std::map<std::string, std::vector<const ListedRule*>> by_comment;
  for (const ListedRule& rule : rules) by_comment[rule.comment].push_back(&rule);
  std::vector<PathPart> whole;
  for (const auto& [comment, listed] : by_comment) {
    const auto part = PartOfComment(comment);
    if (!part) continue;
    const std::vector<NftRule> wanted = RulesOf(*part);
    const bool all = wanted.size() == listed.size() &&
                     std::all_of(wanted.begin(), wanted.end(), [&](const NftRule& want) {
                       return std::any_of(listed.begin(), listed.end(), [&](const auto* have) {
                         return have->family == want.chain.family &&
                                have->chain == want.chain.name &&
                                SameExpressions(have->expressions, want.expressions);
                       });
                     });
    if (all) whole.push_back(*part);
  }
  return whole;
}

Bytes EncodeNftTable(const char* table) {
  Bytes bytes;
  AttributeWriter(bytes).PutText(NFTA_TABLE_NAME, table);
  return bytes;
}

Bytes EncodeNftChain(const NftChain& chain, const char* table) {
  Bytes bytes;
  AttributeWriter writer(bytes);
  writer.PutText(NFTA_CHAIN_TABLE, table);
  writer.PutText(NFTA_CHAIN_NAME, chain.name);
  const std::size_t hook = writer.Begin(NFTA_CHAIN_HOOK);
  writer.Put(NFTA_HOOK_HOOKNUM, Be32(chain.hook));
  writer.Put(NFTA_HOOK_PRIORITY, Be32(static_cast<std::uint32_t>(chain.priority)));
  writer.End(hook);
  writer.PutText(NFTA_CHAIN_TYPE, "filter");
  return bytes;
}

Bytes EncodeNftRule(const NftRule& rule, const char* table) {
  Bytes bytes;
  AttributeWriter writer(bytes);
  writer.PutText(NFTA_RULE_TABLE, table);
  writer.PutText(NFTA_RULE_CHAIN, rule.chain.name);
  writer.Put(NFTA_RULE_EXPRESSIONS, rule.expressions);
  Bytes comment = {kCommentTag, static_cast<std::uint8_t>(rule.comment.size() + 1)};
  comment.insert(comment.end(), rule.comment.begin(), rule.comment.end());
  comment.push_back(0);
  writer.Put(NFTA_RULE_USERDATA, comment);
  return bytes;
}

Bytes EncodeNftRuleRemoval(const ListedRule& rule) {
  Bytes bytes;
  AttributeWriter writer(bytes);
  writer.PutText(NFTA_RULE_TABLE, kNftTable);
  writer.PutText(NFTA_RULE_CHAIN, rule.chain);
  Bytes handle = Be32(static_cast<std::uint32_t>(rule.handle >> 32));
  const Bytes low = Be32(static_cast<std::uint32_t>(rule.handle));
  handle.insert(handle.end(), low.begin(), low.end());
  writer.Put(NFTA_RULE_HANDLE, handle);
  return bytes;
}

Result<std::optional<ListedRule>> DecodeNftRule(ByteView payload) {
  if (payload.size() < sizeof(nfgenmsg)) {
    return Fail(ErrorCode::kInternal, "nftables: a message is cut off");
  }
  const auto attributes = AttributeReader::Parse(payload.subspan(sizeof(nfgenmsg)));
  if (!attributes) return Fail(attributes.error().In("nftables"));
  if (attributes->Text(NFTA_RULE_TABLE) != kNftTable) return std::nullopt;
  ListedRule rule;
  rule.family = payload[0];
  rule.chain = attributes->Text(NFTA_RULE_CHAIN).value_or("");
  for (const std::uint8_t byte : attributes->Get(NFTA_RULE_HANDLE).value_or(ByteView())) {
    rule.handle = rule.handle << 8 | byte;
  }
  const ByteView expressions = attributes->Get(NFTA_RULE_EXPRESSIONS).value_or(ByteView());
  rule.expressions.assign(expressions.begin(), expressions.end());
  rule.comment = CommentOf(attributes->Get(NFTA_RULE_USERDATA).value_or(ByteView()));
  return rule;
}

}  // namespace drover
