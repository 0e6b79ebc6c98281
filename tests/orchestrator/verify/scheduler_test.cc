// The schedulers that can be told beforehand. The kernel itself is asked by
// tests/lab/verify_test.py, scheduler by scheduler.

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "orchestrator/verify/chi_square.h"
#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/hash_scheduler.h"
#include "orchestrator/verify/kernel_hash.h"
#include "orchestrator/verify/least_scheduler.h"
#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }

ExpectedService Hashed(const std::string& scheduler, const std::vector<std::uint32_t>& weights = {},
                       const std::vector<std::string>& flags = {}) {
  ExpectedService service = Service(scheduler);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    service.servers[i].destination.weight = weights[i];
  }
  service.scheduler_flags = flags;
  return service;
}

std::string ChoiceOf(const ExpectedService& service, const std::string& client,
                     std::uint16_t port = 0) {
  const auto server = HashScheduler::Of(service)->Choose(Ip(client), port);
  return server ? service.servers[*server].name : "refused";
}

std::map<std::string, int> PlacesOf(const ExpectedService& service) {
  std::map<std::string, int> places;
  const auto scheduler = HashScheduler::Of(service);
  for (const std::size_t server : scheduler->table()) {
    ++places[service.servers[server].name];
  }
  return places;
}

TEST(KernelHash, MatchesKnownValues) {
  EXPECT_EQ(GoldenHash32(1, 8), 0x61U);
  EXPECT_EQ(GoldenHash32(0x0a4d0002, 8), 236U);
  EXPECT_EQ(SipHash13Of32(0, 0), 0x9ac48af0U);
  EXPECT_EQ(SipHash13Of32(0x0a4d0002, 2654435761), 0xb7802ca0U);
  EXPECT_EQ(FoldAddress(Ip("10.77.0.2")), 0x0a4d0002U);
  EXPECT_EQ(FoldAddress(Ip("2001:db8::1")), 0x20010db8U ^ 1U);
}

TEST(HashScheduler, ShFillsItsBucketsByWeightFromTheServerAddedLast) {
  EXPECT_EQ(PlacesOf(Hashed("sh")),
            (std::map<std::string, int>{{"rs3", 86}, {"rs2", 85}, {"rs1", 85}}));
  // One round of 2 + 3 + 1, from rs3 on; without weight there is still one bucket.
  EXPECT_EQ(PlacesOf(Hashed("sh", {2, 3, 1})),
            (std::map<std::string, int>{{"rs3", 43}, {"rs2", 129}, {"rs1", 84}}));
  const auto scheduler = HashScheduler::Of(Hashed("sh", {2, 0, 1}));
  const auto& table = scheduler->table();
  EXPECT_EQ((std::vector<std::size_t>(table.begin(), table.begin() + 5)),
            (std::vector<std::size_t>{2, 1, 0, 0, 2}));
}

TEST(HashScheduler, DhLooksAtTheVirtualAddressAlone) {
  const std::string first = ChoiceOf(Hashed("dh"), "10.0.0.9");
  for (int i = 1; i < 50; ++i) {
    EXPECT_EQ(ChoiceOf(Hashed("dh"), "10.0.0." + std::to_string(i), 40000), first);
  }
  // Weights change nothing, but for one of 0, which refuses.
  EXPECT_EQ(ChoiceOf(Hashed("dh", {9, 5, 7}), "10.0.0.9"), first);
  EXPECT_EQ(ChoiceOf(Hashed("dh", {0, 0, 0}), "10.0.0.9"), "refused");
}

TEST(HashScheduler, MhFillsAPrimeTableEvenlyAndByWeight) {
  for (const auto& [name, places] : PlacesOf(Hashed("mh")))
    EXPECT_NEAR(places, 4093 / 3.0, 1) << name;
  const auto places = PlacesOf(Hashed("mh", {300, 100, 100}));
  EXPECT_NEAR(places.at("rs1"), 4093 * 0.6, 3);
  EXPECT_NEAR(places.at("rs2"), 4093 * 0.2, 3);
}

TEST(HashScheduler, MhKeepsClientsOfOthersWhereTheyAreWhenOneIsDrained) {
  ExpectedService drained = Hashed("mh");
  drained.servers[1].destination.weight = 0;
  drained.servers[1].last_weight = 1;
  ExpectedService with_fallback = drained;
  with_fallback.scheduler_flags = {"mh-fallback"};
  int refused = 0;
  for (int i = 1; i < 255; ++i) {
    const std::string client = "10.0.1." + std::to_string(i);
    const std::string before = ChoiceOf(Hashed("mh"), client);
    const std::string after = ChoiceOf(drained, client);
    EXPECT_EQ(after, before == "rs2" ? "refused" : before);
    refused += after == "refused" ? 1 : 0;
    const std::string instead = ChoiceOf(with_fallback, client);
    EXPECT_TRUE(instead == "rs1" || instead == "rs3");
  }
  EXPECT_NEAR(refused, 85, 25);
}

TEST(HashScheduler, PortsSpreadOneClientWhereTheFlagSaysSo) {
  for (const std::string scheduler : {"sh", "mh"}) {
    std::map<std::string, int> without;
    std::map<std::string, int> with;
    for (std::uint16_t port = 40000; port < 40100; ++port) {
      ++without[ChoiceOf(Hashed(scheduler), "10.0.0.9", port)];
      ++with[ChoiceOf(Hashed(scheduler, {}, {scheduler + "-port"}), "10.0.0.9", port)];
    }
    EXPECT_EQ(without.size(), 1U) << scheduler;
    EXPECT_EQ(with.size(), 3U) << scheduler;
  }
}

TEST(HashScheduler, OtherSchedulersHaveNoTable) {
  EXPECT_FALSE(HashScheduler::Of(Service("rr")));
  ExpectedService empty = Service("mh");
  empty.servers.clear();
  EXPECT_FALSE(HashScheduler::Of(empty));
  ExpectedService all_zero = Hashed("mh", {0, 0, 0});
  EXPECT_EQ(ChoiceOf(all_zero, "10.0.0.9"), "refused");
}

// --- through the judge

ProbeOutcome Predicted(const ExpectedService& service, int connections, std::size_t off = 0) {
  ProbeOutcome outcome = Outcome({});
  outcome.services.front().source = "10.0.0.9";
  const auto scheduler = HashScheduler::Of(service);
  for (int i = 0; i < connections; ++i) {
    const auto port = static_cast<std::uint16_t>(40000 + i);
    const std::size_t server = (*scheduler->Choose(Ip("10.0.0.9"), port) + off) % 3;
    ProbeConnection connection = Answer(service.servers[server].name);
    connection.local_port = port;
    outcome.services.front().connections.push_back(std::move(connection));
  }
  return outcome;
}

TEST(PredictionLaw, EachConnectionIsHeldAgainstTheTable) {
  for (const std::string scheduler : {"sh", "mh", "dh"}) {
    ExpectedService service = Hashed(scheduler);
    service.order_seen = true;
    VerifyReport report = Judge(Expect(service), Predicted(service, 12));
    EXPECT_EQ(Rules(report), "") << scheduler;
    EXPECT_EQ(report.services.front().law, "exact: " + scheduler + ", each connection predicted");
    // All on one server, but on the wrong one: only the prediction sees that.
    report = Judge(Expect(service), Predicted(service, 12, 1));
    EXPECT_EQ(Rules(report), scheduler + "-distribution");
    service.order_seen = false;
    report = Judge(Expect(service), Predicted(service, 12, 1));
    EXPECT_EQ(Rules(report), "") << scheduler;
    EXPECT_NE(report.services.front().law.find("order, which was not seen"), std::string::npos);
  }
  ExpectedService ports = Hashed("mh", {}, {"mh-port"});
  ports.order_seen = true;
  EXPECT_EQ(Rules(Judge(Expect(ports), Predicted(ports, 40))), "");
  EXPECT_EQ(Rules(Judge(Expect(ports), Predicted(ports, 40, 1))), "mh-distribution");
}

TEST(LeastScheduler, ChoosesAsTheKernelDoes) {
  struct Case {
    std::string scheduler;
    std::vector<std::uint32_t> weights;
    std::vector<OpenConnections> open;
    std::size_t choice;
  };
  const std::vector<Case> cases = {
      {"lc", {1, 1, 1}, {{0, 0}, {0, 0}, {0, 0}}, 2},      // ties: who was added last
      {"lc", {9, 1, 1}, {{0, 1}, {0, 0}, {0, 2}}, 1},      // weights do not count
      {"lc", {1, 1, 1}, {{1, 0}, {0, 255}, {0, 256}}, 1},  // an active one is 256 inactive ones
      {"wlc", {2, 1, 1}, {{0, 3}, {0, 2}, {0, 2}}, 0},
      {"wlc", {2, 1, 1}, {{0, 4}, {0, 2}, {0, 2}}, 2},
      {"sed", {3, 1, 1}, {{1, 0}, {0, 0}, {0, 0}}, 0},
      {"sed", {2, 1, 1}, {{1, 9}, {0, 0}, {0, 0}}, 2},
      {"nq", {9, 1, 1}, {{1, 0}, {0, 0}, {1, 0}}, 1},  // an idle one whatever its weight
      {"wlc", {1, 1, 0}, {{0, 1}, {0, 1}, {0, 0}}, 1},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ChooseLeast(Hashed(c.scheduler, c.weights), c.open), c.choice) << c.scheduler;
  }
  EXPECT_FALSE(ChooseLeast(Hashed("wlc", {0, 0, 0}), {{}, {}, {}}));
}

std::vector<TableBefore> Table(std::vector<std::uint32_t> inactive, bool foreign = false) {
  return {{.service = kWeb,
           .active = {0, 0, 0},
           .inactive = std::move(inactive),
           .foreign_traffic = foreign}};
}

TEST(PredictionLaw, LeastConnectionIsReplayedFromTheTable) {
  const VerifyExpectation expectation = Expect(Service("wlc"));
  const ProbeOutcome right = Outcome(Connections("rs3 rs2 rs1 rs3 rs2 rs1"));
  VerifyReport report = Judge(expectation, right, Table({0, 0, 0}));
  EXPECT_EQ(Rules(report), "");
  EXPECT_EQ(report.services.front().law, "exact: wlc, replayed from the director's table");
  EXPECT_EQ(Rules(Judge(expectation, Outcome(Connections("rs1 rs2 rs3")), Table({0, 0, 0}))),
            "wlc-distribution");
  EXPECT_EQ(Rules(Judge(expectation, Outcome(Connections("rs1 rs1 rs3")), Table({0, 2, 2}))), "");
  // Where the replay may be off it says so and finds nothing.
  for (const auto& table : {Table({0, 0, 0}, true), Table({5, 0, 0})}) {
    report = Judge(expectation, Outcome(Connections("rs1 rs2 rs3")), table);
    EXPECT_EQ(Rules(report), "");
    EXPECT_TRUE(report.services.front().law.starts_with("inexact: wlc"));
    EXPECT_EQ(report.notes.size(), 1U);
  }
  EXPECT_EQ(Judge(expectation, right).services.front().law,
            "members only: wlc chooses by the connections that all clients have open");
}

TEST(PredictionLaw, ADatagramLeavesAnInactiveConnectionOrWithOnePacketNone) {
  ExpectedService service = Service("lc");
  service.key.transport = Transport::kUdp;
  EXPECT_EQ(LawOf(service).kind, LawKind::kLeast);
  const std::vector<OpenConnections> empty(3);
  EXPECT_EQ(ReplayLeast(service, empty, 4), (std::vector<std::string>{"rs3", "rs2", "rs1", "rs3"}));
  service.one_packet = true;
  EXPECT_EQ(ReplayLeast(service, empty, 3), (std::vector<std::string>{"rs3", "rs3", "rs3"}));
}

TEST(ChiSquare, TailHasTheValuesOfTheTables) {
  EXPECT_NEAR(ChiSquareTail(3.841, 1), 0.05, 1e-4);
  EXPECT_NEAR(ChiSquareTail(13.816, 2), 0.001, 1e-6);
  EXPECT_NEAR(ChiSquareTail(16.266, 3), 0.001, 1e-6);
  EXPECT_NEAR(ChiSquareTail(2, 2), std::exp(-1), 1e-12);
  EXPECT_NEAR(ChiSquareTail(100, 120), 0.9077, 1e-3);
  EXPECT_EQ(ChiSquareTail(0, 4), 1);
}

TEST(PredictionLaw, RandomChoiceIsTestedByShares) {
  const auto judge = [](const std::string& sequence, int times) {
    return Judge(Expect(Service("twos")), Outcome(Connections(sequence, times)));
  };
  EXPECT_EQ(Rules(judge("rs1 rs2 rs3 rs1 rs2", 10)), "");
  EXPECT_EQ(Rules(judge("rs1 rs1 rs1 rs2 rs3", 10)), "twos-distribution");
  EXPECT_NE(judge("rs1 rs2 rs3", 10).services.front().law.find("alpha 0.001"), std::string::npos);
  EXPECT_EQ(judge("rs1 rs2 rs1", 3).services.front().law,
            "members only: too few connections for a test of shares");
}

}  // namespace
}  // namespace drover
