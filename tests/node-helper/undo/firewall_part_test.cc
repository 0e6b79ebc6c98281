// The firewall of a network of its own, with this machine's nft; iptables and its kin are played by
// a fake that keeps tables.

#include "node-helper/undo/firewall_part.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "tests/node-helper/store/temp_folder.h"
#include "tests/node-helper/undo/own_network.h"

namespace drover {
namespace {

std::vector<std::string> Restore(UndoPart& part, const std::string& captured) {
  std::vector<ChangeText> done;
  const Status restored = part.Restore(captured, done);
  std::vector<std::string> lines;
  for (const ChangeText& text : done) lines.push_back(OneLine(text));
  if (!restored) lines.push_back("error: " + restored.error().message);
  return lines;
}

class NftPartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EnterOwnNetwork()) GTEST_SKIP() << "needs root";
    if (std::system("nft list ruleset >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "needs nft, and a kernel with nf_tables";
    }
  }
  static void Load(const std::string& rules) { MustRun("echo '" + rules + "' | nft -f -"); }
  static std::string Rules() { return Output("nft -s list ruleset"); }

  std::unique_ptr<UndoPart> part_ = MakeFirewallPart(RunProcess);
};

TEST_F(NftPartTest, ARuleThatCutsSshGoesAway) {
  const std::string captured = part_->Capture().value();
  Load("table inet cut { chain in { type filter hook input priority 0; tcp dport 22 drop; }; }");
  EXPECT_EQ(Restore(*part_, captured),
            (std::vector<std::string>{"change firewall rules of nft: 6 lines -> 0 lines (differ "
                                      "from before the run)"}));
  EXPECT_EQ(Rules(), "");
  EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>());
}

TEST_F(NftPartTest, RulesThatWereThereComeBackAsTheyWere) {
  Load(R"(table inet own {
      set banned { type ipv4_addr; flags interval; elements = { 10.1.0.0/16, 10.2.0.1 }; }
      set seen { type ipv4_addr; size 100; flags dynamic,timeout; timeout 1h; }
      map ways { type inet_service : verdict; elements = { 22 : accept, 23 : drop }; }
      chain in { type filter hook input priority 0; policy drop; ct state established accept
                 tcp dport vmap @ways; ip saddr @banned counter drop comment "a b; {c}"
                 update @seen { ip saddr }; limit rate 5/second accept
      }
      chain helper { tcp flags syn tcp option maxseg size set rt mtu
      }
    }
    table arp guard {
      chain in { type filter hook input priority 0; arp operation request
      }
    })");
  const std::string before = Rules();
  const std::string captured = part_->Capture().value();
  for (const char* cut : {"nft flush ruleset", "nft delete table inet own",
                          "nft add rule inet own in tcp dport 22 drop",
                          "nft delete element inet own ways { 22 : accept }",
                          "nft 'add table ip more; add chain ip more c { type filter hook input "
                          "priority 5; policy drop; }'",
                          "nft 'chain inet own in { policy accept; }'"}) {
    MustRun(cut);
    EXPECT_NE(Rules(), before) << cut;
    EXPECT_EQ(Restore(*part_, captured).size(), 1U) << cut;
    EXPECT_EQ(Rules(), before) << cut;
  }
}

TEST_F(NftPartTest, WhatPacketsAddToASetIsNoDifference) {
  Load("table inet own { set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }; }");
  const std::string captured = part_->Capture().value();
  MustRun("nft add element inet own seen { 10.0.0.1 }");
  EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>());
  EXPECT_NE(Rules().find("10.0.0.1"), std::string::npos);
}

// With this machine's iptables, where it has one.
class RealIptables : public NftPartTest {
 protected:
  void SetUp() override {
    NftPartTest::SetUp();
    if (IsSkipped()) return;
    if (std::system("iptables-nft -V >/dev/null 2>&1 && iptables-legacy -V >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "needs iptables";
    }
  }
};

TEST_F(RealIptables, RulesThatNftCannotReadAgainComeBackByIptables) {
  MustRun(
      "iptables-nft -A INPUT -m recent --name x --set -m comment --comment why -j ACCEPT && "
      "iptables-nft -t nat -A POSTROUTING -s 10.9.0.0/24 -j MASQUERADE && "
      "ip6tables-nft -P FORWARD DROP && ip6tables-nft-save | grep -q FORWARD");
  Load("table inet own { chain in { type filter hook input priority 0; }; }");
  // iptables shows every chain that it knows, and makes them when it restores.
  constexpr const char* kState =
      "(iptables-nft-save; ip6tables-nft-save; nft list table inet own; nft list tables | sort) "
      "2>&1 | grep -v '^#\\|not found'";
  const std::string before = Output(kState);
  const std::string captured = part_->Capture().value();
  for (const char* cut :
       {"iptables-nft -I INPUT -p tcp --dport 22 -j DROP", "iptables-nft -F", "nft flush ruleset",
        "iptables-nft -t mangle -A PREROUTING -p tcp --dport 22 -j DROP",
        "nft delete table ip nat && nft delete table inet own",
        "ip6tables-nft -A INPUT -m string --algo bm --string x -j DROP",
        "nft add table ip mine && nft add chain ip mine c '{ type filter hook input priority 1; "
        "policy drop; }'"}) {
    MustRun(cut);
    EXPECT_NE(Output(kState), before) << cut;
    for (const std::string& line : Restore(*part_, captured)) {
      EXPECT_EQ(line.substr(0, 6), "change") << cut << ": " << line;
    }
    EXPECT_EQ(Output(kState), before) << cut;
    EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>()) << cut;
  }
}

TEST_F(RealIptables, LegacyTablesComeBackOrAreEmptied) {
  const std::string none = part_->Capture().value();
  MustRun("iptables-legacy -A INPUT -p tcp --dport 22 -j DROP && ip6tables-legacy -P INPUT DROP");
  const std::string some = part_->Capture().value();
  const std::string saved = Output("iptables-legacy-save | grep -v '^#'");
  EXPECT_EQ(Restore(*part_, none).size(), 2U);
  EXPECT_EQ(Output("iptables-legacy -S"), "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n");
  EXPECT_EQ(Output("ip6tables-legacy -S INPUT"), "-P INPUT ACCEPT\n");
  EXPECT_EQ(Restore(*part_, some).size(), 2U);
  EXPECT_EQ(Output("iptables-legacy-save | grep -v '^#'"), saved);
  EXPECT_EQ(Output("ip6tables-legacy -S INPUT"), "-P INPUT DROP\n");
}

// Tools of one kind that keep their tables: text between save and restore.
class ToolBox {
 public:
  explicit ToolBox(const TempFolder& root) : root_(root) {
    std::system(("mkdir -p " + (root_ / "proc/net")).c_str());
    std::system(("touch " + (root_ / "proc/modules")).c_str());
    std::system(
        ("for i in ip ip6 arp; do : > " + (root_ / "proc/net/${i}_tables_names; done")).c_str());
  }

  void Keep(const std::string& tool, const std::string& tables) {
    tables_[tool] = tables;
    const std::string names = tables.empty() ? "" : "filter";
    if (tool == "iptables-legacy") {
      std::system(("printf '" + names + "' > " + (root_ / "proc/net/ip_tables_names")).c_str());
    }
  }
  const std::string& Tables(const std::string& tool) { return tables_[tool]; }
  std::string Log() { return std::exchange(log_, ""); }
  void Break(const std::string& tool) { broken_ = tool; }

  Result<ProcessOutcome> Run(const ProcessSpec& spec) {
    const std::string& program = spec.argv.at(0);
    log_ += program + ";";
    const std::size_t dash = program.rfind('-');
    const std::string tool = program.substr(0, dash);
    const auto found = tables_.find(tool);
    if (dash == std::string::npos || found == tables_.end()) {
      return Fail(ErrorCode::kNotFound, program + ": no such program");
    }
    ProcessOutcome outcome;
    if (tool == broken_) {
      outcome.command.exit_code = 4;
      outcome.command.stderr_text = "the kernel is busy\n";
    } else if (program.ends_with("-save")) {
      outcome.command.stdout_text = found->second;
    } else {
      found->second = spec.stdin_text;
    }
    return outcome;
  }

 private:
  const TempFolder& root_;
  std::map<std::string, std::string> tables_;
  std::string broken_;
  std::string log_;
};

class IptablesTest : public ::testing::Test {
 protected:
  TempFolder root_;
  ToolBox tools_{root_};
  std::unique_ptr<UndoPart> part_ =
      MakeFirewallPart([this](const ProcessSpec& spec) { return tools_.Run(spec); }, root_.path());
};

constexpr const char* kOpen = "*filter\n:INPUT ACCEPT [5:6]\nCOMMIT\n";
constexpr const char* kShut = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\nCOMMIT\n";

TEST_F(IptablesTest, NothingIsRunWhereNothingIsInUse) {
  tools_.Keep("iptables-legacy", "");
  std::system(("mkdir -p " + (root_ / "lib/modules/$(uname -r)")).c_str());
  std::system((": > " + (root_ / "lib/modules/$(uname -r)/modules.builtin")).c_str());
  const std::string captured = part_->Capture().value();
  EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>());
  EXPECT_EQ(tools_.Log(), "");
}

TEST_F(IptablesTest, LegacyTablesComeBack) {
  tools_.Keep("iptables-legacy", kOpen);
  const std::string captured = part_->Capture().value();
  tools_.Keep("iptables-legacy", kShut);
  EXPECT_EQ(Restore(*part_, captured),
            (std::vector<std::string>{"change firewall rules of iptables: 4 lines -> 3 lines "
                                      "(differ from before the run)"}));
  EXPECT_EQ(tools_.Tables("iptables-legacy"), kOpen);
  EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>());
}

TEST_F(IptablesTest, LegacyTablesThatCameWithTheRunAreEmptied) {
  tools_.Keep("iptables-legacy", "");
  const std::string captured = part_->Capture().value();
  tools_.Keep("iptables-legacy", kShut);
  EXPECT_EQ(Restore(*part_, captured).size(), 1U);
  EXPECT_EQ(tools_.Tables("iptables-legacy"), "*filter\n:INPUT ACCEPT\nCOMMIT\n");
}

TEST_F(IptablesTest, CountersAloneAreNoDifference) {
  tools_.Keep("iptables-legacy", kOpen);
  const std::string captured = part_->Capture().value();
  tools_.Keep("iptables-legacy", "*filter\n:INPUT ACCEPT [7:8]\nCOMMIT\n");
  EXPECT_EQ(Restore(*part_, captured), std::vector<std::string>());
}

TEST_F(IptablesTest, WithoutNftTheTablesOfIptablesNftAreSavedByIt) {
  tools_.Keep("iptables-nft", kOpen);
  const std::string captured = part_->Capture().value();
  tools_.Keep("iptables-nft", kShut);
  EXPECT_EQ(Restore(*part_, captured).size(), 1U);
  EXPECT_EQ(tools_.Tables("iptables-nft"), kOpen);
}

TEST_F(IptablesTest, AToolThatFailsWhenLookingStopsTheRun) {
  tools_.Keep("iptables-legacy", kOpen);
  tools_.Break("iptables-legacy");
  const auto captured = part_->Capture();
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().message, "firewall: iptables-legacy-save: the kernel is busy");
}

TEST_F(IptablesTest, DamagedMemoryIsAnError) {
  for (const char* damaged : {"", "{}", "[]", "{\"nft\": 7}", "text"}) {
    std::vector<ChangeText> done;
    EXPECT_FALSE(part_->Restore(damaged, done)) << damaged;
  }
}

}  // namespace
}  // namespace drover
