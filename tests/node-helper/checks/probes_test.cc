// Each probe against real servers: good, slow, hanging, lying and absent.

#include <gtest/gtest.h>

#include "tests/node-helper/checks/ask_once.h"
#include "tests/node-helper/checks/servers.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const Endpoint kNobody{*IpAddress::Parse("10.8.8.66"), 80};  // takes packets and says nothing

class Probes : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const bool allowed = EnterOwnNetwork();
    allowed_ = allowed;
  }
  void SetUp() override {
    if (!allowed_) GTEST_SKIP() << "needs root for a network of its own";
  }

 private:
  static inline bool allowed_ = false;
};

CheckAnswer Failed(const std::string& reason) { return CheckAnswer::Failed(reason); }

TcpServer::Serve Answering(const std::string& text) {
  return [text](int connection) {
    ReadUntil(connection, "\r\n\r\n");
    Write(connection, text);
    HoldOpen(connection);
  };
}

TEST_F(Probes, TcpOpenClosedAndFiltered) {
  const TcpServer server(HoldOpen);
  EXPECT_EQ(AskStream(server.at(), TcpCheck{}), CheckAnswer::Ok());
  EXPECT_EQ(AskStream(ClosedPort(), TcpCheck{}), Failed("connection refused"));
  EXPECT_EQ(AskStream(kNobody, TcpCheck{}, milliseconds(200)), Failed("no answer in 200ms"));
  EXPECT_EQ(AskStream({*IpAddress::Parse("192.0.2.1"), 80}, TcpCheck{}),
            Failed("network unreachable"));
  EXPECT_EQ(AskStream({*IpAddress::Parse("::1"), 1}, TcpCheck{}), Failed("connection refused"));
}

TEST_F(Probes, NoTcpProbeLeavesATimeWaitBehind) {
  const TcpServer server(HoldOpen);
  const TcpServer web(Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(AskStream(server.at(), TcpCheck{}), CheckAnswer::Ok());
    ASSERT_EQ(AskStream(web.at(), HttpCheck{}), CheckAnswer::Ok());
  }
  EXPECT_EQ(TimeWaits(), 0);
}

TEST_F(Probes, HttpGoodAndBad) {
  struct Case {
    std::string name;
    std::string answer;
    CheckAnswer want;
  };
  const std::vector<Case> cases = {
      {"good", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CheckAnswer::Ok()},
      {"error", "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
       Failed("status 500, wanted 200-299")},
      {"no HTTP", "220 mail.example.com ESMTP\r\n",
       Failed("the answer is not good HTTP: bad version")},
      {"never ends", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
       Failed("the answer did not end in 300ms")},
      {"huge", "HTTP/1.1 200 OK\r\n\r\n" + std::string(4 << 20, 'x'), CheckAnswer::Ok()},
      {"silent", "", Failed("connected, but no answer in 300ms")},
  };
  for (const Case& c : cases) {
    const TcpServer server(Answering(c.answer));
    EXPECT_EQ(AskStream(server.at(), HttpCheck{}, milliseconds(300)), c.want) << c.name;
  }
}

TEST_F(Probes, HttpServerThatClosesOrResets) {
  const TcpServer closes([](int connection) { ReadUntil(connection, "\r\n\r\n"); });
  EXPECT_EQ(AskStream(closes.at(), HttpCheck{}),
            Failed("the server closed the connection without an answer"));
  const TcpServer resets([](int) {});  // closes with our request unread
  const CheckAnswer outcome = AskStream(resets.at(), HttpCheck{});
  EXPECT_FALSE(outcome.ok());
  const TcpServer ends([](int connection) {
    ReadUntil(connection, "\r\n\r\n");
    Write(connection, "HTTP/1.0 200 OK\r\n\r\nalive");
  });
  EXPECT_EQ(AskStream(ends.at(), HttpCheck{.body_regex = "^alive$"}), CheckAnswer::Ok());
}

TEST_F(Probes, HttpDripsUntilTheTimeout) {
  const TcpServer slow([](int connection) {
    ReadUntil(connection, "\r\n\r\n");
    for (int i = 0; i < 30; ++i) {
      Write(connection, i == 0 ? "HTTP/1.1 200 OK\r\n" : "X: y\r\n");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  const auto begin = steady_clock::now();
  EXPECT_EQ(AskStream(slow.at(), HttpCheck{}, milliseconds(300)),
            Failed("the answer did not end in 300ms"));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(600));
}

TEST_F(Probes, HttpAsksWhatTheCheckSays) {
  std::string asked;
  const TcpServer server([&asked](int connection) {
    asked = ReadUntil(connection, "\r\n\r\n");
    Write(connection, "HTTP/1.1 200 OK\r\nX-Weight: 7\r\nContent-Length: 0\r\n\r\n");
  });
  const HttpCheck check{.path = "/health?deep=1",
                        .host = "www.example.com",
                        .headers = {{"X-Key", "k"}},
                        .weight_header = "X-Weight"};
  EXPECT_EQ(AskStream(server.at(), check), CheckAnswer::Ok(7));
  EXPECT_EQ(asked.find("GET /health?deep=1 HTTP/1.1\r\n"), 0U);
  EXPECT_NE(asked.find("\r\nHost: www.example.com\r\n"), std::string::npos);
  EXPECT_NE(asked.find("\r\nX-Key: k\r\n"), std::string::npos);
}

TEST_F(Probes, AWrongPatternFailsAndSaysWhy) {
  EXPECT_EQ(AskStream(ClosedPort(), HttpCheck{.body_regex = "("}),
            Failed("the regular expression \"(\" is wrong at 1: missing closing parenthesis"));
}

TEST_F(Probes, Smtp) {
  const TcpServer good([](int connection) {
    Write(connection, "220 mail ESMTP\r\n");
    if (ReadUntil(connection, "\r\n") != "EHLO probe\r\n") return;
    Write(connection, "250-mail\r\n250 HELP\r\n");
    if (ReadUntil(connection, "\r\n") == "QUIT\r\n") Write(connection, "221 bye\r\n");
  });
  EXPECT_EQ(AskStream(good.at(), SmtpCheck{.helo = "probe"}), CheckAnswer::Ok());
  const TcpServer full([](int connection) { Write(connection, "421 too many\r\n"); });
  EXPECT_EQ(AskStream(full.at(), SmtpCheck{}),
            Failed("the connection was answered \"421 too many\""));
  const TcpServer silent(HoldOpen);
  EXPECT_EQ(AskStream(silent.at(), SmtpCheck{}, milliseconds(200)),
            Failed("connected, but no answer in 200ms"));
}

TEST_F(Probes, Udp) {
  const UdpServer echo([](const std::string& datagram) { return "re: " + datagram; });
  EXPECT_EQ(AskDatagram(echo.at(), UdpCheck{.payload = "hi", .expect = "re: hi"}),
            CheckAnswer::Ok());
  EXPECT_EQ(AskDatagram(echo.at(), UdpCheck{.payload = "hi", .expect = "no"}),
            Failed("the answer begins with \"re: hi\""));
  EXPECT_EQ(AskDatagram(echo.at(), UdpCheck{.payload = "hi"}), CheckAnswer::Ok());
  const UdpServer silent([](const std::string&) { return std::string(); });
  EXPECT_EQ(AskDatagram(silent.at(), UdpCheck{.payload = "hi"}, milliseconds(200)),
            CheckAnswer::Ok())
      << "nobody said that the port is closed";
  EXPECT_EQ(AskDatagram(silent.at(), UdpCheck{.payload = "hi", .expect = "x"}, milliseconds(200)),
            Failed("no answer in 200ms"));
  EXPECT_EQ(AskDatagram(ClosedPort(), UdpCheck{.payload = "hi"}), Failed("connection refused"));
}

TEST_F(Probes, DnsPassesOverAnswersToOthers) {
  const UdpServer good([](std::string datagram) {
    datagram[2] = '\x81';
    datagram[3] = '\x80';
    return datagram;
  });
  EXPECT_EQ(AskDatagram(good.at(), DnsCheck{}), CheckAnswer::Ok());
  const UdpServer stranger([](std::string datagram) {
    datagram[0] = static_cast<char>(~datagram[0]);
    datagram[2] = '\x81';
    return datagram;
  });
  EXPECT_EQ(AskDatagram(stranger.at(), DnsCheck{}, milliseconds(200)),
            Failed("no answer in 200ms"));
  const UdpServer refuses([](std::string datagram) {
    datagram[2] = '\x81';
    datagram[3] = '\x85';
    return datagram;
  });
  EXPECT_EQ(AskDatagram(refuses.at(), DnsCheck{}), Failed("the DNS server says REFUSED"));
}

CheckAnswer Ping(const std::string& address) {
  boost::asio::io_context loop;
  Pinger pinger(loop);
  const auto probe = MakePingProbe(
      pinger, TargetAt({*IpAddress::Parse(address), 0}, PingCheck{}, milliseconds(200)));
  return AskOnce(loop, *probe, milliseconds(200));
}

TEST_F(Probes, Ping) {
  EXPECT_EQ(Ping("127.0.0.1"), CheckAnswer::Ok());
  EXPECT_EQ(Ping("::1"), CheckAnswer::Ok());
  EXPECT_EQ(Ping("10.8.8.66"), Failed("no answer in 200ms"));
  EXPECT_EQ(Ping("192.0.2.1"), Failed("network unreachable"));
}

TEST_F(Probes, ManyPingsShareOneSocketAndKeepApart) {
  boost::asio::io_context loop;
  Pinger pinger(loop);
  std::map<std::string, CheckAnswer> outcomes;
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 1; i <= 50; ++i) {
    const std::string address = "127.0.0." + std::to_string(i);
    probes.push_back(MakePingProbe(pinger, TargetAt({*IpAddress::Parse(address), 0}, PingCheck{})));
    ASSERT_FALSE(probes.back()->Start(
        [&outcomes, address](const CheckAnswer& outcome) { outcomes[address] = outcome; }));
  }
  loop.run_for(milliseconds(300));
  EXPECT_EQ(outcomes.size(), 50U);
  for (const auto& [address, outcome] : outcomes) EXPECT_EQ(outcome, CheckAnswer::Ok()) << address;
}

TEST_F(Probes, AProbeMayGoWhileItRuns) {
  boost::asio::io_context loop;
  Poller poller(loop);
  TlsContexts tls;
  Pinger pinger(loop);
  const TcpServer silent(HoldOpen);
  std::vector<std::unique_ptr<Probe>> probes;
  probes.push_back(MakeStreamProbe(loop, poller, tls, TargetAt(silent.at(), HttpCheck{})));
  probes.push_back(
      MakeStreamProbe(loop, poller, tls, TargetAt(silent.at(), HttpCheck{.tls = true})));
  probes.push_back(MakeStreamProbe(loop, poller, tls, TargetAt(silent.at(), SmtpCheck{})));
  probes.push_back(MakeStreamProbe(loop, poller, tls, TargetAt(kNobody, TcpCheck{})));
  probes.push_back(MakeDatagramProbe(poller, TargetAt(kNobody, DnsCheck{})));
  probes.push_back(MakePingProbe(pinger, TargetAt(kNobody, PingCheck{})));
  for (const auto& probe : probes) {
    ASSERT_FALSE(probe->Start([](const CheckAnswer&) { FAIL() << "its probe was gone"; }));
  }
  loop.run_for(milliseconds(50));
  probes.clear();
  loop.restart();
  loop.run_for(milliseconds(50));
}

}  // namespace
}  // namespace drover
