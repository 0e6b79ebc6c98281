#include "orchestrator/report/progress.h"

#include <gtest/gtest.h>

#include "orchestrator/report/terminal.h"
#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::string>;
constexpr Progress::Time kStart{};

StageReached InBatch(Stage stage, std::vector<std::string> hosts, std::size_t batch = 0,
                     std::size_t batches = 1) {
  return {.stage = stage, .hosts = std::move(hosts), .play = 0, .batch = batch, .batches = batches};
}

TaskAtWork At(const std::string& host, std::size_t task) {
  return {{.play = 0, .task = task, .item = 0, .host = host}};
}

TEST(Progress, NamesWhatEveryHostIsAtAndForHowLong) {
  const CompiledRun run = RunBuilder().Play("web", {"a", "b"}).Task("one").Task("two").Build();
  Progress progress(run, kStart);
  EXPECT_TRUE(progress.Lines(kStart, 10, 80).empty());
  progress.Add(InBatch(Stage::kBatchStart, {"a", "b"}), kStart);
  progress.Add(InBatch(Stage::kWork, {"a", "b"}), kStart);
  progress.Add(At("b", 0), kStart + seconds(1));
  progress.Add(At("a", 1), kStart + seconds(3));
  EXPECT_EQ(progress.Lines(kStart + seconds(5), 10, 80),
            (Lines{"[....................] web: 0 of 2 hosts through, 5s",
                   "  b                4s      one", "  a                2s      two"}));
}

TEST(Progress, HostsThatAreThroughOrFailedAreOnTheBarOnly) {
  const CompiledRun run = RunBuilder().Play("web", {"a", "b"}).Task("one").Build();
  Progress progress(run, kStart);
  progress.Add(InBatch(Stage::kBatchStart, {"a", "b"}), kStart);
  progress.Add(InBatch(Stage::kWork, {"a", "b"}), kStart);
  progress.Add(HostThrough{"a", /*failed=*/true}, kStart);
  EXPECT_EQ(progress.Lines(kStart, 10, 80),
            (Lines{"[##########..........] web: 1 of 2 hosts through, 1 failed, 0s",
                   "  b                0s      starts"}));
}

TEST(Progress, TheBarIsOverAllBatchesOfThePlay) {
  const CompiledRun run = RunBuilder().Play("web", {"a", "b", "c", "d"}).Task("one").Build();
  Progress progress(run, kStart);
  progress.Add(InBatch(Stage::kBatchStart, {"a", "b"}, 0, 2), kStart);
  progress.Add(InBatch(Stage::kBatchStart, {"c", "d"}, 1, 2), kStart + seconds(9));
  progress.Add(HostThrough{"c"}, kStart + seconds(9));
  progress.Add(InBatch(Stage::kHealth, {"c", "d"}, 1, 2), kStart + seconds(10));
  EXPECT_EQ(progress.Lines(kStart + seconds(12), 10, 120),
            (Lines{"[###############.....] web, batch 2 of 2: 1 of 2 hosts through, 12s; until the "
                   "batch is healthy 2s"}));
}

TEST(Progress, StagesOfTheWholeRunCountTheHostsThatAnswered) {
  const CompiledRun run = RunBuilder().Play("web", {"a", "b", "c"}).Task("one").Build();
  Progress progress(run, kStart);
  progress.Add(StageReached{.stage = Stage::kConfirm, .hosts = {"a", "b"}}, kStart);
  progress.Add(StageReached{.stage = Stage::kRelease, .hosts = {"c"}}, kStart);
  progress.Add(StageAnswer{Stage::kConfirm, "a", ""}, kStart);
  EXPECT_EQ(progress.Lines(kStart + seconds(1), 10, 80),
            (Lines{"[######..............] confirming: 1 of 3 hosts through, 1s",
                   "  b                1s      keeps its changes",
                   "  c                1s      is released"}));
}

TEST(Progress, IsOutOfTheWayWhileTheOperatorIsAsked) {
  const CompiledRun run = RunBuilder().Play("web", {"a"}).Task("one").Build();
  Progress progress(run, kStart);
  progress.Add(InBatch(Stage::kBatchStart, {"a"}), kStart);
  progress.Add(InBatch(Stage::kAsk, {"a"}), kStart);
  EXPECT_TRUE(progress.Lines(kStart, 10, 80).empty());
}

TEST(Progress, NeverTakesMoreRoomThanThereIs) {
  RunBuilder builder;
  std::vector<std::string> hosts;
  for (char c = 'a'; c <= 'j'; ++c) hosts.emplace_back(1, c);
  const CompiledRun run = builder.Play("a play with\na long näme", hosts).Task("\x1b[2J").Build();
  Progress progress(run, kStart);
  progress.Add(InBatch(Stage::kBatchStart, hosts), kStart);
  progress.Add(InBatch(Stage::kWork, hosts), kStart);
  for (const std::string& host : hosts) progress.Add(At(host, 0), kStart);
  for (int rows = 0; rows <= 12; ++rows) {
    const Lines lines = progress.Lines(kStart, rows, 30);
    EXPECT_LE(lines.size(), static_cast<std::size_t>(rows));
    for (const std::string& line : lines) {
      EXPECT_LE(TextWidth(line), 30) << line;
      EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos) << line;
    }
  }
  EXPECT_EQ(progress.Lines(kStart, 4, 30).back(), "  and 8 more");
  EXPECT_EQ(progress.Lines(kStart, 11, 30).size(), 11U);
}

}  // namespace
}  // namespace drover
