// ssh_config(5) as OpenSSH reads it.

#include "orchestrator/ssh/ssh_config.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

SshSettings Resolve(const std::string& text, const std::string& host = "web1",
                    std::optional<int> port = std::nullopt, const std::string& user = "") {
  return ResolveSshConfig(
      ParseSshConfig(text, "config"),
      {.host = host, .port = port, .user = user, .local_user = "me", .home = "/home/me"});
}

TEST(SshConfig, WithoutAFileEverythingHasItsDefault) {
  const SshSettings settings = Resolve("");
  EXPECT_EQ(settings.host_name, "web1");
  EXPECT_EQ(settings.port, 22);
  EXPECT_EQ(settings.user, "me");
  EXPECT_EQ(settings.user_known_hosts.front(), "/home/me/.ssh/known_hosts");
  EXPECT_TRUE(settings.identity_files.empty());
  EXPECT_TRUE(settings.notes.empty());
}

TEST(SshConfig, FirstValueWinsAndIdentityFilesAddUp) {
  const SshSettings settings = Resolve(
      "Host web1\n  User one\n  IdentityFile ~/.ssh/a\n"
      "Host *\n  User two\n  Port 2200\n  IdentityFile %d/b-%r\n");
  EXPECT_EQ(settings.user, "one");
  EXPECT_EQ(settings.port, 2200);
  EXPECT_EQ(settings.identity_files,
            (std::vector<std::string>{"/home/me/.ssh/a", "/home/me/b-one"}));
}

TEST(SshConfig, ExplicitPortAndUserWin) {
  const SshSettings settings = Resolve("User one\nPort 2200\n", "web1", 2022, "root");
  EXPECT_EQ(settings.user, "root");
  EXPECT_EQ(settings.port, 2022);
}

TEST(SshConfig, HostPatternsWithNegation) {
  const std::string text = "Host web* !web9\n  User web\n";
  EXPECT_EQ(Resolve(text, "web1").user, "web");
  EXPECT_EQ(Resolve(text, "web9").user, "me");
  EXPECT_EQ(Resolve(text, "db1").user, "me");
}

TEST(SshConfig, SpellingsOfOneLine) {
  for (const char* line : {"HostName=10.0.0.1", "hostname = 10.0.0.1", "\tHOSTNAME\t10.0.0.1  ",
                           "HostName \"10.0.0.1\"", "HostName 10.0.0.1 # home\r"}) {
    EXPECT_EQ(Resolve(line).host_name, "10.0.0.1") << line;
  }
}

TEST(SshConfig, HostNameTakesTheNameIn) {
  EXPECT_EQ(Resolve("HostName %h.example.net\n").host_name, "web1.example.net");
}

TEST(SshConfig, MatchByHostUserAndNegation) {
  const std::string text =
      "HostName real.example.net\n"
      "Match host *.example.net user root\n  Port 1\n"
      "Match originalhost web1 !localuser root\n  IdentitiesOnly yes\n"
      "Match all\n  HashKnownHosts yes\n";
  const SshSettings settings = Resolve(text, "web1", std::nullopt, "root");
  EXPECT_EQ(settings.port, 1);
  EXPECT_TRUE(settings.identities_only);
  EXPECT_TRUE(settings.hash_known_hosts);
  EXPECT_EQ(Resolve(text, "web1", std::nullopt, "bob").port, 22);
}

TEST(SshConfig, MatchExecIsLeftOutAndNamed) {
  const SshSettings settings = Resolve("Match exec \"true\"\n  User x\n");
  EXPECT_EQ(settings.user, "me");
  EXPECT_EQ(settings.notes, std::vector<std::string>{
                                "config:1: Match exec is not supported, the block is left out"});
}

TEST(SshConfig, UnusedDirectivesAreNamedOnlyWhereTheyApply) {
  const SshSettings settings =
      Resolve("Host db\n  LocalForward 1 x:2\nHost *\n  RemoteCommand x\n  SendEnv LANG\n");
  EXPECT_EQ(settings.notes, std::vector<std::string>{"config:4: remotecommand is not used"});
}

struct ProxyCase {
  const char* name;
  const char* text;
  const char* want;
};

class Proxies : public testing::TestWithParam<ProxyCase> {};

TEST_P(Proxies, BecomeOneCommand) {
  EXPECT_EQ(Resolve(GetParam().text).proxy_command, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Proxies,
    testing::Values(ProxyCase{"command", "ProxyCommand nc %h %p %% %r\n", "nc web1 22 % me"},
                    ProxyCase{"none", "ProxyCommand none\nProxyJump bastion\n", ""},
                    ProxyCase{"jump", "ProxyJump bastion\n",
                              "ssh -o BatchMode=yes -W [web1]:22 -- bastion"},
                    ProxyCase{"jump_with_port", "ProxyJump bob@bastion:2222\n",
                              "ssh -o BatchMode=yes -p 2222 -W [web1]:22 -- bob@bastion"},
                    ProxyCase{"jump_ipv6", "ProxyJump [2001:db8::1]:2222\n",
                              "ssh -o BatchMode=yes -p 2222 -W [web1]:22 -- 2001:db8::1"},
                    ProxyCase{"jump_bare_ipv6", "ProxyJump 2001:db8::1\n",
                              "ssh -o BatchMode=yes -W [web1]:22 -- 2001:db8::1"},
                    ProxyCase{"two_jumps", "ProxyJump one,two:23\n",
                              "ssh -o BatchMode=yes -J one -p 23 -W [web1]:22 -- two"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SshConfig, KnownHostsFilesAndAlias) {
  const SshSettings settings =
      Resolve("UserKnownHostsFile ~/a /b\nGlobalKnownHostsFile none\nHostKeyAlias cluster\n");
  EXPECT_EQ(settings.user_known_hosts, (std::vector<std::string>{"/home/me/a", "/b"}));
  EXPECT_TRUE(settings.global_known_hosts.empty());
  EXPECT_EQ(settings.host_key_alias, "cluster");
}

TEST(SshConfig, BlockInsideAnIncludeEndsWithIt) {
  std::vector<ConfigLine> lines = ParseSshConfig("Host web1", "outer");
  lines.push_back({.kind = ConfigLine::Kind::kOpen});
  for (ConfigLine& line : ParseSshConfig("User inner\nHost other\n  Port 1", "inner")) {
    lines.push_back(std::move(line));
  }
  lines.push_back({.kind = ConfigLine::Kind::kClose});
  for (ConfigLine& line : ParseSshConfig("Port 2", "outer")) lines.push_back(std::move(line));
  const SshSettings in = ResolveSshConfig(lines, {"web1", {}, "", "me", "/home/me"});
  EXPECT_EQ(in.user, "inner");
  EXPECT_EQ(in.port, 2);
  const SshSettings out = ResolveSshConfig(lines, {"other", {}, "", "me", "/home/me"});
  EXPECT_EQ(out.user, "me");
  EXPECT_EQ(out.port, 22);
}

TEST(Patterns, StarsAndQuestionMarks) {
  const struct {
    const char* text;
    const char* pattern;
    bool want;
  } kCases[] = {{"web1", "web?", true},   {"web", "web?", false},   {"web1", "*", true},
                {"", "*", true},          {"", "?", false},         {"abcabc", "*abc", true},
                {"abcab", "*abc", false}, {"a.b.c", "a.*.c", true}, {"web1", "web1*", true}};
  for (const auto& test : kCases) {
    EXPECT_EQ(MatchesPattern(test.text, test.pattern), test.want)
        << test.text << " " << test.pattern;
  }
}

}  // namespace
}  // namespace drover
