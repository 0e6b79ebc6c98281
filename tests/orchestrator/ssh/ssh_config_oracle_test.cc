// Our reading of ssh_config against OpenSSH's own: `ssh -G` prints what it would use.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "orchestrator/ssh/ssh_config_file.h"
#include "tests/orchestrator/ssh/sshd.h"

namespace drover {
namespace {

using Answers = std::map<std::string, std::vector<std::string>>;

Answers AskOpenSsh(const std::string& config, const std::string& host) {
  std::istringstream lines(RunProgram({"ssh", "-G", "-F", config, host}));
  Answers answers;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string::npos)
      answers[line.substr(0, blank)].push_back(line.substr(blank + 1));
  }
  return answers;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

struct OracleCase {
  const char* name;
  const char* config;
};

class SshConfigOracle : public testing::TestWithParam<OracleCase> {};

TEST_P(SshConfigOracle, OpenSshReadsTheSame) {
  const TempFolder folder;
  folder.Write("more", "Host web*\n  User included\n  Port 2022\n");
  const std::string text = GetParam().config;
  const std::string config = folder.Write("config", text);
  if (text.find("INCLUDED") != std::string::npos) {
    std::string filled = text;
    filled.replace(filled.find("INCLUDED"), 8, folder / "m*");
    folder.Write("config", filled);
  }
  const auto lines = LoadSshConfig(config, "/home/me");
  ASSERT_TRUE(lines.has_value());
  for (const char* host : {"web1", "web9", "db1.example.net", "10.0.0.1"}) {
    const Answers theirs = AskOpenSsh(config, host);
    const SshSettings ours =
        ResolveSshConfig(**lines, {.host = host, .local_user = "root", .home = "/home/me"});
    EXPECT_EQ(ours.host_name, theirs.at("hostname").front()) << host;
    EXPECT_EQ(ours.user, theirs.at("user").front()) << host;
    EXPECT_EQ(std::to_string(ours.port), theirs.at("port").front()) << host;
    EXPECT_EQ(ours.identities_only, theirs.at("identitiesonly").front() == "yes") << host;
    if (text.find("UserKnownHostsFile") != std::string::npos) {
      EXPECT_EQ(Joined(ours.user_known_hosts), theirs.at("userknownhostsfile").front()) << host;
    }
    if (!ours.identity_files.empty()) {
      EXPECT_EQ(ours.identity_files, theirs.at("identityfile")) << host;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, SshConfigOracle,
    testing::Values(
        OracleCase{"empty", ""},
        OracleCase{"first_wins", "Host web*\n User a\nHost *\n User b\n Port 2\n"},
        OracleCase{"negation", "Host * !web9\n User a\nHost !web1 web*\n Port 5\n"},
        OracleCase{"spellings", "HOSTNAME=10.9.8.7\n\tport = 22022 # no\nUser \"a b\"\n"},
        OracleCase{"tokens", "HostName %h.example.net\nUserKnownHostsFile /k /k2\n"},
        OracleCase{"keys", "IdentityFile /a\nHost web1\n IdentityFile /b\n IdentitiesOnly yes\n"},
        OracleCase{"match_host", "Match host web1,db*\n User m\nMatch !host web1\n Port 99\n"},
        OracleCase{"match_after_hostname",
                   "Host web1\n HostName real.example.net\nMatch host *.example.net\n User m\n"},
        OracleCase{"match_original",
                   "Host web1\n HostName real\nMatch originalhost web1\n Port 7\n"},
        OracleCase{"match_user", "User deploy\nMatch user deploy\n Port 8\n"},
        OracleCase{"include", "Include INCLUDED\nUser outer\nPort 3\n"},
        OracleCase{"include_in_a_block",
                   "Host web1\n Include INCLUDED\n Port 4\nHost *\n Port 5\n"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace drover
