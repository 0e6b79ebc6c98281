// What became of established connections, by class.

#include "orchestrator/drill/survival.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ProbeTime kInjection = seconds(10);
constexpr ProbeTime kTakeover = seconds(13);

// A population whose connections are written down request by request.
class Population {
 public:
  Population() {
    log_.header.series = {{.kind = ProbeKind::kLongLived, .name = "chatty"}};
    log_.responders = {"", "rs1", "rs2"};
  }
  // A request of `stream` at `at`; answered after 1 ms unless it was lost.
  Population& Ask(std::uint32_t stream, ProbeTime at, ProbeFate fate = ProbeFate::kOk,
                  std::uint16_t responder = 1) {
    ProbeRecord record{.stream = stream, .planned = at, .sent = at, .fate = fate};
    if (fate != ProbeFate::kLost) {
      record.answered = at + milliseconds(1);
      record.responder = responder;
    }
    if (fate == ProbeFate::kError) record.error = ProbeError::kReset;
    log_.records.push_back(record);
    return *this;
  }
  // Open for long, and asking on both sides of the fault.
  Population& Old(std::uint32_t stream, ProbeFate next, std::uint16_t responder = 1) {
    return Ask(stream, seconds(1))
        .Ask(stream, seconds(9))
        .Ask(stream, seconds(14), next, responder);
  }
  [[nodiscard]] Survival Judge() const { return SurvivalOf(log_, 0, kInjection, kTakeover); }

 private:
  ProbeLog log_;
};

TEST(Survival, TellsTheWaysOfDyingApart) {
  const Survival survival = Population()
                                .Old(1, ProbeFate::kOk)
                                .Old(2, ProbeFate::kLate)
                                .Old(3, ProbeFate::kError)
                                .Old(4, ProbeFate::kLost)
                                .Old(5, ProbeFate::kWrong, 2)
                                .Old(6, ProbeFate::kOk, 2)
                                .Judge();
  EXPECT_EQ(
      survival.total(),
      (SurvivalCount{.open = 6, .survived = 2, .stalled = 1, .reset = 1, .wrong = 2, .silent = 1}));
  EXPECT_DOUBLE_EQ(survival.share(), 2.0 / 6);
}

TEST(Survival, RequestsDuringTheOutageDoNotCountButABreakDoes) {
  const Survival survival = Population()
                                .Ask(1, seconds(9))
                                .Ask(1, seconds(11), ProbeFate::kLost)
                                .Ask(1, seconds(14))
                                .Ask(2, seconds(9))
                                .Ask(2, seconds(11), ProbeFate::kError)
                                .Judge();
  EXPECT_EQ(survival.total(), (SurvivalCount{.open = 2, .survived = 1, .reset = 1}));
}

TEST(Survival, CountsOnlyConnectionsThatWereOpen) {
  const Survival survival = Population()
                                .Ask(1, seconds(8), ProbeFate::kError)  // broke before
                                .Ask(2, seconds(12))                    // opened later
                                .Ask(3, seconds(9))                     // never asked again
                                .Judge();
  EXPECT_EQ(survival.total(), (SurvivalCount{.open = 1, .unknown = 1}));
  EXPECT_DOUBLE_EQ(survival.share(), 1.0);
}

TEST(Survival, ARequestOnItsWayMayEndInTheFault) {
  const Survival survival = Population()
                                .Ask(1, seconds(5))
                                .Ask(1, kInjection - ProbeTime(500), ProbeFate::kError)
                                .Judge();
  EXPECT_EQ(survival.total(), (SurvivalCount{.open = 1, .reset = 1}));
}

TEST(Survival, IsSplitByAge) {
  const Survival survival = Population()
                                .Ask(1, milliseconds(9900))
                                .Ask(1, seconds(14), ProbeFate::kError)
                                .Ask(2, seconds(8))
                                .Ask(2, seconds(9))
                                .Ask(2, seconds(14))
                                .Old(3, ProbeFate::kOk)
                                .Judge();
  EXPECT_EQ(survival.by_age[0], (SurvivalCount{.open = 1, .reset = 1}));
  EXPECT_EQ(survival.by_age[1], (SurvivalCount{.open = 1, .survived = 1}));
  EXPECT_EQ(survival.by_age[2], (SurvivalCount{.open = 1, .survived = 1}));
}

}  // namespace
}  // namespace drover
