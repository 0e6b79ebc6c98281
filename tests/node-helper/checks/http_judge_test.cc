// The verdict on HTTP answers, in whatever pieces they come, and the request.

#include "node-helper/checks/http_judge.h"

#include <gtest/gtest.h>

#include "node-helper/store/digest.h"
#include "tests/node-helper/checks/print.h"

namespace drover {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 30;

// The verdict on `bytes` in pieces of `piece`, at the end by close when it is open until then.
CheckAnswer JudgeInPieces(const HttpCheck& check, const std::string& bytes, std::size_t piece) {
  std::optional<Pattern> pattern;
  if (!check.body_regex.empty()) pattern.emplace(*Pattern::Compile(check.body_regex));
  HttpJudge judge(check, pattern ? &*pattern : nullptr);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    judge.Feed(std::string_view(bytes).substr(at, piece));
  }
  if (!judge.verdict()) judge.End();
  return judge.verdict().value_or(CheckAnswer::Failed("no verdict"));
}

TEST(HttpJudge, AnswersAreJudgedInPiecesOfAnySize) {
  const HttpCheck plain;
  const HttpCheck moved{.status = {{200, 200}, {301, 302}}};
  const HttpCheck alive{.body_regex = "al[io]ve$"};
  const HttpCheck hashed{.body_sha256 = Sha256::Of("alive")};
  const HttpCheck weighed{.weight_header = "X-Weight"};
  struct Case {
    std::string name;
    HttpCheck check;
    std::string bytes;
    CheckAnswer want;
  };
  const auto failed = [](const std::string& reason) { return CheckAnswer::Failed(reason); };
  const std::string sum = Sha256::Of("dead!").substr(0, 16);
  const std::string alive_sum = Sha256::Of("alive").substr(0, 16);
  const std::vector<Case> cases = {
      {"length", plain, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CheckAnswer::Ok()},
      {"no body", plain, "HTTP/1.1 204 No Content\r\n\r\n", CheckAnswer::Ok()},
      {"until close", plain, "HTTP/1.0 200 OK\r\n\r\nok", CheckAnswer::Ok()},
      {"after 100", plain,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
       failed("status 500, wanted 200-299")},
      {"status", plain, "HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n",
       failed("status 500, wanted 200-299")},
      {"status in a list", moved, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
       CheckAnswer::Ok()},
      {"status outside a list", moved, "HTTP/1.1 300 X\r\nContent-Length: 0\r\n\r\n",
       failed("status 300, wanted 200, 301-302")},
      {"chunks match", alive,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nali\r\n2\r\nve\r\n0\r\n\r\n",
       CheckAnswer::Ok()},
      {"no match", alive, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndead!",
       failed("the body does not match \"al[io]ve$\"")},
      {"hash", hashed, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive", CheckAnswer::Ok()},
      {"other hash", hashed, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndead!",
       failed("the body's SHA-256 is " + sum + "…, wanted " + alive_sum + "…")},
      {"weight", weighed, "HTTP/1.1 200 OK\r\nx-weight: 30\r\nContent-Length: 0\r\n\r\n",
       CheckAnswer::Ok(30)},
      {"too heavy", weighed, "HTTP/1.1 200 OK\r\nX-Weight: 65536\r\nContent-Length: 0\r\n\r\n",
       CheckAnswer::Ok()},
      {"cut header", plain, "HTTP/1.1 200 OK\r\nContent-Le", failed("the answer was cut short")},
      {"cut body", plain, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nali",
       failed("the answer was cut short")},
      {"nothing", plain, "", failed("the server closed the connection without an answer")},
  };
  for (const Case& c : cases) {
    for (std::size_t piece = 1; piece <= c.bytes.size() + 1; ++piece) {
      EXPECT_EQ(JudgeInPieces(c.check, c.bytes, piece), c.want) << c.name << " by " << piece;
    }
  }
}

TEST(HttpJudge, WhatIsNoHttpIsSaidToBeNone) {
  for (const std::string bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "\x16\x03\x01\x02\x02\x01\x01\x01", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const CheckAnswer outcome = JudgeInPieces({}, bytes, kAtOnce);
    EXPECT_FALSE(outcome.ok()) << bytes;
    EXPECT_EQ(outcome.reason.find("the answer is not good HTTP"), 0U) << outcome.reason;
  }
}

TEST(HttpJudge, ABigBodyIsNotWaitedForAndTakesNoRoom) {
  const HttpCheck check{.body_regex = "needle"};
  const Pattern pattern = *Pattern::Compile(check.body_regex);
  HttpJudge judge(check, &pattern);
  judge.Feed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n");
  for (int i = 0; i < 100 && !judge.verdict(); ++i) judge.Feed(std::string(1000, 'x'));
  ASSERT_TRUE(judge.verdict().has_value());
  EXPECT_EQ(judge.verdict()->reason, "the body does not match \"needle\"");
}

TEST(HttpJudge, ABodyTooBigForItsHashIsRefused) {
  const HttpCheck check{.body_sha256 = Sha256::Of("x")};
  EXPECT_FALSE(
      JudgeInPieces(check, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nx", kAtOnce)
          .ok());
  HttpJudge endless(check, nullptr);
  endless.Feed("HTTP/1.1 200 OK\r\n\r\n");
  for (int i = 0; i < 2000 && !endless.verdict(); ++i) endless.Feed(std::string(16384, 'x'));
  ASSERT_TRUE(endless.verdict().has_value());
  EXPECT_FALSE(endless.verdict()->ok());
}

TEST(HttpJudge, AnEndlessHeaderIsRefused) {
  const HttpCheck check;
  HttpJudge judge(check, nullptr);
  judge.Feed("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 2000 && !judge.verdict(); ++i)
    judge.Feed("X-More: " + std::string(100, 'x') + "\r\n");
  ASSERT_TRUE(judge.verdict().has_value());
  EXPECT_FALSE(judge.verdict()->ok());
}

TEST(HttpRequestOf, NamesTheHostAndAsksToClose) {
  EXPECT_EQ(HttpRequestOf({.path = "/h?x=1", .host = "www.example.com"},
                          *Endpoint::Parse("10.0.0.1:8080")),
            "GET /h?x=1 HTTP/1.1\r\nAccept: */*\r\nConnection: close\r\nHost: www.example.com\r\n"
            "User-Agent: drover\r\n\r\n");
  const auto host_of = [](const HttpCheck& check, const std::string& server) {
    const std::string request = HttpRequestOf(check, *Endpoint::Parse(server));
    const std::size_t begin = request.find("Host: ") + 6;
    return request.substr(begin, request.find("\r\n", begin) - begin);
  };
  EXPECT_EQ(host_of({}, "10.0.0.1:80"), "10.0.0.1");
  EXPECT_EQ(host_of({}, "[2001:db8::1]:8080"), "[2001:db8::1]:8080");
  EXPECT_EQ(host_of({}, "[2001:db8::1]:80"), "[2001:db8::1]");
  EXPECT_EQ(host_of({.tls = true}, "10.0.0.1:443"), "10.0.0.1");
}

TEST(HttpRequestOf, HeadersOfTheCheckReplaceOurs) {
  const std::string request = HttpRequestOf({.headers = {{"user-agent", "x"}, {"X-Key", "1"}}},
                                            *Endpoint::Parse("1.2.3.4:80"));
  EXPECT_NE(request.find("user-agent: x\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Key: 1\r\n"), std::string::npos);
  EXPECT_EQ(request.find("drover"), std::string::npos);
}

}  // namespace
}  // namespace drover
