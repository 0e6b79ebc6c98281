// The texts in which firewalls list themselves: nft's ruleset and the saves of iptables and its
// kin. What of them says what they do, and what only counts.
//
// Pure. Running the tools is left to firewall_part.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// One table of `nft list ruleset`.
struct NftTable {
  std::string family;  // "ip", "inet"
  std::string name;
  std::string text;         // with "table ip filter {" and its end
  bool compatible = false;  // made by iptables-nft: nft shows it, but cannot read it again
  bool operator==(const NftTable&) const = default;
};

// Without what the daemon sets for moments only (net/pass_on): put back later, it would stay.
// `warnings` is what nft said beside it: it names there the tables that are iptables-nft's.
std::vector<NftTable> SplitRuleset(std::string_view listing, std::string_view warnings);

// Without the elements of sets that packets fill or time empties: they differ at every look.
std::string StableRules(const std::string& nft_text);
// Without comments (they hold the time) and counters.
std::string StableSave(const std::string& save_text);

// "filter", "nat" of "*filter" … "COMMIT".
std::vector<std::string> TablesOfSave(const std::string& save_text);
// A save that empties the tables that are in `now` and not in `before`, with every policy ACCEPT;
// empty when there are none. Put behind `before` it makes everything as before.
std::string EmptiedTables(const std::string& before, const std::string& now);

}  // namespace drover
