// A drill judged again: what comes from the evidence is worked out anew, the rest is kept.

#include "orchestrator/drill/rejudge.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

DrillJournal Stored() {
  DrillJournal journal;
  journal.cluster.backups.emplace_back();
  journal.prediction =
      *Predict(Fault::kDirectorCrash, journal.cluster, journal.probes, journal.settings);
  journal.facts.snapshots_compared = true;
  journal.verdict.kind = VerdictKind::kFail;
  return journal;
}

DrillAnalysis Measured(const DrillJournal& journal) {
  DrillAnalysis analysis;
  for (const Envelope& one : journal.prediction.envelopes) {
    analysis.measured.push_back({one.quantity, one.most.value_or(one.least), 0, false});
  }
  return analysis;
}

TEST(Rejudge, JudgesTheEvidenceByTodaysRules) {
  const DrillJournal stored = Stored();
  const DrillJournal fresh = Rejudge(stored, Measured(stored), {});
  EXPECT_EQ(fresh.verdict.kind, VerdictKind::kPass)
      << (fresh.verdict.reasons.empty() ? "" : fresh.verdict.reasons.front());
  const auto differences = VerdictDifferences(stored.verdict, fresh.verdict);
  ASSERT_FALSE(differences.empty());
  EXPECT_EQ(differences.front(), "verdict: stored fail, now pass");
  EXPECT_TRUE(VerdictDifferences(fresh.verdict, fresh.verdict).empty());
}

TEST(Rejudge, FindsResidueInTheSnapshotsOnce) {
  DrillJournal stored = Stored();
  stored.facts.residue = {"lb1: nft: + table inet drover"};
  DrillSnapshots snapshots;
  snapshots["lb1"].before.sections = {{"nft", {}}};
  snapshots["lb1"].after = NodeSnapshot{{{"nft", {"table inet drover", "table ip other"}}}};
  snapshots["lb2"].before.sections = {{"nft", {"x"}}};  // not looked at again
  const DrillJournal fresh = Rejudge(stored, Measured(stored), snapshots);
  EXPECT_EQ(fresh.facts.residue, (std::vector<std::string>{"lb1: nft: + table inet drover",
                                                           "lb1: nft: + table ip other"}));
  EXPECT_EQ(fresh.verdict.kind, VerdictKind::kFail);
}

TEST(Rejudge, KeepsABoundThatSomebodyAskedFor) {
  DrillJournal stored = Stored();
  for (Envelope& one : stored.prediction.envelopes) {
    if (one.quantity != Quantity::kOutage) continue;
    one.most = 5;
    one.worked += "; no more than max_outage allows";
  }
  const DrillJournal fresh = Rejudge(stored, Measured(Stored()), {});
  EXPECT_EQ(fresh.prediction.Find(Quantity::kOutage)->most, 5);
  EXPECT_EQ(fresh.verdict.kind, VerdictKind::kFail);
}

TEST(Rejudge, TakesDoubtsFromTheEvidence) {
  const DrillJournal stored = Stored();
  DrillAnalysis analysis = Measured(stored);
  analysis.voids = {"path: lag p99 2 ms"};
  EXPECT_EQ(Rejudge(stored, analysis, {}).verdict.kind, VerdictKind::kInconclusive);
  analysis.voids.clear();
  analysis.control_clean = false;
  EXPECT_EQ(Rejudge(stored, analysis, {}).verdict.kind, VerdictKind::kInconclusive);
}

TEST(VerdictDifferences, NamesEachQuantityThatMoved) {
  DrillVerdict stored;
  stored.comparisons = {
      {{.quantity = Quantity::kOutage, .most = 10},
       Measurement{Quantity::kOutage, 5},
       Fit::kWithin},
      {{.quantity = Quantity::kResets, .most = 0}, std::nullopt, Fit::kUnmeasured}};
  DrillVerdict fresh = stored;
  fresh.comparisons.front().measured->value = 20;
  fresh.comparisons.front().fit = Fit::kAbove;
  fresh.comparisons.pop_back();
  EXPECT_EQ(VerdictDifferences(stored, fresh),
            (std::vector<std::string>{"outage: stored within (5 ms), now above (20 ms)",
                                      "resets: is not predicted any more"}));
}

}  // namespace
}  // namespace drover
