// The little HTTP of probes: replies that follow each other, requests, and what is neither.

#include "node-helper/drill/http_text.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using Progress = HttpReplyReader::Progress;

// Feeds `bytes` in pieces; collects complete replies. Nothing when one is malformed.
std::optional<std::vector<HttpReply>> ReadAll(std::string_view bytes, std::size_t piece,
                                              bool ends = false) {
  HttpReplyReader reader;
  std::vector<HttpReply> replies;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view part = bytes.substr(at, piece);
    while (!part.empty()) {
      const Progress progress = reader.Feed(part);
      if (progress == Progress::kMalformed) return std::nullopt;
      if (progress == Progress::kComplete) replies.push_back(reader.reply());
    }
  }
  if (ends && reader.End()) replies.push_back(reader.reply());
  return replies;
}

TEST(HttpReply, IsReadInPiecesOfAnySize) {
  struct Case {
    const char* name;
    std::string bytes;
    std::vector<int> statuses;
    bool ends = false;
  };
  const std::vector<Case> cases = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", {200}},
      {"two in a row",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 503 Busy\r\ncontent-length:0\r\n\r\n",
       {200, 503}},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: "
       "b\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
       {200, 204}},
      {"interim",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
       {404}},
      {"until close", "HTTP/1.0 200 OK\r\n\r\nwhatever", {200}, true},
      {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", {200}},
  };
  for (const Case& c : cases) {
    for (std::size_t piece = 1; piece <= c.bytes.size(); ++piece) {
      const auto replies = ReadAll(c.bytes, piece, c.ends);
      ASSERT_TRUE(replies.has_value()) << c.name << " in pieces of " << piece;
      std::vector<int> statuses;
      for (const HttpReply& reply : *replies) statuses.push_back(reply.status);
      EXPECT_EQ(statuses, c.statuses) << c.name << " in pieces of " << piece;
    }
  }
}

TEST(HttpReply, NamesItsResponderAndDirector) {
  const HttpRequestHead request{.is_get = true, .id = 77};
  const auto replies = ReadAll(ProbeHttpReply(request, 200, "rs1", {2, 0, 0, 0, 0xa, 0xff}), 5);
  ASSERT_TRUE(replies.has_value());
  ASSERT_EQ(replies->size(), 1U);
  EXPECT_EQ(
      replies->front(),
      (HttpReply{.status = 200, .responder = "rs1", .mac = {2, 0, 0, 0, 0xa, 0xff}, .id = 77}));
  const auto closing =
      ReadAll(ProbeHttpReply({.is_get = true, .keeps = false}, 503, "rs1", {}), 100);
  ASSERT_TRUE(closing.has_value());
  EXPECT_TRUE(closing->front().closes);
  EXPECT_EQ(closing->front().status, 503);
  EXPECT_EQ(closing->front().mac, MacAddress{});
}

TEST(HttpReply, OfOtherProtocolsOrSizesIsMalformed) {
  const std::vector<std::string> wrong = {
      "SSH-2.0-OpenSSH\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "HTTP/1.1 200 OK\r\n" + std::string(kMaxHttpHead, 'a'),
  };
  for (const std::string& bytes : wrong) {
    EXPECT_FALSE(ReadAll(bytes, 7).has_value()) << bytes.substr(0, 60);
  }
}

TEST(HttpReply, CutShortIsNoReply) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto replies = ReadAll(whole.substr(0, size), 9, /*ends=*/true);
    ASSERT_TRUE(replies.has_value());
    EXPECT_TRUE(replies->empty()) << size;
  }
}

TEST(HttpReply, ReaderKnowsWhetherAReplyHasBegun) {
  HttpReplyReader reader;
  EXPECT_TRUE(reader.idle());
  std::string_view begin = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(reader.Feed(begin), Progress::kMore);
  EXPECT_FALSE(reader.idle());
  std::string_view rest = "Content-Length: 0\r\n\r\n";
  EXPECT_EQ(reader.Feed(rest), Progress::kComplete);
  EXPECT_TRUE(reader.idle());
}

TEST(HttpRequest, IsTakenFromTheFront) {
  const Endpoint target = Endpoint::Parse("10.0.0.100:80").value();
  std::string buffer = ProbeHttpRequest(target, "/a", 5, false) +
                       ProbeHttpRequest(target, "/", 6, true) + "GET / HT";
  const auto first = TakeProbeRequest(buffer);
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->is_get);
  EXPECT_TRUE(first->keeps);
  EXPECT_EQ(first->id, 5U);
  const auto second = TakeProbeRequest(buffer);
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(second->keeps);
  EXPECT_EQ(second->id, 6U);
  EXPECT_FALSE(TakeProbeRequest(buffer).has_value());
  EXPECT_EQ(buffer, "GET / HT");
}

TEST(HttpRequest, WithABodyOrTooLongIsRefused) {
  const std::vector<std::string> wrong = {
      "GET /\r\n\r\n",
      "GET / HTTP/3\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET / HTTP/1.1\r\nbroken\r\n\r\n",
      "\r\n\r\n",
      std::string(kMaxHttpHead + 1, 'a'),
  };
  for (std::string buffer : wrong) {
    const std::string shown = buffer.substr(0, 40);
    const auto request = TakeProbeRequest(buffer);
    ASSERT_TRUE(request.has_value()) << shown;
    EXPECT_TRUE(request->malformed) << shown;
    EXPECT_FALSE(request->keeps) << shown;
  }
  const auto refused = ReadAll(ProbeHttpReply({.malformed = true}, 200, "rs1", {}), 10);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->front().status, 400);
}

}  // namespace
}  // namespace drover
