// known_hosts lines, and what is said when a key does not fit. The hashed lines were written by
// ssh-keygen -H.

#include "orchestrator/ssh/known_hosts.h"

#include <gtest/gtest.h>

#include "orchestrator/ssh/digest.h"

namespace drover {
namespace {

constexpr const char* kEd = "AAAAC3NzaC1lZDI1NTE5AAAAIPP5jY2tgMrSRXNVBlWNJHAMJq5mWVqgJOYnQhdM0fPH";
constexpr const char* kOther =
    "AAAAC3NzaC1lZDI1NTE5AAAAIBVw9hq5jhA2IsLiOnhTZM1hMJGyrZNs7gcsbXlnkB1T";
constexpr const char* kRsa = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQC0";

ShownKey Ed(const char* key = kEd) {
  return {"ssh-ed25519", key, Fingerprint(FromBase64(key).value_or(""))};
}

HostKeyJudgement Judge(const std::string& text, const std::string& name, const ShownKey& shown) {
  return JudgeHostKey(LinesFor(ParseKnownHosts(text, "kh"), name), shown);
}

struct VerdictCase {
  const char* name;
  std::string text;
  std::string host;
  HostKeyVerdict want;
};

std::string Line(const std::string& names, const char* key = kEd,
                 const char* type = "ssh-ed25519") {
  return names + " " + type + " " + key + "\n";
}

class Verdict : public testing::TestWithParam<VerdictCase> {};

TEST_P(Verdict, IsReached) {
  EXPECT_EQ(Judge(GetParam().text, GetParam().host, Ed()).verdict, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Verdict,
    testing::Values(
        VerdictCase{"empty_file", "", "web1", HostKeyVerdict::kUnknown},
        VerdictCase{"plain_name", Line("web1"), "web1", HostKeyVerdict::kKnown},
        VerdictCase{"name_in_list", Line("web2,web1,10.0.0.1"), "web1", HostKeyVerdict::kKnown},
        VerdictCase{"capitals_in_file", Line("WEB1"), "web1", HostKeyVerdict::kKnown},
        VerdictCase{"prefix_is_no_match", Line("web"), "web1", HostKeyVerdict::kUnknown},
        VerdictCase{"wildcard", Line("web*"), "web1", HostKeyVerdict::kKnown},
        VerdictCase{"negated_wildcard", Line("web*,!web1"), "web1", HostKeyVerdict::kUnknown},
        VerdictCase{"other_port_is_another_host", Line("web1"), "[web1]:2222",
                    HostKeyVerdict::kUnknown},
        VerdictCase{"port_form", Line("[web1]:2222"), "[web1]:2222", HostKeyVerdict::kKnown},
        VerdictCase{"changed", Line("web1", kOther), "web1", HostKeyVerdict::kChanged},
        VerdictCase{"one_of_several", Line("web1", kOther) + Line("web1"), "web1",
                    HostKeyVerdict::kKnown},
        VerdictCase{"other_type_counts_as_changed", Line("web1", kRsa, "ssh-rsa"), "web1",
                    HostKeyVerdict::kChanged},
        VerdictCase{"revoked", Line("web1") + "@revoked " + Line("*"), "web1",
                    HostKeyVerdict::kRevoked},
        VerdictCase{"revoked_key_of_others", Line("web1") + "@revoked " + Line("*", kOther), "web1",
                    HostKeyVerdict::kKnown},
        VerdictCase{"authority_is_left_out", "@cert-authority " + Line("*"), "web1",
                    HostKeyVerdict::kUnknown},
        VerdictCase{"comment_and_rubbish", "# web1 x y\n\nweb1\nweb1 ssh-ed25519 %%%\n", "web1",
                    HostKeyVerdict::kUnknown},
        VerdictCase{"trailing_comment_and_cr", "web1 ssh-ed25519 " + std::string(kEd) + " me\r\n",
                    "web1", HostKeyVerdict::kKnown},
        VerdictCase{"no_newline_at_end", "web1 ssh-ed25519 " + std::string(kEd), "web1",
                    HostKeyVerdict::kKnown}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(KnownHosts, HashedNameIsFoundAndAnotherIsNot) {
  const std::string line = FormatKnownHost("[web1]:2222", Ed(), std::string(20, 's'));
  EXPECT_TRUE(line.starts_with("|1|"));
  EXPECT_EQ(Judge(line, "[web1]:2222", Ed()).verdict, HostKeyVerdict::kKnown);
  EXPECT_EQ(Judge(line, "web1", Ed()).verdict, HostKeyVerdict::kUnknown);
}

TEST(KnownHosts, NameCarriesThePortUnlessItIs22) {
  EXPECT_EQ(KnownHostsName("Web1", 22), "web1");
  EXPECT_EQ(KnownHostsName("::1", 2222), "[::1]:2222");
}

TEST(KnownHosts, KnownKeyTypeIsAskedForFirst) {
  const auto lines = ParseKnownHosts(Line("web1", kRsa, "ssh-rsa"), "kh");
  EXPECT_TRUE(PreferredHostKeyAlgorithms(lines, "").starts_with("rsa-sha2-512,rsa-sha2-256,"));
  EXPECT_TRUE(PreferredHostKeyAlgorithms({}, "").starts_with("ssh-ed25519,"));
  EXPECT_EQ(PreferredHostKeyAlgorithms(lines, "ssh-ed25519,rsa-sha2-256"),
            "rsa-sha2-256,ssh-ed25519");
}

TEST(HostKeyError, UnknownKeyComesWithFingerprintAndCommand) {
  const HostPlace place{"web1", "[10.0.0.7]:2222", "10.0.0.7", 2222, "/root/.ssh/known_hosts"};
  const Error error = HostKeyError({HostKeyVerdict::kUnknown, {}}, Ed(), place);
  EXPECT_EQ(error.code, ErrorCode::kUnreachable);
  EXPECT_EQ(error.message,
            "host key of web1 ([10.0.0.7]:2222) is not known: ed25519 key " + Ed().fingerprint +
                "; compare the fingerprint with the host's own, then accept it: ssh-keyscan -p "
                "2222 -t ed25519 10.0.0.7 >> /root/.ssh/known_hosts, or run drover … "
                "--accept-new-host-keys");
}

TEST(HostKeyError, BehindAProxyNoKeyscanIsOffered) {
  HostPlace place{"web1", "web1", "web1", 22, "kh"};
  place.direct = false;
  EXPECT_EQ(HostKeyError({}, Ed(), place).message.find("ssh-keyscan"), std::string::npos);
}

TEST(HostKeyError, ChangedKeyNamesFileLineAndTheCommandThatForgetsIt) {
  const HostPlace place{"web1", "[10.0.0.7]:2222", "10.0.0.7", 2222, "kh"};
  const auto judgement =
      Judge("# first line\n" + Line("[10.0.0.7]:2222", kOther), "[10.0.0.7]:2222", Ed());
  const std::string message = HostKeyError(judgement, Ed(), place).message;
  EXPECT_NE(message.find("HAS CHANGED"), std::string::npos);
  EXPECT_NE(message.find("kh:2 (ed25519)"), std::string::npos);
  EXPECT_NE(message.find("ssh-keygen -f kh -R \"[10.0.0.7]:2222\""), std::string::npos);
}

}  // namespace
}  // namespace drover
