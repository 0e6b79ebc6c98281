// Verdicts: what was measured against what was predicted, and when nothing can be said.

#include "orchestrator/drill/verdict.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

// An outage of 200 to 300 ms by law, and nothing reset.
Prediction Predicted() {
  Prediction prediction;
  prediction.envelopes = {{.quantity = Quantity::kOutage,
                           .least = 200,
                           .most = 300,
                           .least_is_law = true,
                           .formula = "two to three intervals"},
                          {.quantity = Quantity::kResets, .most = 0, .formula = "none"}};
  return prediction;
}

std::vector<Measurement> Measured(double outage, double resets = 0) {
  return {{.quantity = Quantity::kOutage, .value = outage, .uncertainty = 1},
          {.quantity = Quantity::kResets, .value = resets}};
}

const DrillFacts kFine{.snapshots_compared = true};

DrillVerdict Judge(const std::vector<Measurement>& measured, const DrillFacts& facts = kFine) {
  return JudgeDrill(Predicted(), measured, facts);
}

TEST(DrillVerdict, PassesWithinThePrediction) {
  const DrillVerdict verdict = Judge(Measured(250));
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  EXPECT_TRUE(verdict.reasons.empty());
  ASSERT_EQ(verdict.comparisons.size(), 2U);
  EXPECT_EQ(verdict.comparisons[0].fit, Fit::kWithin);
  EXPECT_EQ(verdict.comparisons[0].measured->value, 250);
}

TEST(DrillVerdict, FailsAboveItButNotWithinTheErrorOfMeasuring) {
  EXPECT_EQ(Judge(Measured(301)).kind, VerdictKind::kPass);
  const DrillVerdict verdict = Judge(Measured(301.5));
  EXPECT_EQ(verdict.kind, VerdictKind::kFail);
  EXPECT_EQ(verdict.reasons,
            std::vector<std::string>{
                "outage 302 ms, predicted 200 ms to 300 ms (two to three intervals)"});
  EXPECT_EQ(Judge(Measured(250, 1)).kind, VerdictKind::kFail);
}

TEST(DrillVerdict, DoesNotBelieveWhatIsFasterThanTheProtocol) {
  EXPECT_EQ(Judge(Measured(195)).kind, VerdictKind::kPass);  // an advert may have been late
  const DrillVerdict verdict = Judge(Measured(120));
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_EQ(verdict.comparisons[0].fit, Fit::kBelow);
  EXPECT_EQ(verdict.reasons.front(),
            "outage 120 ms is less than the protocol allows (200 ms to 300 ms): the fault did not "
            "act or was measured wrongly");
}

TEST(DrillVerdict, FailsBelowWhatIsPromised) {
  Prediction prediction;
  prediction.envelopes = {{.quantity = Quantity::kSurvival, .least = 0.999, .most = 1}};
  const auto judge = [&](double survival) {
    return JudgeDrill(prediction, {{.quantity = Quantity::kSurvival, .value = survival}}, kFine)
        .kind;
  };
  EXPECT_EQ(judge(1), VerdictKind::kPass);
  EXPECT_EQ(judge(0.9985), VerdictKind::kFail);
}

TEST(DrillVerdict, AnOutageWithoutEndFailsWhenItIsTooLongAlready) {
  std::vector<Measurement> measured = Measured(900);
  measured[0].at_least = true;
  EXPECT_EQ(Judge(measured).kind, VerdictKind::kFail);
  measured[0].value = 250;
  const DrillVerdict verdict = Judge(measured);
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_EQ(verdict.reasons.front(),
            "outage is at least 250 ms; its end was not seen (predicted 200 ms to 300 ms)");
}

TEST(DrillVerdict, IsInconclusiveWithoutAMeasurement) {
  const DrillVerdict verdict = Judge({Measured(250).front()});
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_EQ(verdict.reasons, std::vector<std::string>{"resets was not measured"});
}

TEST(DrillVerdict, SomethingUnboundedIsReportedButNotJudged) {
  Prediction prediction;
  prediction.envelopes = {{.quantity = Quantity::kDoubleOwner}};
  EXPECT_EQ(
      JudgeDrill(prediction, {{.quantity = Quantity::kDoubleOwner, .value = 1e9}}, kFine).kind,
      VerdictKind::kPass);
}

TEST(DrillVerdict, ABadProbeOrGateSaysNothingAboutTheCluster) {
  struct Case {
    const char* name;
    DrillFacts facts;
    const char* want;
  };
  const std::vector<Case> cases = {
      {"void",
       {.voids = {"the prober was late"}, .snapshots_compared = true},
       "void: the prober was late"},
      {"gate",
       {.gates = {"the peer is not healthy"}, .snapshots_compared = true},
       "gate: the peer is not healthy"},
      {"control",
       {.control_probe_clean = false, .snapshots_compared = true},
       "the control probe, which does not pass the cluster, was not clean either"},
      {"no snapshot", {}, "whether anything is left is not known: no snapshot after it"},
  };
  for (const Case& c : cases) {
    for (const double outage : {250.0, 5000.0}) {
      const DrillVerdict verdict = Judge(Measured(outage), c.facts);
      EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive) << c.name;
      EXPECT_EQ(verdict.reasons.front(), c.want) << c.name;
    }
  }
}

TEST(DrillVerdict, WhatIsLeftBehindFailsEvenAPerfectRun) {
  const DrillVerdict verdict =
      Judge(Measured(250), {.snapshots_compared = true, .residue = {"nft table drill"}});
  EXPECT_EQ(verdict.kind, VerdictKind::kFail);
  EXPECT_EQ(verdict.reasons.front(), "left behind: nft table drill");
  const DrillVerdict doubtful =
      Judge(Measured(250),
            {.voids = {"late"}, .snapshots_compared = true, .residue = {"nft table drill"}});
  EXPECT_EQ(doubtful.kind, VerdictKind::kFail);
}

TEST(DrillVerdict, AnAbortIsCleanOnlyWhenThatWasLookedAt) {
  DrillFacts facts{.aborted = "outage beyond twice its bound", .snapshots_compared = true};
  DrillVerdict verdict = Judge(Measured(900), facts);
  EXPECT_EQ(verdict.kind, VerdictKind::kAbortedClean);
  EXPECT_EQ(verdict.reasons, std::vector<std::string>{"aborted: outage beyond twice its bound"});
  EXPECT_EQ(verdict.comparisons.size(), 2U);
  facts.snapshots_compared = false;
  EXPECT_EQ(Judge(Measured(900), facts).kind, VerdictKind::kAbortedResidue);
  facts.snapshots_compared = true;
  facts.residue = {"address 10.0.0.100 on eth0"};
  verdict = Judge(Measured(900), facts);
  EXPECT_EQ(verdict.kind, VerdictKind::kAbortedResidue);
  EXPECT_EQ(verdict.reasons.front(), "left behind: address 10.0.0.100 on eth0");
}

TEST(DrillVerdict, AnAbortWithADirtyControlProbeIsInconclusive) {
  DrillFacts facts{.control_probe_clean = false, .aborted = "x", .snapshots_compared = true};
  EXPECT_EQ(Judge(Measured(900), facts).kind, VerdictKind::kInconclusive);
  facts.residue = {"y"};
  EXPECT_EQ(Judge(Measured(900), facts).kind, VerdictKind::kAbortedResidue);
}

TEST(DrillVerdict, EachKindHasItsWordAndExitCode) {
  const std::vector<std::tuple<VerdictKind, std::string, int>> cases = {
      {VerdictKind::kPass, "pass", 0},
      {VerdictKind::kFail, "fail", 2},
      {VerdictKind::kInconclusive, "inconclusive", 3},
      {VerdictKind::kAbortedClean, "aborted-clean", 5},
      {VerdictKind::kAbortedResidue, "aborted-residue", 6}};
  for (const auto& [kind, word, code] : cases) {
    EXPECT_EQ(ToString(kind), word);
    EXPECT_EQ(ParseVerdictKind(word).value(), kind);
    EXPECT_EQ(ExitCodeOf(kind), code);
  }
}

}  // namespace
}  // namespace drover
