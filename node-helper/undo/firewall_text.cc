#include "node-helper/undo/firewall_text.h"

#include <algorithm>
#include <sstream>

#include "node-helper/net/pass_on.h"

namespace drover {
namespace {

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// "ip filter" of "table ip filter is managed by iptables-nft".
std::set<std::string> NamedInWarnings(std::string_view text) {
  std::set<std::string> names;
  for (const std::string& line : LinesOf(text)) {
    const std::size_t at = line.find("table ");
    const std::size_t end = line.find(" is managed by iptables-nft");
    if (line.starts_with("#") && at != std::string::npos && end != std::string::npos && at < end) {
      names.insert(line.substr(at + 6, end - at - 6));
    }
  }
  return names;
}

bool Mentions(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

// The lines of one set or map, without its elements when they come and go by themselves.
void AppendSet(const std::vector<std::string>& set, std::vector<std::string>& out) {
  const bool moving = std::any_of(set.begin(), set.end(), [](const std::string& line) {
    return Mentions(line, "\tflags ") && (Mentions(line, "dynamic") || Mentions(line, "timeout"));
  });
  bool inside = false;
  for (const std::string& line : set) {
    if (moving && Mentions(line, "\telements = {")) inside = true;
    if (!inside) out.push_back(line);
    if (inside && Mentions(line, "}")) inside = false;
  }
}

bool OpensSet(const std::string& line) {
  return (line.starts_with("\tset ") || line.starts_with("\tmap ") ||
          line.starts_with("\tmeter ")) &&
         line.ends_with("{");
}

}  // namespace

std::vector<NftTable> SplitRuleset(std::string_view listing, std::string_view warnings) {
  std::set<std::string> compatible = NamedInWarnings(warnings);
  compatible.merge(NamedInWarnings(listing));
  std::vector<NftTable> tables;
  bool inside = false;
  for (const std::string& line : LinesOf(listing)) {
    if (!inside && line.starts_with("table ") && line.ends_with("{")) {
      std::istringstream words(line);
      std::string word;
      NftTable table;
      words >> word >> table.family >> table.name;
      table.compatible = compatible.contains(table.family + " " + table.name);
      tables.push_back(std::move(table));
      inside = true;
    }
    if (!inside) continue;
    NftTable& table = tables.back();
    table.text += line + "\n";
    table.compatible |= Mentions(line, "\txt match ") || Mentions(line, " xt match ") ||
                        Mentions(line, "\txt target ") || Mentions(line, " xt target ");
    if (line == "}") inside = false;
  }
  std::erase_if(tables, [](const NftTable& table) { return table.name == kPassOnTable; });
  return tables;
}

std::string StableRules(const std::string& nft_text) {
  std::vector<std::string> kept;
  std::vector<std::string> set;
  for (const std::string& line : LinesOf(nft_text)) {
    if (set.empty() && !OpensSet(line)) {
      kept.push_back(line);
      continue;
    }
    set.push_back(line);
    if (line != "\t}") continue;
    AppendSet(set, kept);
    set.clear();
  }
  kept.insert(kept.end(), set.begin(), set.end());
  return Joined(kept);
}

std::string StableSave(const std::string& save_text) {
  std::vector<std::string> kept;
  for (std::string line : LinesOf(save_text)) {
    if (line.empty() || line.front() == '#') continue;
    // ":INPUT ACCEPT [12:345]" and, with counters, "[12:345] -A INPUT …".
    if (const std::size_t counters = line.find(" ["); line.front() == ':') {
      line.resize(std::min(counters, line.size()));
    } else if (line.front() == '[') {
      const std::size_t end = line.find("] ");
      if (end != std::string::npos) line.erase(0, end + 2);
    }
    kept.push_back(std::move(line));
  }
  return Joined(kept);
}

std::vector<std::string> TablesOfSave(const std::string& save_text) {
  std::vector<std::string> tables;
  for (const std::string& line : LinesOf(save_text)) {
    if (line.starts_with("*")) tables.push_back(line.substr(1));
  }
  return tables;
}

std::string EmptiedTables(const std::string& before, const std::string& now) {
  const std::vector<std::string> kept = TablesOfSave(before);
  std::string text;
  bool emptied = false;
  for (const std::string& line : LinesOf(now)) {
    if (line.starts_with("*")) {
      emptied = std::find(kept.begin(), kept.end(), line.substr(1)) == kept.end();
    }
    if (!emptied) continue;
    if (line.starts_with("*") || line == "COMMIT") text += line + "\n";
    // A chain of the user's has "-" for a policy, and goes by not being named.
    std::istringstream words(line);
    std::string chain;
    std::string policy;
    words >> chain >> policy;
    if (chain.starts_with(":") && policy != "-") text += chain + " ACCEPT\n";
  }
  return text;
}

}  // namespace drover
