#include "node-helper/undo/firewall_part.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "node-helper/net/module_loader.h"
#include "node-helper/store/files.h"
#include "node-helper/undo/firewall_text.h"

namespace drover {
namespace {

using nlohmann::json;

// A tool of netfilter answers at once; one that hangs must not hold up the way back.
constexpr std::chrono::seconds kPatience{20};
// A million rules; what is larger is refused, not cut.
constexpr std::size_t kMaxRulesBytes = std::size_t{64} << 20;

// A pair of programs that save and restore tables.
struct SaveTool {
  const char* key;     // in what is remembered
  const char* family;  // of nft, for tables that are kept in nf_tables
  std::array<const char*, 2> save;
  std::array<const char*, 2> restore;  // by the name of the program that saved
  const char* in_use;                  // file that names tables when there are some
};

// Those that speak to nf_tables; where there is no other, the plain name is theirs.
constexpr std::array<SaveTool, 4> kNftTools = {{
    {"iptables-nft",
     "ip",
     {"iptables-nft-save", "iptables-save"},
     {"iptables-nft-restore", "iptables-restore"},
     ""},
    {"ip6tables-nft",
     "ip6",
     {"ip6tables-nft-save", "ip6tables-save"},
     {"ip6tables-nft-restore", "ip6tables-restore"},
     ""},
    {"arptables-nft",
     "arp",
     {"arptables-nft-save", "arptables-save"},
     {"arptables-nft-restore", "arptables-restore"},
     ""},
    {"ebtables-nft",
     "bridge",
     {"ebtables-nft-save", "ebtables-save"},
     {"ebtables-nft-restore", "ebtables-restore"},
     ""},
}};
// Those with tables of their own in the kernel.
constexpr std::array<SaveTool, 4> kLegacyTools = {{
    {"iptables",
     "",
     {"iptables-legacy-save", "iptables-save"},
     {"iptables-legacy-restore", "iptables-restore"},
     "/proc/net/ip_tables_names"},
    {"ip6tables",
     "",
     {"ip6tables-legacy-save", "ip6tables-save"},
     {"ip6tables-legacy-restore", "ip6tables-restore"},
     "/proc/net/ip6_tables_names"},
    {"arptables",
     "",
     {"arptables-legacy-save", "arptables-save"},
     {"arptables-legacy-restore", "arptables-restore"},
     "/proc/net/arp_tables_names"},
    {"ebtables",
     "",
     {"ebtables-legacy-save", "ebtables-save"},
     {"ebtables-legacy-restore", "ebtables-restore"},
     ""},
}};

// What the filters are, each in the words of its tool.
struct Rules {
  bool has_nft = false;           // nf_tables could be asked, or is not there and so has no rules
  std::string nft;                // tables that nft can read again
  std::set<std::string> foreign;  // "ip filter": tables of iptables-nft
  std::string unreadable;         // why nft could not read again what it said
  std::map<std::string, std::string> saves;  // by the key of their tool
};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string CountLines(const std::string& text) {
  const auto lines = std::count(text.begin(), text.end(), '\n');
  return lines == 1 ? "1 line" : std::to_string(lines) + " lines";
}

std::string ToText(const Rules& rules) {
  return json{{"has_nft", rules.has_nft},
              {"nft", rules.nft},
              {"foreign", rules.foreign},
              {"unreadable", rules.unreadable},
              {"saves", rules.saves}}
      .dump();
}

Result<Rules> FromText(const std::string& text) {
  try {
    const json read = json::parse(text);
    Rules rules;
    rules.has_nft = read.at("has_nft").get<bool>();
    rules.nft = read.at("nft").get<std::string>();
    rules.foreign = read.at("foreign").get<std::set<std::string>>();
    rules.unreadable = read.at("unreadable").get<std::string>();
    rules.saves = read.at("saves").get<std::map<std::string, std::string>>();
    return rules;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kInternal,
                std::string("what was remembered of the firewall cannot be read: ") + error.what());
  }
}

class FirewallPart : public UndoPart {
 public:
  FirewallPart(ProcessRunner run, std::string root)
      : run_(std::move(run)), root_(std::move(root)) {}

  [[nodiscard]] std::string name() const override { return "firewall"; }

  Result<std::string> Capture() override {
    auto rules = Look();
    if (!rules) return Fail(rules.error());
    if (!rules->nft.empty() && rules->unreadable.empty()) {
      // Said by nft, but maybe not to be told to it: better known now than when going back.
      const auto checked = Run({"nft", "-c", "-f", "-"}, "flush ruleset\n" + rules->nft);
      if (!checked) return Fail(checked.error().In("firewall"));
      if (checked->exit_code != 0) rules->unreadable = FirstLine(checked->stderr_text);
    }
    return ToText(*rules);
  }

  Status Restore(const std::string& captured, std::vector<ChangeText>& done) override {
    const auto before = FromText(captured);
    if (!before) return Fail(before.error());
    const auto now = Look();
    if (!now) return Fail(now.error());
    Status first = RestoreNft(*before, *now, done);
    const auto both = {&kNftTools, &kLegacyTools};
    for (const auto* tools : both) {
      for (const SaveTool& tool : *tools) {
        const Status restored = RestoreSave(tool, *before, *now, done);
        if (!restored && first) first = restored;
      }
    }
    return first;
  }

 private:
  Result<CommandOutcome> Run(std::vector<std::string> argv, std::string input = "") const {
    ProcessSpec spec;
    spec.argv = std::move(argv);
    spec.stdin_text = std::move(input);
    spec.timeout = kPatience;
    spec.environment = {{"LC_ALL", "C"}};
    spec.max_output = kMaxRulesBytes;
    auto outcome = run_(spec);
    if (!outcome) return Fail(outcome.error());
    if (outcome->timed_out) {
      return Fail(ErrorCode::kTimeout, spec.argv[0] + ": not done in time, ended");
    }
    if (outcome->command.truncated) {
      return Fail(ErrorCode::kInvalid, spec.argv[0] + ": more rules than can be remembered");
    }
    return std::move(outcome->command);
  }

  Result<Rules> Look() const {
    Rules rules;
    if (const Status nft = LookAtNft(rules); !nft) return Fail(nft.error());
    for (const SaveTool& tool : kLegacyTools) {
      if (!LegacyInUse(tool)) continue;
      const auto save = Save(tool, /*of_nft=*/false);
      if (!save) return Fail(save.error());
      if (save->has_value()) rules.saves[tool.key] = **save;
    }
    return rules;
  }

  Status LookAtNft(Rules& rules) const {
    rules.has_nft = true;
    // As a module that nobody loaded: nft would load it to say "nothing".
    if (!IsModuleLoaded("nf_tables", root_)) return {};
    const auto listed = Run({"nft", "-s", "list", "ruleset"});
    if (!listed && listed.error().code != ErrorCode::kNotFound) {
      return Fail(listed.error().In("firewall"));
    }
    // Without the tool, or with a kernel that has no nf_tables: only iptables-nft can say more.
    rules.has_nft = listed && listed->exit_code == 0;
    std::set<std::string> families;
    if (!listed) families = {"ip", "ip6"};
    std::vector<NftTable> tables;
    if (rules.has_nft) tables = SplitRuleset(listed->stdout_text, listed->stderr_text);
    for (const NftTable& table : tables) {
      if (table.compatible) families.insert(table.family);
    }
    for (const SaveTool& tool : kNftTools) {
      if (!families.contains(tool.family)) continue;
      const auto save = Save(tool, /*of_nft=*/true);
      if (!save) return Fail(save.error());
      if (save->has_value()) rules.saves[tool.key] = **save;
    }
    for (const NftTable& table : tables) {
      const std::string name = table.family + " " + table.name;
      if (table.compatible && SaveHolds(rules, table)) {
        rules.foreign.insert(name);
        continue;
      }
      rules.nft += table.text;
      // nft may even leave out matches that it has no extension for, and say something else.
      if (table.compatible) {
        rules.unreadable = "table " + name + " is of iptables-nft, whose " + table.family +
                           " tools are not on this node";
      }
    }
    return {};
  }

  static bool SaveHolds(const Rules& rules, const NftTable& table) {
    for (const SaveTool& tool : kNftTools) {
      const auto save = rules.saves.find(tool.key);
      if (table.family != tool.family || save == rules.saves.end()) continue;
      const auto names = TablesOfSave(save->second);
      return std::find(names.begin(), names.end(), table.name) != names.end();
    }
    return false;
  }

  [[nodiscard]] bool LegacyInUse(const SaveTool& tool) const {
    if (*tool.in_use != '\0') {
      const auto names = ReadWholeFile(root_ + tool.in_use);
      return names && !names->empty();
    }
    // ebtables has no such file, but a module for each table.
    const auto modules = ReadWholeFile(root_ + "/proc/modules");
    return modules && modules->find("ebtable_") != std::string::npos;
  }

  // Nothing when there is no such tool, or its plain name belongs to the other kind.
  Result<std::optional<std::string>> Save(const SaveTool& tool, bool of_nft) const {
    for (std::size_t i = 0; i < tool.save.size(); ++i) {
      const auto saved = Run({tool.save[i]});
      if (!saved && saved.error().code == ErrorCode::kNotFound) continue;
      if (!saved) return Fail(saved.error().In("firewall"));
      if (saved->exit_code != 0) {
        return Fail(ErrorCode::kInternal, std::string("firewall: ") + tool.save[i] + ": " +
                                              FirstLine(saved->stderr_text));
      }
      const std::string& text = saved->stdout_text;
      const bool is_nft = FirstLine(text).find("(nf_tables)") != std::string::npos ||
                          FirstLine(text).find("-nft-save") != std::string::npos ||
                          (i == 0 && of_nft);
      if (is_nft == of_nft) return std::optional(text);
    }
    return std::nullopt;
  }

  Status RestoreNft(const Rules& before, const Rules& now, std::vector<ChangeText>& done) const {
    if (!before.has_nft || !now.has_nft) return {};
    std::string script;
    for (const std::string& name : now.foreign) {
      if (!before.foreign.contains(name)) script += "delete table " + name + "\n";
    }
    if (StableRules(before.nft) != StableRules(now.nft)) {
      for (const NftTable& table : SplitRuleset(now.nft, "")) {
        script += "delete table " + table.family + " " + table.name + "\n";
      }
      script += before.nft;
    }
    if (script.empty()) return {};
    if (!before.unreadable.empty()) {
      return Fail(ErrorCode::kInvalid,
                  "firewall: the rules differ from before the run and stay so, because nft cannot "
                  "read its own listing of them: " +
                      before.unreadable);
    }
    const auto told = Run({"nft", "-f", "-"}, script);
    if (!told) return Fail(told.error().In("firewall"));
    if (told->exit_code != 0) {
      return Fail(ErrorCode::kInternal, "firewall: nft: " + FirstLine(told->stderr_text));
    }
    done.push_back({"change", "firewall rules of nft", CountLines(now.nft), CountLines(before.nft),
                    "differ from before the run"});
    return {};
  }

  Status RestoreSave(const SaveTool& tool, const Rules& before, const Rules& now,
                     std::vector<ChangeText>& done) const {
    const auto find = [&](const Rules& rules) {
      const auto found = rules.saves.find(tool.key);
      return found == rules.saves.end() ? std::string() : found->second;
    };
    const std::string was = find(before);
    const std::string is = find(now);
    if (StableSave(was) == StableSave(is)) return {};
    // Where nft is there, it took the tables that came away already.
    const bool by_nft = *tool.family != '\0' && now.has_nft;
    const std::string text = was + (by_nft ? "" : EmptiedTables(was, is));
    if (StableSave(text).empty()) return {};
    for (std::size_t i = 0; i < tool.restore.size(); ++i) {
      const auto told = Run({tool.restore[i]}, text);
      if (!told && told.error().code == ErrorCode::kNotFound) continue;
      if (!told) return Fail(told.error().In("firewall"));
      if (told->exit_code != 0) {
        return Fail(ErrorCode::kInternal, std::string("firewall: ") + tool.restore[i] + ": " +
                                              FirstLine(told->stderr_text));
      }
      done.push_back({"change", std::string("firewall rules of ") + tool.key, CountLines(is),
                      CountLines(was), "differ from before the run"});
      return {};
    }
    return Fail(ErrorCode::kNotFound, std::string("firewall: ") + tool.restore[0] +
                                          ": there is no such program any more, so its rules stay "
                                          "as the run left them");
  }

  ProcessRunner run_;
  std::string root_;
};

}  // namespace

std::unique_ptr<UndoPart> MakeFirewallPart(ProcessRunner run, std::string root) {
  return std::make_unique<FirewallPart>(std::move(run), std::move(root));
}

}  // namespace drover
