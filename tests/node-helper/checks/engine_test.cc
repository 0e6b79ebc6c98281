// The check engine on a loop: verdicts in time, sharing, weights, and the way into the next
// process.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "node-helper/checks/check_engine.h"
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <fstream>

#include "tests/node-helper/checks/servers.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ServiceKey Service(std::uint16_t port) {
  return SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), port};
}

CheckSettings Fast(const CheckKind& kind) {
  return {.kind = kind,
          .interval = milliseconds(100),
          .timeout = milliseconds(100),
          .fall = 2,
          .rise = 2,
          .jitter_percent = 0};
}

// An engine with its loop; the services share one list of checks.
struct Running {
  Running() : engine(NewEngine()) {}

  std::unique_ptr<CheckEngine> NewEngine() {
    return CheckEngine::Create(
        loop, [this](const VerdictChanged& change) { changes.push_back(change); },
        [this](const std::vector<VirtualService>& wanted) { ways.push_back(wanted); });
  }
  void Watch(std::vector<CheckSettings> checks, const std::vector<Endpoint>& servers,
             std::uint16_t services = 1, bool in_table = false) {
    std::vector<ServiceWatch> watches;
    std::vector<VirtualService> wanted;
    std::map<ServiceKey, std::vector<Endpoint>> table;
    for (std::uint16_t port = 1; port <= services; ++port) {
      watches.push_back({.service = Service(port), .checks = checks});
      VirtualService service{.key = Service(port)};
      for (const Endpoint& server : servers) {
        service.destinations.push_back({.address = server.address, .port = server.port});
      }
      if (in_table) table[Service(port)] = servers;
      wanted.push_back(std::move(service));
    }
    engine->Configure(watches, wanted, table);
  }
  template <typename Until>
  bool RunUntil(const Until& until, milliseconds patience = milliseconds(3000)) {
    const auto deadline = steady_clock::now() + patience;
    while (!until()) {
      if (steady_clock::now() >= deadline) return false;
      loop.restart();
      loop.run_one_for(milliseconds(20));
    }
    return true;
  }
  bool IsUp(const Endpoint& server, std::uint16_t service = 1) {
    return engine->VerdictOf(Service(service), server)->up;
  }

  boost::asio::io_context loop;
  std::vector<VerdictChanged> changes;
  std::vector<std::vector<VirtualService>> ways;
  std::unique_ptr<CheckEngine> engine;
};

TEST(CheckEngine, AServerThatServesComesUpAfterItsRise) {
  const TcpServer server(HoldOpen);
  Running running;
  running.Watch({Fast(TcpCheck{})}, {server.at()});
  EXPECT_FALSE(running.IsUp(server.at()));
  EXPECT_FALSE(running.engine->decided());
  ASSERT_TRUE(running.RunUntil([&] { return running.IsUp(server.at()); }));
  ASSERT_EQ(running.changes.size(), 1U);
  EXPECT_EQ(running.changes[0].reason,
            server.at().ToString() + " is up: answered 2 times in a row");
  const auto verdict = *running.engine->VerdictOf(Service(1), server.at());
  EXPECT_TRUE(verdict.decided);
  EXPECT_LT(steady_clock::now() - verdict.since, milliseconds(200));
  ASSERT_EQ(verdict.checks.size(), 1U);
  EXPECT_EQ(verdict.checks[0].kind, "tcp");
  EXPECT_GT(verdict.checks[0].latency.count(), 0);
  EXPECT_EQ(running.engine->Counters().at("started_tcp"), 2U);
  EXPECT_FALSE(running.engine->VerdictOf(Service(2), server.at()).has_value());
}

TEST(CheckEngine, AServerThatDiesGoesDownInTheTimeItsSettingsPromise) {
  auto server = std::make_unique<TcpServer>(HoldOpen);
  const Endpoint at = server->at();
  Running running;
  running.Watch({Fast(TcpCheck{})}, {at}, 1, /*in_table=*/true);
  EXPECT_TRUE(running.IsUp(at)) << "the kernel had it";
  ASSERT_TRUE(running.RunUntil([&] { return running.engine->decided(); }));
  EXPECT_EQ(running.changes.back().reason, at.ToString() + " is up: first answer");
  server.reset();
  const auto died = steady_clock::now();
  ASSERT_TRUE(running.RunUntil([&] { return !running.IsUp(at); }));
  EXPECT_LT(steady_clock::now() - died, milliseconds(100 + 100 + 100 + 50));
  EXPECT_EQ(running.changes.back().reason,
            at.ToString() + " is down: connection refused, 2 times in a row");
}

TEST(CheckEngine, OneQuestionForManyServices) {
  const TcpServer server(HoldOpen);
  Running running;
  running.Watch({Fast(TcpCheck{})}, {server.at()}, 50);
  ASSERT_TRUE(running.RunUntil([&] { return running.engine->decided(); }));
  EXPECT_EQ(running.engine->Counters().at("started_tcp"), 2U);
  EXPECT_EQ(running.changes.size(), 50U) << "each service is told";
  for (std::uint16_t port = 1; port <= 50; ++port) EXPECT_TRUE(running.IsUp(server.at(), port));
}

TEST(CheckEngine, AllChecksMustSayUp) {
  const TcpServer server(HoldOpen);
  CheckSettings closed = Fast(TcpCheck{});
  closed.port = ClosedPort().port;
  Running running;
  running.Watch({Fast(TcpCheck{}), closed}, {server.at()}, 1, /*in_table=*/true);
  ASSERT_TRUE(running.RunUntil([&] { return !running.IsUp(server.at()); }));
  EXPECT_EQ(running.changes.back().reason,
            server.at().ToString() + " is down: tcp: connection refused, 2 times in a row");
  const auto verdict = *running.engine->VerdictOf(Service(1), server.at());
  ASSERT_EQ(verdict.checks.size(), 2U);
  EXPECT_TRUE(verdict.checks[0].up);
  EXPECT_FALSE(verdict.checks[1].up);
  EXPECT_EQ(verdict.checks[1].reason, "connection refused");
}

TEST(CheckEngine, AWeightIsTold) {
  std::atomic<int> weight = 10;
  const TcpServer server([&](int connection) {
    ReadUntil(connection, "\r\n\r\n");
    Write(connection, "HTTP/1.1 200 OK\r\nX-Weight: " + std::to_string(weight) +
                          "\r\nContent-Length: 0\r\n\r\n");
  });
  Running running;
  running.Watch({Fast(HttpCheck{.weight_header = "X-Weight"})}, {server.at()});
  const auto has = [&](std::uint32_t wanted) {
    return running.engine->VerdictOf(Service(1), server.at())->dynamic_weight == wanted;
  };
  ASSERT_TRUE(running.RunUntil([&] { return running.IsUp(server.at()) && has(10); }));
  weight = 3;
  ASSERT_TRUE(running.RunUntil([&] { return has(3); }));
  EXPECT_EQ(running.changes.back().reason, server.at().ToString() + " is up: weight 3");
}

TEST(CheckEngine, AChangedCheckDoesNotTakeALivingServerDown) {
  const TcpServer server(HoldOpen);
  Running running;
  running.Watch({Fast(TcpCheck{})}, {server.at()});
  ASSERT_TRUE(running.RunUntil([&] { return running.IsUp(server.at()); }));
  const auto since = running.engine->VerdictOf(Service(1), server.at())->since;
  CheckSettings other = Fast(TcpCheck{});
  other.fall = 5;
  running.Watch({other}, {server.at()});
  EXPECT_TRUE(running.IsUp(server.at()));
  EXPECT_FALSE(running.engine->decided());
  ASSERT_TRUE(running.RunUntil([&] { return running.engine->decided(); }));
  EXPECT_TRUE(running.IsUp(server.at()));
  EXPECT_EQ(running.engine->VerdictOf(Service(1), server.at())->since, since);
}

TEST(CheckEngine, TheNextProcessGoesOnWhereThisOneWas) {
  const TcpServer server(HoldOpen);
  const Endpoint closed = ClosedPort();
  Running running;
  CheckSettings slow = Fast(TcpCheck{});
  slow.interval = milliseconds(1000);
  slow.through_vip = false;
  running.Watch({Fast(TcpCheck{})}, {server.at(), closed});
  ASSERT_TRUE(running.RunUntil([&] { return running.engine->decided(); }));
  const auto since = running.engine->VerdictOf(Service(1), server.at())->since;
  const std::string remembered = running.engine->Freeze();
  running.changes.clear();
  running.engine = running.NewEngine();
  running.engine->Thaw(remembered);
  running.Watch({Fast(TcpCheck{})}, {server.at(), closed});
  EXPECT_TRUE(running.engine->decided());
  EXPECT_TRUE(running.IsUp(server.at()));
  EXPECT_FALSE(running.IsUp(closed));
  EXPECT_EQ(running.engine->VerdictOf(Service(1), server.at())->since, since);
  EXPECT_EQ(running.engine->Freeze(), remembered);
  running.RunUntil([] { return false; }, milliseconds(500));
  EXPECT_TRUE(running.changes.empty()) << "nothing changed";
}

TEST(CheckEngine, ThroughTheVipEachServerWantsItsPrivateService) {
  Running running;
  CheckSettings through = Fast(TcpCheck{});
  through.through_vip = true;
  const Endpoint server = *Endpoint::Parse("127.0.0.1:80");
  running.Watch({through}, {server});
  ASSERT_EQ(running.ways.size(), 1U);
  ASSERT_EQ(running.ways[0].size(), 1U);
  EXPECT_EQ(running.ways[0][0].key, ServiceKey(FwmarkKey{0x44520001, Family::kIpv4}));
  running.Watch({through}, {server});
  EXPECT_EQ(running.ways.size(), 1U) << "nothing changed";
  running.Watch({}, {server});
  ASSERT_EQ(running.ways.size(), 2U);
  EXPECT_TRUE(running.ways[1].empty());
}

TEST(CheckEngine, ChangingAndEndingInTheMiddleOfEverythingIsSafe) {
  const TcpServer server(HoldOpen);
  const TcpServer web([](int connection) { HoldOpen(connection); });
  Running running;
  const std::vector<CheckSettings> all = {Fast(TcpCheck{}),
                                          Fast(HttpCheck{}),
                                          Fast(HttpCheck{.tls = true}),
                                          Fast(PingCheck{}),
                                          Fast(SmtpCheck{}),
                                          Fast(DnsCheck{}),
                                          Fast(UdpCheck{.payload = "x"}),
                                          Fast(ScriptCheck{{"/bin/sh", "-c", "sleep 5"}})};
  for (int i = 0; i < 20; ++i) {
    running.Watch(all, i % 2 == 0 ? std::vector{server.at(), web.at()} : std::vector{web.at()});
    running.RunUntil([] { return false; }, milliseconds(i * 7));
  }
  running.engine.reset();
  running.loop.restart();
  running.loop.run_for(milliseconds(50));
}

TEST(CheckEngine, ReconfiguringFromInsideItsOwnNewsIsSafe) {
  boost::asio::io_context loop;
  std::unique_ptr<CheckEngine> engine;
  int told = 0;
  engine = CheckEngine::Create(loop,
                               [&](const VerdictChanged&) {
                                 ++told;
                                 engine->Configure({}, {}, {});
                               },
                               {});
  const Endpoint closed = ClosedPort();
  VirtualService service{.key = Service(1)};
  service.destinations = {{.address = closed.address, .port = closed.port}};
  engine->Configure(
      {{.service = Service(1),
        .checks = {Fast(TcpCheck{}), Fast(PingCheck{}), Fast(ScriptCheck{{"/bin/false"}})}}},
      {service}, {});
  loop.run_for(milliseconds(600));
  EXPECT_GE(told, 1);
  EXPECT_TRUE(engine->decided());
}

}  // namespace
}  // namespace drover
