// Envelopes per fault class, from the settings.

#include "orchestrator/drill/prediction.h"

#include <gtest/gtest.h>

#include <cmath>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterFacts Pair(milliseconds interval, int backup_priority) {
  ClusterFacts cluster;
  cluster.master.name = "web";
  cluster.master.priority = 200;
  cluster.master.advert_interval = interval;
  cluster.backups = {cluster.master};
  cluster.backups.front().priority = static_cast<std::uint8_t>(backup_priority);
  CheckSettings http;
  http.kind = HttpCheck{};
  http.jitter_percent = 0;
  cluster.checks = {http};
  cluster.real_servers = 4;
  return cluster;
}

const ProbeFacts kProbes{.connections_per_second = 100, .long_lived = 50};

Prediction Must(Fault fault, const ClusterFacts& cluster, const FaultSettings& settings = {},
                const ProbeFacts& probes = kProbes) {
  const auto prediction = Predict(fault, cluster, probes, settings);
  EXPECT_TRUE(prediction.has_value()) << prediction.error().message;
  return prediction.value_or(Prediction{});
}

// What `prediction` allows of `quantity`; {-1, -1} when it says nothing.
struct Range {
  double least = -1;
  double most = -1;
};
Range RangeOf(const Prediction& prediction, Quantity quantity) {
  const Envelope* envelope = prediction.Find(quantity);
  if (envelope == nullptr) return {};
  return {envelope->least, envelope->most.value_or(-1)};
}

void ExpectRange(const Prediction& prediction, Quantity quantity, double least, double most) {
  const Range range = RangeOf(prediction, quantity);
  EXPECT_NEAR(range.least, least, 0.1) << ToString(prediction.fault) << " " << ToString(quantity);
  EXPECT_NEAR(range.most, most, 0.1) << ToString(prediction.fault) << " " << ToString(quantity);
}

TEST(FaultCatalogueTest, HasEachFaultOnceInOrder) {
  const auto catalogue = FaultCatalogue();
  ASSERT_EQ(catalogue.size(), 22U);
  for (std::size_t i = 0; i < catalogue.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(catalogue[i].fault), i);
    EXPECT_EQ(ParseFault(ToString(catalogue[i].fault)).value(), catalogue[i].fault);
    EXPECT_FALSE(catalogue[i].what.empty());
    EXPECT_FALSE(catalogue[i].should.empty());
  }
  const auto unknown = ParseFault("director-crush");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_TRUE(
      unknown.error().message.starts_with("\"director-crush\" is no fault (director-crash"));
}

TEST(Prediction, EveryFaultHasEnvelopesWithFormulasAndAText) {
  ClusterFacts cluster = Pair(milliseconds(100), 100);
  cluster.sync.running = true;
  for (const FaultText& fault : FaultCatalogue()) {
    const Prediction prediction = Must(fault.fault, cluster);
    EXPECT_FALSE(prediction.envelopes.empty()) << ToString(fault.fault);
    for (const Envelope& envelope : prediction.envelopes) {
      EXPECT_FALSE(envelope.formula.empty()) << ToString(fault.fault);
      EXPECT_FALSE(envelope.worked.empty()) << ToString(fault.fault);
      if (envelope.most) {
        EXPECT_LE(envelope.least, *envelope.most)
            << ToString(fault.fault) << " " << ToString(envelope.quantity);
      }
    }
    EXPECT_TRUE(PredictionText(prediction).starts_with(std::string(ToString(fault.fault)) + ": "));
    // Whatever is injected into a director, somebody counts its owners or takeovers.
    EXPECT_TRUE(prediction.Find(Quantity::kTakeovers) != nullptr) << ToString(fault.fault);
  }
}

TEST(Prediction, OfACrashIsTheProtocolsBound) {
  const Prediction slow = Must(Fault::kDirectorCrash, Pair(seconds(1), 100));
  ExpectRange(slow, Quantity::kOutage, 2609.4, 3609.4 + 23);
  EXPECT_TRUE(slow.Find(Quantity::kOutage)->least_is_law);
  ExpectRange(slow, Quantity::kBadProbes, 0, 3634);
  ExpectRange(slow, Quantity::kFailedConnections, 0, 365);
  ExpectRange(slow, Quantity::kConnectStall, 0, 7000 * 1.15 + 20);
  ExpectRange(slow, Quantity::kTakeovers, 1, 1);
  ExpectRange(slow, Quantity::kDoubleOwner, 0, 0);
  const Prediction fast = Must(Fault::kLinkDown, Pair(milliseconds(10), 254));
  ExpectRange(fast, Quantity::kOutage, 20.1, 30.1 + 23);
}

TEST(Prediction, TheHighestBackupTakesOver) {
  ClusterFacts cluster = Pair(seconds(1), 100);
  cluster.backups.push_back(cluster.backups.front());
  cluster.backups.back().priority = 150;
  ExpectRange(Must(Fault::kDirectorCrash, cluster), Quantity::kOutage, 2414.1, 3414.1 + 23);
}

TEST(Prediction, ACrashKeepsConnectionsOnlyWithSyncOrAStatelessScheduler) {
  ClusterFacts cluster = Pair(milliseconds(100), 100);
  const Prediction without = Must(Fault::kDirectorCrash, cluster);
  EXPECT_EQ(without.Find(Quantity::kSurvival), nullptr);
  EXPECT_EQ(without.Find(Quantity::kEstablishedStall), nullptr);
  EXPECT_FALSE(without.notes.empty());
  cluster.sync = {.running = true, .threshold = 3, .period = 0, .refresh = seconds(10)};
  const Prediction with = Must(Fault::kDirectorCrash, cluster);
  ExpectRange(with, Quantity::kSurvival, 0.999, 1);
  ExpectRange(with, Quantity::kEstablishedStall, 0, 600 * 1.15 + 20);
  EXPECT_EQ(with.notes.size(), 1U);  // the sync lag
  cluster.sync.period = 50;
  EXPECT_EQ(Must(Fault::kDirectorCrash, cluster).notes.size(), 2U);  // and the default thresholds
  cluster.sync = {.stateless = true};
  ExpectRange(Must(Fault::kDirectorCrash, cluster), Quantity::kSurvival, 0.999, 1);
}

TEST(Prediction, AKilledHelperServesUntilItsLeaseEnds) {
  // 100 ms adverts: taken over long before the lease ends.
  const Prediction fast = Must(Fault::kHelperKill, Pair(milliseconds(100), 100));
  ExpectRange(fast, Quantity::kOutage, 0, 0);
  ExpectRange(fast, Quantity::kDoubleOwner, 0, 1300 - 260.9);
  // 1 s adverts: the lease of 1 s (0.75 to 1.3 s) ends first.
  const Prediction slow = Must(Fault::kHelperFreeze, Pair(seconds(1), 100));
  ExpectRange(slow, Quantity::kOutage, 2609.4 - 1300, 3609.4 - 750 + 23);
  ExpectRange(slow, Quantity::kDoubleOwner, 0, 0);
}

TEST(Prediction, WithoutALeaseTwoOwnersStay) {
  ClusterFacts cluster = Pair(milliseconds(100), 100);
  cluster.master.lease = milliseconds(0);
  const Prediction prediction = Must(Fault::kHelperKill, cluster);
  ASSERT_NE(prediction.Find(Quantity::kDoubleOwner), nullptr);
  EXPECT_FALSE(prediction.Find(Quantity::kDoubleOwner)->most.has_value());
  EXPECT_NE(PredictionText(prediction).find("double owner: any"), std::string::npos);
  ASSERT_EQ(prediction.notes.size(), 1U);
}

TEST(Prediction, ASplitLastsAsLongAsItsFault) {
  const Prediction split =
      Must(Fault::kVrrpSplit, Pair(milliseconds(100), 100), {.duration = seconds(5)});
  ExpectRange(split, Quantity::kDoubleOwner, 5000 - 360.9 - 3, 5000 - 260.9 + 120);
  ExpectRange(split, Quantity::kDetection, 0, 360.9 + 2000);
}

TEST(Prediction, LossOfAdvertsIsHeldAgainstChance) {
  // Ten minutes of 100 ms adverts: 0.006 false takeovers at 1 %, 0.75 at 5 %.
  const ClusterFacts cluster = Pair(milliseconds(100), 100);
  ExpectRange(Must(Fault::kVrrpLoss, cluster, {.duration = seconds(600), .loss = 0.01}),
              Quantity::kTakeovers, 0, 1);
  ExpectRange(Must(Fault::kVrrpLoss, cluster, {.duration = seconds(600), .loss = 0.05}),
              Quantity::kTakeovers, 0, 5);
  ClusterFacts patient = cluster;
  patient.backups.front().down_adverts = 10;
  ExpectRange(Must(Fault::kVrrpLoss, patient, {.duration = seconds(600), .loss = 0.05}),
              Quantity::kTakeovers, 0, 0);
}

TEST(Prediction, APlannedMoveLosesNothing) {
  for (const Fault fault : {Fault::kHandover, Fault::kFailback, Fault::kReboot}) {
    const Prediction prediction = Must(fault, Pair(seconds(1), 100));
    for (const Quantity quantity : {Quantity::kOutage, Quantity::kBadProbes,
                                    Quantity::kFailedConnections, Quantity::kResets}) {
      ExpectRange(prediction, quantity, 0, 0);
    }
    ExpectRange(prediction, Quantity::kSurvival, 1, 1);
    ExpectRange(prediction, Quantity::kTakeovers, 1, 1);
  }
  ExpectRange(Must(Fault::kHandover, Pair(seconds(1), 100)), Quantity::kHandover, 0,
              2 * 609.4 + 23);
  ClusterFacts synced = Pair(seconds(1), 100);
  synced.sync.running = true;
  synced.master.preempt_delay = seconds(5);
  ExpectRange(Must(Fault::kFailback, synced), Quantity::kHandover, 0, 5000 + 60000 + 3609.4 + 23);
}

TEST(Prediction, OfAStoppedServerCountsItsShareUntilItIsFound) {
  const Prediction prediction = Must(Fault::kRealServerStop, Pair(seconds(1), 100));
  ExpectRange(prediction, Quantity::kQuiesce, 0, 8020);  // 2 s + 2 * 2 s + 1 s + network + script
  ExpectRange(prediction, Quantity::kFailedConnections, 0, std::ceil(25 * 8.02) + 1);
  ExpectRange(prediction, Quantity::kReturn, 0, 6020);
  ExpectRange(prediction, Quantity::kTakeovers, 0, 0);
}

TEST(Prediction, FailuresEndWithTheFault) {
  const Prediction prediction =
      Must(Fault::kRealServerStop, Pair(seconds(1), 100), {.duration = seconds(2)});
  ExpectRange(prediction, Quantity::kFailedConnections, 0, 51);
}

TEST(Prediction, KnowsWhichChecksAreBlind) {
  struct Case {
    Fault fault;
    CheckKind check;
    bool sees;
    FaultSettings settings;
  };
  HttpCheck any_status;
  any_status.status = {StatusRange{100, 599}};
  const FaultSettings plain;
  FaultSettings page_is_fine;
  page_is_fine.health_page_too = false;
  FaultSettings very_slow;
  very_slow.delay = milliseconds(1500);
  const UdpCheck silent{.payload = "x", .expect = ""};
  const UdpCheck asking{.payload = "x", .expect = "y"};
  const std::vector<Case> cases = {
      {Fault::kRealServerStop, TcpCheck{}, true, plain},
      {Fault::kRealServerStop, PingCheck{}, false, plain},
      {Fault::kRealServerStop, silent, true, plain},
      {Fault::kRealServerStop, HttpCheck{}, true, plain},
      {Fault::kRealServerHang, TcpCheck{}, false, plain},
      {Fault::kRealServerHang, PingCheck{}, false, plain},
      {Fault::kRealServerHang, silent, false, plain},
      {Fault::kRealServerHang, asking, true, plain},
      {Fault::kRealServerHang, HttpCheck{}, true, plain},
      {Fault::kRealServerHang, SmtpCheck{}, true, plain},
      {Fault::kRealServerIsolated, TcpCheck{}, true, plain},
      {Fault::kRealServerIsolated, PingCheck{}, true, plain},
      {Fault::kRealServerIsolated, silent, false, plain},
      {Fault::kRealServerSlow, HttpCheck{}, false, plain},
      {Fault::kRealServerSlow, HttpCheck{}, true, very_slow},
      {Fault::kRealServerSlow, TcpCheck{}, true, very_slow},
      {Fault::kRealServer5xx, HttpCheck{}, true, plain},
      {Fault::kRealServer5xx, HttpCheck{}, false, page_is_fine},
      {Fault::kRealServer5xx, any_status, false, plain},
      {Fault::kRealServer5xx, TcpCheck{}, false, plain},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ClusterFacts cluster = Pair(seconds(1), 100);
    cluster.checks.front().kind = cases[i].check;
    const Prediction prediction = Must(cases[i].fault, cluster, cases[i].settings);
    EXPECT_EQ(prediction.Find(Quantity::kQuiesce) != nullptr, cases[i].sees) << i;
    if (!cases[i].sees) {
      EXPECT_TRUE(prediction.notes.front().starts_with("Blind to this fault: ")) << i;
    }
  }
}

TEST(Prediction, OfABlindCheckIsFailuresToTheEnd) {
  ClusterFacts cluster = Pair(seconds(1), 100);
  cluster.checks.front().kind = TcpCheck{};
  const Prediction hang = Must(Fault::kRealServerHang, cluster, {.duration = seconds(20)});
  ExpectRange(hang, Quantity::kFailedConnections, 0, 25 * 20 + 1);
  // Beside a check that sees it, the blind one does not matter.
  CheckSettings http;
  http.kind = HttpCheck{};
  http.jitter_percent = 0;
  cluster.checks.push_back(http);
  ExpectRange(Must(Fault::kRealServerHang, cluster, {.duration = seconds(20)}),
              Quantity::kFailedConnections, 0, std::ceil(25 * 7.02) + 1);
}

TEST(Prediction, DriftIsRepairedWithinASecond) {
  for (const Fault fault : {Fault::kVipLost, Fault::kRulesCleared}) {
    const Prediction prediction = Must(fault, Pair(seconds(1), 100));
    ExpectRange(prediction, Quantity::kOutage, 0, 1020);
    ExpectRange(prediction, Quantity::kRepair, 0, 1000);
    ExpectRange(prediction, Quantity::kTakeovers, 0, 0);
  }
  const Prediction rival = Must(Fault::kArpMisconfigured, Pair(seconds(1), 100));
  ExpectRange(rival, Quantity::kRepair, 0, 1000);
  ExpectRange(rival, Quantity::kDoubleOwner, 0, 1300);
  // Mended before the master asks again, it is seen by nobody: nothing to predict.
  EXPECT_EQ(rival.Find(Quantity::kDetection), nullptr);
}

TEST(Prediction, WhatIsOnNoPacketsWayChangesNothing) {
  for (const Fault fault :
       {Fault::kDiskFull, Fault::kCpuStarved, Fault::kClockJump, Fault::kSyncCut}) {
    const Prediction prediction = Must(fault, Pair(seconds(1), 100));
    ExpectRange(prediction, Quantity::kOutage, 0, 0);
    ExpectRange(prediction, Quantity::kTakeovers, 0, 0);
  }
}

TEST(Prediction, SaysNothingAboutProbesThatDoNotRun) {
  const Prediction prediction = Must(Fault::kHandover, Pair(seconds(1), 100), {}, ProbeFacts{});
  EXPECT_EQ(prediction.Find(Quantity::kFailedConnections), nullptr);
  EXPECT_EQ(prediction.Find(Quantity::kResets), nullptr);
  EXPECT_NE(prediction.Find(Quantity::kBadProbes), nullptr);
}

TEST(Prediction, NeedsFactsThatAllowTheFault) {
  ClusterFacts alone = Pair(seconds(1), 100);
  alone.backups.clear();
  EXPECT_EQ(Predict(Fault::kDirectorCrash, alone, kProbes, {}).error().message,
            "director-crash: there is no second director");
  EXPECT_TRUE(Predict(Fault::kRealServerStop, alone, kProbes, {}).has_value());
  alone.real_servers = 0;
  EXPECT_EQ(Predict(Fault::kRealServerHang, alone, kProbes, {}).error().message,
            "real-server-hang: there is no real server");
  const ClusterFacts pair = Pair(seconds(1), 100);
  EXPECT_FALSE(Predict(Fault::kVrrpLoss, pair, kProbes, {.loss = 0}).has_value());
  EXPECT_FALSE(Predict(Fault::kVrrpLoss, pair, kProbes, {.loss = 1}).has_value());
  EXPECT_FALSE(Predict(Fault::kHandover, pair, kProbes, {.duration = seconds(0)}).has_value());
  EXPECT_FALSE(Predict(Fault::kHandover, pair, {.path_period = ProbeTime(0)}, {}).has_value());
}

TEST(Prediction, ReadsLikeThis) {
  const ClusterFacts cluster = Pair(seconds(1), 100);
  EXPECT_EQ(
      PredictionText(Must(Fault::kLinkDown, cluster, {}, ProbeFacts{})),
      "link-down: the master's link goes down\n"
      "  should: the master gives up by itself and the backup takes over\n"
      "  outage: 2609 ms to 3632 ms\n"
      "    = (n-1+s) I to (n+s) I, s = (256-p)/256, + takeover + network\n"
      "    = I = 1000 ms, n = 3, skew = 0.609 I = 609 ms: 2609 ms to 3609 ms, + 3 ms + 20 ms\n"
      "  bad probes: 0 to 3634\n"
      "    = outage / period of the path probes + 1\n"
      "    = 3632 ms / 1 ms + 1 = 3634\n"
      "  takeovers: 1\n"
      "    = the backup takes over once\n"
      "  double owner: 0 ms\n"
      "    = the old master cannot be heard\n");
}

TEST(AbortLimit, IsWhereRealityLeavesThePrediction) {
  const Prediction crash = Must(Fault::kDirectorCrash, Pair(seconds(1), 100));
  EXPECT_NEAR(AbortAbove(*crash.Find(Quantity::kOutage)).value(), 2 * 3632.4, 0.1);
  EXPECT_FALSE(AbortAbove(*crash.Find(Quantity::kFailedConnections)).has_value());
  EXPECT_EQ(AbortAbove(*crash.Find(Quantity::kDoubleOwner)), 0);
  const Prediction handover = Must(Fault::kHandover, Pair(seconds(1), 100));
  EXPECT_EQ(AbortAbove(*handover.Find(Quantity::kBadProbes)), 0);
  EXPECT_EQ(AbortAbove(*handover.Find(Quantity::kResets)), 0);
  EXPECT_FALSE(AbortAbove(*handover.Find(Quantity::kHandover)).has_value());
  EXPECT_FALSE(AbortAbove({.quantity = Quantity::kDoubleOwner}).has_value());
}

TEST(QuantityWords, HaveUnits) {
  EXPECT_EQ(QuantityText(Quantity::kOutage, 7.81), "7.8 ms");
  EXPECT_EQ(QuantityText(Quantity::kOutage, 310.6), "311 ms");
  EXPECT_EQ(QuantityText(Quantity::kBadProbes, 12), "12");
  EXPECT_EQ(QuantityText(Quantity::kSurvival, 0.999), "99.9 %");
  EXPECT_EQ(QuantityText(Quantity::kSurvival, 1), "100 %");
}

}  // namespace
}  // namespace drover
