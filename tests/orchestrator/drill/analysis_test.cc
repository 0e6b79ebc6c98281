// From raw evidence to measurements: drills whose logs and captures are written here, with known
// answers.

#include "orchestrator/drill/analysis.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/drill/pcap_writer.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MacAddress kOld = {2, 0, 0, 0, 0, 1};
constexpr MacAddress kNew = {2, 0, 0, 0, 0, 2};
const IpAddress kVip = IpAddress::V4({10, 0, 0, 100});
const IpAddress kAsker = IpAddress::V4({10, 0, 0, 9});
constexpr ProbeTime kInjection = seconds(5);

// A drill of 20 s, injected at 5 s and undone at 15 s.
class Drill {
 public:
  explicit Drill(Fault fault) {
    journal_.vip = kVip;
    journal_.target = "lb1";
    journal_.injected = kInjection;
    journal_.undone = seconds(15);
    journal_.cluster.master.vrid = 51;
    journal_.cluster.master.advert_interval = milliseconds(1000);
    journal_.cluster.master.addresses = {Prefix::Host(kVip)};
    journal_.prediction.fault = fault;
  }
  // A series that is answered within 1 ms all the time but from `from` to `to`.
  Drill& Series(ProbeKind kind, const std::string& name, milliseconds period, ProbeTime from,
                ProbeTime to, ProbeFate fate = ProbeFate::kLost) {
    const auto number = static_cast<std::uint8_t>(log_.header.series.size());
    log_.header.series.push_back({.kind = kind, .name = name, .period = period});
    for (ProbeTime at{0}; at < seconds(20); at += period) {
      const bool bad = at >= from && at < to;
      ProbeRecord record{.series = number, .planned = at, .sent = at};
      if (bad) record.fate = fate;
      if (fate == ProbeFate::kError && bad) record.error = ProbeError::kRefused;
      if (record.fate != ProbeFate::kLost) record.answered = at + milliseconds(1);
      log_.records.push_back(record);
    }
    return *this;
  }
  Drill& Clean(ProbeKind kind, const std::string& name, milliseconds period) {
    return Series(kind, name, period, seconds(0), seconds(0));
  }
  Drill& Record(const ProbeRecord& record) {
    log_.records.push_back(record);
    return *this;
  }
  // Adverts every second and answers to ARP every 100 ms, while it owns the VIP.
  Drill& Owner(const MacAddress& mac, ProbeTime from, ProbeTime to) {
    capture_.Arp(from, mac, kVip, kVip, 1);
    for (ProbeTime at = from; at < to; at += milliseconds(100)) {
      capture_.Arp(at, mac, kVip, kAsker);
      if ((at - from).count() % 1'000'000 == 0) capture_.Advert(at, mac);
    }
    return *this;
  }
  Drill& Moment(ProbeTime at, const std::string& host, const std::string& kind,
                const std::string& what) {
    journal_.moments.push_back({at, host, what, kind, ""});
    return *this;
  }
  Drill& Predict(Quantity quantity) {
    journal_.prediction.envelopes.push_back({.quantity = quantity, .most = 1000});
    return *this;
  }
  [[nodiscard]] DrillAnalysis Judge() const {
    const auto analysis = Analyse(journal_, log_, capture_.bytes());
    EXPECT_TRUE(analysis) << analysis.error().message;
    return analysis.value_or(DrillAnalysis{});
  }
  [[nodiscard]] std::optional<Measurement> Measured(Quantity quantity) const {
    for (const Measurement& one : Judge().measured) {
      if (one.quantity == quantity) return one;
    }
    return std::nullopt;
  }
  DrillJournal journal_;

 private:
  ProbeLog log_;
  PcapWriter capture_;
};

Drill Crash() {
  Drill drill(Fault::kDirectorCrash);
  drill.Series(ProbeKind::kPath, "path", milliseconds(10), kInjection, seconds(8))
      .Series(ProbeKind::kConnect, "page", milliseconds(50), kInjection, seconds(8))
      .Owner(kOld, ProbeTime(0), kInjection - milliseconds(300))
      .Owner(kNew, milliseconds(7950), seconds(20));
  return drill;
}

TEST(Analysis, MeasuresACrash) {
  const Drill drill = Crash();
  // t_ok- is 4.99 s, t_ok+ is 8 s, d is 10 ms.
  EXPECT_EQ(drill.Measured(Quantity::kOutage), (Measurement{Quantity::kOutage, 3000, 10}));
  EXPECT_EQ(drill.Measured(Quantity::kBadProbes)->value, 300);
  EXPECT_EQ(drill.Measured(Quantity::kFailedConnections)->value, 60);
  EXPECT_EQ(drill.Measured(Quantity::kDoubleOwner), (Measurement{Quantity::kDoubleOwner, 0, 0}));
  EXPECT_EQ(drill.Measured(Quantity::kTakeovers)->value, 1);
  EXPECT_FALSE(drill.Measured(Quantity::kSurvival));
}

TEST(Analysis, TellsThePhasesOfACrash) {
  const Waterfall waterfall = Crash().Judge().waterfall;
  EXPECT_EQ(waterfall.new_director, kNew);
  ASSERT_GE(waterfall.milestones.size(), 5U);
  EXPECT_EQ(waterfall.milestones[1].at, milliseconds(2950));
  EXPECT_EQ(waterfall.milestones[4].name, "first success of path");
  EXPECT_EQ(waterfall.milestones[4].at, milliseconds(3000));
}

TEST(Analysis, AnOutageWhoseEndWasNotSeenIsAtLeastSoLong) {
  Drill drill(Fault::kDirectorCrash);
  drill.Series(ProbeKind::kPath, "path", milliseconds(10), kInjection, seconds(20));
  EXPECT_TRUE(drill.Measured(Quantity::kOutage)->at_least);
}

TEST(Analysis, BareConnectionsStandInForDatagrams) {
  Drill drill(Fault::kDirectorCrash);
  drill.Clean(ProbeKind::kConnect, "page", milliseconds(100))
      .Series(ProbeKind::kConnect, std::string(kConnectSeries), milliseconds(20), kInjection,
              seconds(6));
  EXPECT_EQ(drill.Measured(Quantity::kOutage)->value, 1000);
  EXPECT_EQ(drill.Measured(Quantity::kBadProbes)->value, 50);
}

TEST(Analysis, TheControlSeriesIsNoPartOfTheCluster) {
  Drill drill(Fault::kDiskFull);
  drill.Clean(ProbeKind::kConnect, std::string(kConnectSeries), milliseconds(10))
      .Series(ProbeKind::kConnect, std::string(kControlSeries), milliseconds(10), seconds(6),
              seconds(7));
  EXPECT_EQ(drill.Measured(Quantity::kOutage)->value, 0);
  EXPECT_EQ(drill.Measured(Quantity::kFailedConnections)->value, 0);
  EXPECT_FALSE(drill.Judge().control_clean);
}

TEST(Analysis, TwoOwnersAreCountedWhileTheyShare) {
  Drill drill(Fault::kVrrpSplit);
  drill.Clean(ProbeKind::kPath, "path", milliseconds(10))
      .Owner(kOld, ProbeTime(0), seconds(20))
      .Owner(kNew, seconds(8), seconds(15));
  EXPECT_EQ(drill.Measured(Quantity::kDoubleOwner),
            (Measurement{Quantity::kDoubleOwner, 6900, 100}));
  EXPECT_EQ(drill.Measured(Quantity::kTakeovers)->value, 1);
}

TEST(Analysis, WithoutACaptureNothingIsSaidAboutOwners) {
  Drill drill(Fault::kVrrpSplit);
  drill.Clean(ProbeKind::kPath, "path", milliseconds(10))
      .Moment(seconds(8), "lb2", "vrrp", "backup -> master: no advert")
      .Moment(seconds(16), "lb1", "vrrp", "backup -> master: preempts");
  EXPECT_FALSE(drill.Measured(Quantity::kDoubleOwner));
  EXPECT_EQ(drill.Measured(Quantity::kTakeovers)->value, 1);
  EXPECT_EQ(drill.Measured(Quantity::kHandover)->value, 3000);
}

TEST(Analysis, TakesWhatOnlyTheNodesKnowFromTheirEventLogs) {
  Drill drill(Fault::kVipLost);
  drill.Predict(Quantity::kRepair)
      .Predict(Quantity::kDetection)
      .Clean(ProbeKind::kPath, "path", milliseconds(10))
      .Moment(seconds(1), "lb1", "drift", "before")
      .Moment(kInjection + milliseconds(400), "lb1", "drift", "was gone; set again")
      .Moment(kInjection + milliseconds(600), "lb2", "drift", "of the other node");
  EXPECT_EQ(drill.Measured(Quantity::kRepair)->value, 400);
  EXPECT_FALSE(drill.Measured(Quantity::kRepair)->at_least);
  // Nobody told of a second owner while the fault lasted.
  EXPECT_EQ(drill.Measured(Quantity::kDetection),
            (Measurement{Quantity::kDetection, 10'000, 0, true}));
}

TEST(Analysis, ARealServerIsTakenOutAndComesBack) {
  Drill drill(Fault::kRealServerStop);
  drill.Predict(Quantity::kQuiesce)
      .Predict(Quantity::kReturn)
      .Clean(ProbeKind::kPath, "path", milliseconds(10))
      .Moment(seconds(8), "lb1", "check", "10.0.0.11:80 is down: refused")
      .Moment(seconds(17), "lb1", "check", "10.0.0.11:80 is up: answered");
  EXPECT_EQ(drill.Measured(Quantity::kQuiesce)->value, 3000);
  EXPECT_EQ(drill.Measured(Quantity::kReturn)->value, 2000);
}

TEST(Analysis, LongLivedConnectionsSurviveStallAndDie) {
  Drill drill(Fault::kDirectorCrash);
  drill.Series(ProbeKind::kPath, "path", milliseconds(10), kInjection, seconds(6))
      .Series(ProbeKind::kLongLived, "chatty", milliseconds(100), seconds(0), seconds(20),
              ProbeFate::kUnsent);
  const auto ask = [&](std::uint32_t stream, ProbeTime at, ProbeTime took, ProbeFate fate) {
    drill.Record({.series = 1,
                  .stream = stream,
                  .planned = at,
                  .sent = at,
                  .answered = at + took,
                  .fate = fate,
                  .error = fate == ProbeFate::kError ? ProbeError::kReset : ProbeError::kNone});
  };
  for (const std::uint32_t stream : {1U, 2U}) {
    ask(stream, seconds(1), milliseconds(1), ProbeFate::kOk);
    ask(stream, seconds(4), milliseconds(1), ProbeFate::kOk);
  }
  ask(1, seconds(5), milliseconds(1400), ProbeFate::kLate);
  ask(1, seconds(7), milliseconds(1), ProbeFate::kOk);
  ask(2, seconds(7), milliseconds(1), ProbeFate::kError);
  // A connection that was never open is refused: no reset of an established one.
  ask(3, seconds(8), milliseconds(1), ProbeFate::kError);
  EXPECT_EQ(drill.Measured(Quantity::kSurvival)->value, 0.5);
  EXPECT_EQ(drill.Measured(Quantity::kResets)->value, 1);
  EXPECT_EQ(drill.Measured(Quantity::kEstablishedStall)->value, 1400);
  EXPECT_EQ(drill.Judge().waterfall.milestones.back().at, milliseconds(1400));
}

TEST(Analysis, ADrillThatWasNotInjectedMeasuresNothing) {
  Drill drill = Crash();
  drill.journal_.injected.reset();
  const DrillAnalysis analysis = drill.Judge();
  EXPECT_TRUE(analysis.measured.empty());
  EXPECT_EQ(analysis.series[0].during.sent(), 0U);
  EXPECT_EQ(analysis.series[0].before.bad(), 300U);
}

TEST(Analysis, RefusesALogWithoutSeriesAndAFileThatIsNoCapture) {
  EXPECT_FALSE(Analyse(DrillJournal{}, ProbeLog{}, ""));
  ProbeLog log;
  log.header.series = {{.name = "path"}};
  EXPECT_FALSE(Analyse(DrillJournal{}, log, "nonsense"));
}

}  // namespace
}  // namespace drover
