// The prober against real sockets: what each kind of probe says about a server that answers, is
// slow, refuses, hangs, breaks, and about a network with a gap. Loopback, and namespaces for those
// that need frames with MACs.

#include "node-helper/drill/prober.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "node-helper/drill/http_text.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/probe_packet.h"
#include "node-helper/drill/wire_watch.h"
#include "orchestrator/drill/outage.h"
#include "tests/node-helper/drill/probe_bench.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

const Endpoint kAnyPort{IpAddress::V4({127, 0, 0, 1}), 0};

ResponderSettings Loopback() { return {.name = "rs1", .udp = {kAnyPort}, .http = {kAnyPort}}; }

ProbeRunSeries Series(ProbeKind kind, const Endpoint& target) {
  ProbeRunSeries series{.name = std::string(ToString(kind)), .kind = kind, .target = target};
  series.period = milliseconds(2);
  series.deadline = milliseconds(200);
  series.connections = kind == ProbeKind::kLongLived ? 10 : 1;
  return series;
}

ProberSettings Settings(std::vector<ProbeRunSeries> series,
                        ProbeTime duration = milliseconds(300)) {
  return {.name = "probe1", .series = std::move(series), .duration = duration};
}

struct Ran {
  ProberRun run;
  ProbeLog log;
  [[nodiscard]] ProbeTally Tally(std::size_t series = 0) const {
    return TallyOf(log, series, ProbeTime(0), kMaxProbeTime);
  }
};

Ran Probe(const ProberSettings& settings) {
  Ran ran;
  const auto stop = StopEvent::Create();
  auto run = RunProber(settings, stop.value());
  EXPECT_TRUE(run.has_value()) << run.error().message;
  if (!run) return ran;
  ran.run = std::move(*run);
  auto log = DecodeProbeLog(ran.run.log);
  EXPECT_TRUE(log.has_value()) << log.error().message;
  if (log) ran.log = std::move(*log);
  return ran;
}

TEST(Prober, EveryKindOfProbeIsAnsweredByAResponder) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  const Endpoint udp = server.responder().udp().front();
  const Endpoint http = server.responder().http().front();
  const Ran ran = Probe(
      Settings({Series(ProbeKind::kPath, udp), Series(ProbeKind::kConnect, http),
                Series(ProbeKind::kConnectDefaults, http), Series(ProbeKind::kLongLived, http)}));
  ASSERT_EQ(ran.log.header.series.size(), 4U);
  EXPECT_EQ(ran.log.responders, (std::vector<std::string>{"", "rs1"}));
  EXPECT_EQ(ran.log.macs.size(), 1U);  // frames of lo have none
  for (std::size_t series = 0; series < 4; ++series) {
    const ProbeTally tally = ran.Tally(series);
    EXPECT_EQ(tally.ok + tally.late + tally.unsent, 150U) << series;  // 300 ms, every 2 ms
    EXPECT_GT(tally.ok, 100U) << series;
    ProbeTime planned(-1);
    for (const ProbeRecord& record : ran.log.records) {
      if (record.series != series) continue;
      EXPECT_GT(record.planned, planned);
      EXPECT_TRUE(planned < ProbeTime(0) || record.planned - planned == milliseconds(2));
      planned = record.planned;
      if (record.fate != ProbeFate::kUnsent) {
        EXPECT_NE(record.local_port, 0);
      }
    }
  }
}

TEST(Prober, ReportsItsLagAndProgress) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  ProberSettings settings = Settings({Series(ProbeKind::kPath, server.responder().udp().front())});
  std::uint64_t seen = 0;
  int reports = 0;
  settings.progress = [&](const ProbeProgress& progress) {
    ++reports;
    for (const std::uint64_t count : progress.fates.at(0)) seen += count;
  };
  const Ran ran = Probe(settings);
  EXPECT_EQ(seen, 150U);
  EXPECT_GE(reports, 3);
  ASSERT_EQ(ran.run.lag.size(), 1U);
  EXPECT_EQ(ran.run.lag[0].planned, 150U);
  EXPECT_LE(ran.run.lag[0].p50, ran.run.lag[0].p99);
}

TEST(Prober, ARateThatCannotBeDrivenVoidsTheRun) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  ProbeRunSeries series = Series(ProbeKind::kConnect, server.responder().http().front());
  series.period = ProbeTime(1);  // a million connections per second
  series.deadline = milliseconds(20);
  const Ran ran = Probe(Settings({series}, milliseconds(100)));
  EXPECT_TRUE(ran.run.void_reason.starts_with("series connect: ")) << ran.run.void_reason;
  EXPECT_EQ(ran.log.records.size(), 100'000U);
  EXPECT_GT(ran.Tally().unsent, 50'000U);
}

TEST(Prober, ClosedPortsAreErrors) {
  Endpoint udp;
  Endpoint http;
  {
    ResponderThread server(Loopback());
    ASSERT_TRUE(server.ok()) << server.error();
    udp = server.responder().udp().front();
    http = server.responder().http().front();
  }
  const Ran ran = Probe(Settings({Series(ProbeKind::kPath, udp), Series(ProbeKind::kConnect, http),
                                  Series(ProbeKind::kLongLived, http)},
                                 milliseconds(100)));
  for (std::size_t series = 0; series < 3; ++series) {
    const ProbeTally tally = ran.Tally(series);
    EXPECT_EQ(tally.error + tally.unsent, 50U) << series;
  }
  for (const ProbeRecord& record : ran.log.records) {
    if (record.fate == ProbeFate::kError) {
      EXPECT_EQ(record.error, ProbeError::kRefused) << int(record.series);
    }
  }
}

TEST(Prober, AnswersOfASickApplicationAreErrorsOrLate) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  const Endpoint http = server.responder().http().front();
  server.responder().Misbehave(503, milliseconds(0), std::chrono::seconds(60));
  const Ran errors = Probe(Settings({Series(ProbeKind::kConnect, http)}, milliseconds(100)));
  EXPECT_EQ(errors.Tally().error + errors.Tally().unsent, 50U);
  EXPECT_EQ(errors.log.records.back().error, ProbeError::kServer);
  EXPECT_EQ(errors.log.responders.at(errors.log.records.back().responder), "rs1");
  server.responder().Misbehave(200, milliseconds(80), std::chrono::seconds(60));
  std::vector<ProbeRunSeries> both = {Series(ProbeKind::kConnect, http),
                                      Series(ProbeKind::kLongLived, http)};
  for (ProbeRunSeries& series : both) {
    series.deadline = milliseconds(40);
    series.give_up = milliseconds(2000);
  }
  const Ran late = Probe(Settings(both, milliseconds(100)));
  EXPECT_EQ(late.Tally(0).late + late.Tally(0).unsent, 50U);
  EXPECT_EQ(late.Tally(1).late + late.Tally(1).unsent, 50U);
  server.responder().Misbehave(503, milliseconds(0), milliseconds(0));  // its time is over
  EXPECT_GT(Probe(Settings({Series(ProbeKind::kConnect, http)}, milliseconds(50))).Tally().ok, 0U);
}

// A listener that accepts and never answers (its backlog does), or answers what a test wants.
class RawServer {
 public:
  RawServer() {
    fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const ProbeAddress any = ProbeAddressOf(kAnyPort.address, 0);
    EXPECT_EQ(::bind(fd_.get(), any.get(), any.length), 0);
    EXPECT_EQ(::listen(fd_.get(), 1024), 0);
  }
  [[nodiscard]] Endpoint endpoint() const { return {kAnyPort.address, LocalPortOf(fd_.get())}; }
  [[nodiscard]] Descriptor Accept() const {
    return Descriptor(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  Descriptor fd_;
};

TEST(Prober, AServerThatHangsIsALoss) {
  const RawServer server;
  ProbeRunSeries connect = Series(ProbeKind::kConnect, server.endpoint());
  ProbeRunSeries only_tcp = connect;
  only_tcp.name = "tcp only";
  only_tcp.path.clear();
  connect.deadline = milliseconds(50);
  const Ran ran = Probe(Settings({connect, only_tcp}, milliseconds(100)));
  EXPECT_EQ(ran.Tally(0).lost + ran.Tally(0).unsent, 50U);
  // The kernel answers for it: a probe of the connection alone is blind.
  EXPECT_EQ(ran.Tally(1).lost, 0U);
  EXPECT_GT(ran.Tally(1).ok, 0U);
}

TEST(Prober, OneConnectionAnsweredByTwoServersIsWrong) {
  const RawServer server;
  std::thread two([&server] {
    const Descriptor client = server.Accept();
    std::string in;
    std::array<char, 4096> buffer;
    for (int answered = 0;;) {
      const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return;
      in.append(buffer.data(), static_cast<std::size_t>(size));
      while (const auto request = TakeProbeRequest(in)) {
        const std::string reply =
            ProbeHttpReply(*request, 200, answered++ < 5 ? "rs1" : "rs2", MacAddress{});
        (void)::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
      }
    }
  });
  ProbeRunSeries series = Series(ProbeKind::kLongLived, server.endpoint());
  series.connections = 1;
  const Ran ran = Probe(Settings({series}, milliseconds(40)));
  two.join();
  ASSERT_EQ(ran.log.records.size(), 20U);
  EXPECT_EQ(ran.Tally().wrong + ran.Tally().ok + ran.Tally().unsent, 20U);
  EXPECT_LE(ran.Tally().ok, 5U);
  EXPECT_GT(ran.Tally().wrong, 0U);
}

TEST(Prober, AConnectionThatBreaksIsReplacedUnderANewNumber) {
  const RawServer server;
  std::atomic<int> connections{0};
  std::thread breaking([&] {
    // The first connection is reset upon its third request; the next one goes on.
    for (int number = 0; number < 2; ++number) {
      const Descriptor client = server.Accept();
      ++connections;
      std::string in;
      std::array<char, 4096> buffer;
      for (int requests = 0;;) {
        const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) break;
        in.append(buffer.data(), static_cast<std::size_t>(size));
        bool broken = false;
        while (const auto request = TakeProbeRequest(in)) {
          if (number == 0 && ++requests == 3) {
            const linger reset{1, 0};
            (void)::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            broken = true;
            break;
          }
          const std::string reply = ProbeHttpReply(*request, 200, "rs1", MacAddress{});
          (void)::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
        }
        if (broken) break;
      }
    }
  });
  ProbeRunSeries series = Series(ProbeKind::kLongLived, server.endpoint());
  series.connections = 1;
  series.period = milliseconds(5);
  const Ran ran = Probe(Settings({series}, milliseconds(100)));
  breaking.join();
  EXPECT_EQ(connections, 2);
  ASSERT_EQ(ran.log.records.size(), 20U);
  EXPECT_EQ(ran.log.records.front().stream, 1U);
  EXPECT_EQ(ran.log.records.back().stream, 2U);
  EXPECT_EQ(ran.log.records.back().fate, ProbeFate::kOk);
  EXPECT_GE(ran.Tally().error, 1U);
  for (const ProbeRecord& record : ran.log.records) {
    if (record.fate == ProbeFate::kError) {
      EXPECT_EQ(record.error, ProbeError::kReset);
      EXPECT_EQ(record.stream, 1U);
    }
  }
}

TEST(Prober, AServerThatClosesInGoodOrderLosesNothing) {
  const RawServer server;
  std::thread limited([&server] {
    // Two requests per connection, as a server with a limit of its own.
    for (int number = 0; number < 10; ++number) {
      const Descriptor client = server.Accept();
      std::string in;
      std::array<char, 4096> buffer;
      for (int answered = 0; answered < 2;) {
        const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) return;
        in.append(buffer.data(), static_cast<std::size_t>(size));
        while (answered < 2) {
          auto request = TakeProbeRequest(in);
          if (!request) break;
          request->keeps = ++answered < 2;
          const std::string reply = ProbeHttpReply(*request, 200, "rs1", MacAddress{});
          (void)::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
        }
      }
    }
  });
  ProbeRunSeries series = Series(ProbeKind::kLongLived, server.endpoint());
  series.connections = 1;
  series.period = milliseconds(5);
  const Ran ran = Probe(Settings({series}, milliseconds(100)));
  limited.join();
  EXPECT_EQ(ran.Tally().ok + ran.Tally().late + ran.Tally().unsent, 20U);
  EXPECT_GE(ran.log.records.back().stream, 10U);
}

TEST(Prober, MarkersOfOthersAreOnItsClock) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  ProberSettings settings = Settings({Series(ProbeKind::kPath, server.responder().udp().front())});
  settings.markers = Endpoint{kAnyPort.address, 47811};
  Descriptor sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ProbeTime asked{0};
  settings.progress = [&](const ProbeProgress& progress) {
    if (asked != ProbeTime(0)) return;
    asked = progress.at;
    const auto bytes = EncodeProbeMarker({.text = "injected"});
    const ProbeAddress to = ProbeAddressOf(settings.markers->address, settings.markers->port);
    (void)::sendto(sender.get(), bytes.data(), bytes.size(), 0, to.get(), to.length);
    (void)::sendto(sender.get(), "noise", 5, 0, to.get(), to.length);
  };
  const Ran ran = Probe(settings);
  ASSERT_EQ(ran.log.markers.size(), 1U);
  EXPECT_EQ(ran.log.markers[0].text, "injected");
  EXPECT_GE(ran.log.markers[0].at, asked);
}

TEST(Prober, RealTimePriorityEndsWithTheRun) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  ProberSettings settings =
      Settings({Series(ProbeKind::kPath, server.responder().udp().front())}, milliseconds(50));
  settings.real_time_priority = 10;
  int during = -1;
  settings.progress = [&](const ProbeProgress&) {
    during = ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
  };
  const int before = ::sched_getscheduler(0);
  EXPECT_GT(Probe(settings).Tally().ok, 0U);
  EXPECT_EQ(::sched_getscheduler(0), before);
  EXPECT_TRUE(during == SCHED_RR || ::geteuid() != 0) << during;
}

TEST(Prober, StopsWhenItIsToldAndKeepsWhatItHas) {
  ResponderThread server(Loopback());
  ASSERT_TRUE(server.ok()) << server.error();
  ProberSettings settings = Settings({Series(ProbeKind::kPath, server.responder().udp().front())},
                                     std::chrono::seconds(60));
  const auto stop = StopEvent::Create();
  settings.progress = [&](const ProbeProgress&) { stop->Stop(); };
  const auto run = RunProber(settings, *stop);
  ASSERT_TRUE(run.has_value());
  const auto log = DecodeProbeLog(run->log);
  ASSERT_TRUE(log.has_value());
  EXPECT_GE(log->records.size(), 40U);
  EXPECT_LT(log->records.size(), 10'000U);
}

TEST(Prober, RefusesWhatItCannotDo) {
  const Endpoint target = Endpoint::Parse("10.0.0.100:80").value();
  const auto refused = [&](auto&& change) {
    ProberSettings settings = Settings({Series(ProbeKind::kConnect, target)});
    change(settings);
    return !ValidateProber(settings).has_value();
  };
  EXPECT_FALSE(refused([](ProberSettings&) {}));
  EXPECT_TRUE(refused([](auto& s) { s.series.clear(); }));
  EXPECT_TRUE(refused([](auto& s) { s.series.push_back(s.series[0]); }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].target.port = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].period = ProbeTime(0); }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].connections = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].connections = kMaxPopulation + 1; }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].path = "/a b"; }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].path = "a"; }));
  EXPECT_TRUE(refused([](auto& s) { s.series[0].source = IpAddress::Parse("::1").value(); }));
  EXPECT_TRUE(refused([](auto& s) { s.duration = ProbeTime(0); }));
  EXPECT_TRUE(refused([](auto& s) { s.first_port = 80; }));
  EXPECT_TRUE(refused([](auto& s) { s.real_time_priority = 100; }));
  EXPECT_TRUE(refused([](auto& s) {
    s.duration = std::chrono::hours(12);
    s.series[0].period = ProbeTime(1000);
  }));
}

TEST(Responder, NeedsANameAndAnAddressOfItsOwn) {
  EXPECT_FALSE(Responder::Open({.name = "rs1"}).has_value());
  EXPECT_FALSE(Responder::Open({.name = "", .udp = {kAnyPort}}).has_value());
  EXPECT_FALSE(Responder::Open({.name = "two words", .udp = {kAnyPort}}).has_value());
  const auto foreign =
      Responder::Open({.name = "rs1", .udp = {{IpAddress::V4({192, 0, 2, 1}), 7}}});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_NE(foreign.error().message.find("udp 192.0.2.1:7"), std::string::npos);
}

// Everything below runs in namespaces, with frames that have MACs.
class ProberLan : public testing::Test {
 protected:
  void SetUp() override {
    // In a thread of its own, so that the other tests keep their network.
    if (!allowed_) GTEST_SKIP() << "needs root";
  }
  template <typename Body>
  void InNewNetwork(Body&& body) {
    std::thread([&] {
      ASSERT_TRUE(EnterNewNetwork());
      ResponderThread server({.name = "rs1",
                              .udp = {{IpAddress::V4({0, 0, 0, 0}), 7007}},
                              .http = {{IpAddress::V4({0, 0, 0, 0}), 8080}}},
                             /*own_network=*/true);
      ASSERT_TRUE(server.ok()) << server.error();
      body(server);
    }).join();
  }
  const IpAddress server_ = IpAddress::V4({10, 77, 0, 2});
  const bool allowed_ = ::geteuid() == 0;
};

TEST_F(ProberLan, TheResponderNamesTheMacThatTheRequestCameFrom) {
  InNewNetwork([this](ResponderThread& server) {
    EXPECT_EQ(server.responder().note(), "");
    const Ran ran = Probe(Settings(
        {Series(ProbeKind::kPath, {server_, 7007}), Series(ProbeKind::kConnect, {server_, 8080}),
         Series(ProbeKind::kLongLived, {server_, 8080})},
        milliseconds(200)));
    ASSERT_EQ(ran.log.macs.size(), 2U);
    EXPECT_EQ(MacText(ran.log.macs[1]), "02:00:00:00:77:01");
    for (const ProbeRecord& record : ran.log.records) {
      if (record.fate == ProbeFate::kOk) {
        EXPECT_EQ(record.mac, 1) << int(record.series);
      }
    }
    for (std::size_t series = 0; series < 3; ++series) EXPECT_GT(ran.Tally(series).ok, 50U);
  });
}

TEST_F(ProberLan, ASynIsAnsweredWithoutAnybodysHelp) {
  InNewNetwork([this](ResponderThread& server) {
    ProbeRunSeries open = Series(ProbeKind::kPath, {server_, 8080});
    open.path.clear();
    open.period = milliseconds(1);
    ProbeRunSeries closed = open;
    closed.name = "closed";
    closed.target.port = 81;  // nobody listens: the reset is an answer as well
    const Ran ran = Probe(Settings({open, closed}, milliseconds(300)));
    std::set<std::uint16_t> ports;
    for (std::size_t series = 0; series < 2; ++series) {
      const ProbeTally tally = ran.Tally(series);
      EXPECT_EQ(tally.ok + tally.late + tally.unsent, 300U) << series;
      EXPECT_GT(tally.ok, 200U) << series;
    }
    for (const ProbeRecord& record : ran.log.records) ports.insert(record.local_port);
    EXPECT_EQ(ports.size(), 600U - ran.Tally(0).unsent - ran.Tally(1).unsent);
    // Nothing is left half open: this host's own resets have ended it.
    EXPECT_TRUE(server.Run("test -z \"$(ss -Htn state syn-recv)\""));
    EXPECT_EQ(server.responder().counts().refused, 0U);
  });
}

// A raw socket hears the answers to all connections of this host, also to those that are opened
// before the run begins.
TEST_F(ProberLan, SynProbesDoNotMindConnectionsToTheSamePort) {
  InNewNetwork([this](ResponderThread&) {
    ProbeRunSeries syn = Series(ProbeKind::kPath, {server_, 8080});
    syn.path.clear();
    const Ran ran = Probe(Settings({syn, Series(ProbeKind::kLongLived, {server_, 8080}),
                                    Series(ProbeKind::kConnect, {server_, 8080})},
                                   milliseconds(200)));
    ASSERT_EQ(ran.log.header.series.size(), 3U);
    for (std::size_t series = 0; series < 3; ++series) {
      const ProbeTally tally = ran.Tally(series);
      EXPECT_EQ(tally.ok + tally.late + tally.unsent, 100U) << series;
      EXPECT_GT(tally.ok, 50U) << series;
    }
  });
}

TEST_F(ProberLan, ASynIntoAHoleIsLost) {
  InNewNetwork([this](ResponderThread& server) {
    ASSERT_TRUE(server.Run("ip route add blackhole 10.77.0.1"));
    ProbeRunSeries syn = Series(ProbeKind::kPath, {server_, 8080});
    syn.path.clear();
    syn.deadline = milliseconds(50);
    const Ran ran = Probe(Settings({syn}, milliseconds(100)));
    EXPECT_EQ(ran.Tally().lost + ran.Tally().unsent, 50U);
    EXPECT_EQ(ran.Tally().ok, 0U);
  });
}

TEST_F(ProberLan, TheWatchSeesWhoHasAnAddressAndWhatWasSaid) {
  InNewNetwork([](ResponderThread& server) {
    ASSERT_TRUE(server.Run("ip addr add 10.77.0.100/32 dev eth0"));
    const IpAddress vip = IpAddress::V4({10, 77, 0, 100});
    const IpAddress routed = IpAddress::V4({127, 0, 0, 1});
    auto watch = WireWatch::Start({.vips = {vip, routed}, .owner_period = milliseconds(10)});
    ASSERT_TRUE(watch.has_value()) << watch.error().message;
    std::vector<MacAddress> owners;
    for (int tries = 0; tries < 200 && owners.empty(); ++tries) {
      std::this_thread::sleep_for(milliseconds(10));
      owners = (*watch)->TakeOwners();
    }
    ASSERT_EQ(owners.size(), 1U);
    EXPECT_EQ(MacText(owners[0]), "02:00:00:00:77:02");
    const WireWatch::Seen seen = (*watch)->Finish();
    ASSERT_EQ(seen.notes.size(), 1U);
    EXPECT_NE(seen.notes[0].find("127.0.0.1"), std::string::npos);
    ASSERT_GE(seen.frames.size(), 2U);  // a question of ours and its answer
    EXPECT_EQ(seen.frames[0].bytes.at(0), 0xff);
    const auto answer =
        std::find_if(seen.frames.begin(), seen.frames.end(),
                     [](const CapturedFrame& frame) { return frame.bytes.at(11) == 2; });
    ASSERT_NE(answer, seen.frames.end());
    EXPECT_GE(answer->monotonic_us, seen.frames[0].monotonic_us);
    // Our question named our own address, which the other side may learn.
    EXPECT_TRUE(server.Run("ip neigh show 10.77.0.1 | grep -q 02:00:00:00:77:01"));
    const std::string pcap = EncodePcap(seen.frames, 0, 0);
    EXPECT_EQ(pcap.substr(0, 6), std::string("\xd4\xc3\xb2\xa1\x02\0", 6));
  });
}

TEST_F(ProberLan, TheEchoComesFromTheAddressThatWasAsked) {
  InNewNetwork([](ResponderThread& server) {
    ASSERT_TRUE(server.Run("ip addr add 10.77.0.100/32 dev lo"));
    const Ran ran = Probe(Settings(
        {Series(ProbeKind::kPath, {IpAddress::V4({10, 77, 0, 100}), 7007})}, milliseconds(100)));
    EXPECT_GT(ran.Tally().ok, 25U);  // the prober's socket is connected: others do not reach it
  });
}

TEST_F(ProberLan, AGapInTheNetworkIsMeasuredToThePeriod) {
  InNewNetwork([this](ResponderThread& server) {
    ProbeRunSeries path = Series(ProbeKind::kPath, {server_, 7007});
    path.period = milliseconds(1);
    path.deadline = milliseconds(100);
    ProberSettings settings = Settings({path}, milliseconds(1500));
    std::optional<ProbeTime> down;
    std::optional<ProbeTime> up;
    std::vector<std::thread> hands;
    settings.progress = [&](const ProbeProgress& progress) {
      if (!down && progress.at > milliseconds(400)) {
        down = progress.at;
        hands.emplace_back([&server] { (void)server.Run("ip route add blackhole 10.77.0.1"); });
      } else if (!up && progress.at > milliseconds(800)) {
        up = progress.at;
        hands.emplace_back([&server] { (void)server.Run("ip route del blackhole 10.77.0.1"); });
      }
    };
    const Ran ran = Probe(settings);
    for (std::thread& hand : hands) hand.join();
    const auto outage = LongestOf(FindOutages(PointsOf(ran.log, 0), path.period, ProbeTime(0)));
    ASSERT_TRUE(outage.has_value());
    ASSERT_TRUE(outage->gap().has_value());
    EXPECT_GT(*outage->gap(), milliseconds(200));
    EXPECT_GE(*outage->last_ok + milliseconds(5), *down);
    EXPECT_EQ(ran.Tally().error, 0U);
    EXPECT_GE(ran.Tally().lost, outage->bad);
    EXPECT_EQ(ran.log.records.size(), 1500U);
  });
}

TEST_F(ProberLan, EstablishedConnectionsThatStallAnswerLate) {
  InNewNetwork([this](ResponderThread& server) {
    ProbeRunSeries chatty = Series(ProbeKind::kLongLived, {server_, 8080});
    chatty.period = milliseconds(10);
    chatty.deadline = milliseconds(50);
    chatty.give_up = milliseconds(3000);
    ProberSettings settings = Settings({chatty}, milliseconds(800));
    bool down = false;
    bool up = false;
    settings.progress = [&](const ProbeProgress& progress) {
      if (!down && progress.at > milliseconds(200)) {
        down = server.Run("ip route add blackhole 10.77.0.1");
      } else if (down && !up && progress.at > milliseconds(300)) {
        up = server.Run("ip route del blackhole 10.77.0.1");
      }
    };
    const Ran ran = Probe(settings);
    ASSERT_TRUE(down && up);
    EXPECT_GT(ran.Tally().late, 0U);
    EXPECT_EQ(ran.Tally().lost, 0U);   // TCP repeats what was lost
    EXPECT_EQ(ran.Tally().error, 0U);  // and nothing breaks
    EXPECT_EQ(ran.log.records.back().stream, 10U);
  });
}

}  // namespace
}  // namespace drover
