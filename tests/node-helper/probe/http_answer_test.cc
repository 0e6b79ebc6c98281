// Reading the answer to a probe's request, in whatever pieces it comes.

#include <gtest/gtest.h>

#include "node-helper/tasks/probe_http.h"
#include "protocol/codec.h"

namespace drover {
namespace {

const std::string kHead = "HTTP/1.1 200 OK\r\nServer: x\r\n";

TEST(HttpAnswer, IsReadInPiecesOfAnySize) {
  struct Case {
    std::string name;
    std::string bytes;
    bool ends_by_close;
    int status;
    std::string body;
  };
  const std::vector<Case> cases = {
      {"length", kHead + "Content-Length: 5\r\n\r\n rs1\n", false, 200, "rs1"},
      {"chunks", kHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nrs\r\n1\r\n1\r\n0\r\n\r\n", false,
       200, "rs1"},
      {"close", kHead + "Connection: close\r\n\r\nrs1\n", true, 200, "rs1"},
      {"no body", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, ""},
      {"error page", "HTTP/1.0 503 Busy\r\nContent-Length: 4\r\n\r\nno\x01!", false, 503, "no !"},
  };
  for (const Case& c : cases) {
    for (std::size_t piece = 1; piece <= c.bytes.size(); ++piece) {
      HttpAnswer answer;
      bool complete = false;
      for (std::size_t at = 0; at < c.bytes.size(); at += piece) {
        ASSERT_FALSE(complete) << c.name;
        const auto fed = answer.Feed(std::string_view(c.bytes).substr(at, piece));
        ASSERT_TRUE(fed.has_value()) << c.name << ": " << fed.error().message;
        complete = *fed;
      }
      EXPECT_EQ(complete, !c.ends_by_close) << c.name << " in pieces of " << piece;
      EXPECT_TRUE(answer.End().has_value()) << c.name;
      EXPECT_EQ(answer.status(), c.status) << c.name;
      EXPECT_EQ(answer.BodyStart(), c.body) << c.name;
    }
  }
}

TEST(HttpAnswer, CutShortIsNoAnswer) {
  const std::string whole = kHead + "Content-Length: 4\r\n\r\nrs1\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    HttpAnswer answer;
    ASSERT_TRUE(answer.Feed(std::string_view(whole).substr(0, size)).has_value());
    const Status end = answer.End();
    ASSERT_FALSE(end.has_value()) << size;
    EXPECT_EQ(end.error().code, ErrorCode::kUnreachable);
  }
}

TEST(HttpAnswer, OtherProtocolsAndEndlessPagesAreRefused) {
  HttpAnswer ssh;
  const auto fed = ssh.Feed("SSH-2.0-OpenSSH_9.2\r\n");
  ASSERT_FALSE(fed.has_value());
  EXPECT_NE(fed.error().message.find("not a good HTTP answer"), std::string::npos);

  HttpAnswer huge;
  EXPECT_FALSE(huge.Feed(kHead + "Content-Length: 99999999999\r\n\r\n").has_value());
  HttpAnswer endless;
  ASSERT_TRUE(endless.Feed(kHead + "\r\n").has_value());
  bool refused = false;
  for (int i = 0; i < 2000 && !refused; ++i) refused = !endless.Feed(std::string(16384, 'x'));
  EXPECT_TRUE(refused);
}

TEST(HttpAnswer, OnlyTheStartOfThePageIsKept) {
  HttpAnswer answer;
  ASSERT_TRUE(answer.Feed(kHead + "Content-Length: 100000\r\n\r\n").has_value());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(answer.Feed(std::string(10000, 'a')).has_value());
  EXPECT_EQ(answer.BodyStart(), std::string(kMaxProbeBody, 'a'));
}

TEST(HttpRequest, NamesHostAndAsksToClose) {
  const std::string request = HttpRequest(*Endpoint::Parse("[2001:db8::1]:80"), "/who?x=1");
  EXPECT_EQ(request.find("GET /who?x=1 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n"), 0U);
  EXPECT_NE(request.find("Connection: close\r\n"), std::string::npos);
}

}  // namespace
}  // namespace drover
