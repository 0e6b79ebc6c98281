// A run's hold on a node: who has it, when it prepares to go back, how it ends.
#include "node-helper/transaction/transaction.h"

#include "tests/node-helper/transaction/node_under_runs.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const NodeGround& GroundOf(const TaskResult& result) { return std::get<NodeGround>(result.detail); }

// --- the lock

TEST_F(NodeUnderRuns, SecondRunIsToldWhoHasTheNode) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  const TaskResult refused = Begin(RunOf("two"));
  ASSERT_EQ(refused.status, TaskStatus::kFailed);
  EXPECT_EQ(refused.code, ErrorCode::kUnreachable);
  ASSERT_TRUE(GroundOf(refused).holder);
  EXPECT_EQ(GroundOf(refused).holder->run, RunOf("one"));
  EXPECT_FALSE(GroundOf(refused).holder->armed);
  EXPECT_GT(GroundOf(refused).holder->expires_in, seconds(29));
  for (const char* part :
       {"ann", "ctl", "rollout", "web", "pid 7", "since", "until", "drover unlock --id one"}) {
    EXPECT_NE(refused.message.find(part), std::string::npos) << part << ": " << refused.message;
  }
}

TEST_F(NodeUnderRuns, LockExpiresWhenNothingIsHeardOfItsRun) {
  ASSERT_EQ(Begin(RunOf("one"), {.lease = seconds(10)}).status, TaskStatus::kOk);
  Wait(seconds(11));
  EXPECT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  // The first has lost it.
  EXPECT_EQ(Change(RunOf("one"), first_).code, ErrorCode::kUnreachable);
}

TEST_F(NodeUnderRuns, EachProgramAndEachPulseRenewsTheLock) {
  ASSERT_EQ(Begin(RunOf("one"), {.lease = seconds(10)}).status, TaskStatus::kOk);
  Wait(seconds(8));
  Speak(EncodePulse(Pulse{"one"}) + "\n");
  Wait(seconds(8));
  EXPECT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  Wait(seconds(8));
  EXPECT_FALSE(Guard());
  EXPECT_EQ(Begin(RunOf("two")).status, TaskStatus::kFailed);
  Speak(EncodePulse(Pulse{"two"}) + "\n");  // not its lock
  Wait(seconds(3));
  EXPECT_TRUE(Guard());
}

TEST_F(NodeUnderRuns, RunWithoutBeginChangesNothingWhileAnotherHasTheNode) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  const TaskResult refused = One(RunOf("two"), ConvergeTask{first_});
  EXPECT_EQ(refused.code, ErrorCode::kUnreachable) << refused.message;
  EXPECT_EQ(One(RunOf("two"), HandoverTask{}).code, ErrorCode::kUnreachable);
  EXPECT_NE(One(RunOf("two"), GenerationsTask{}).status, TaskStatus::kFailed);
  EXPECT_TRUE(kernel_.applied().empty());
}

TEST_F(NodeUnderRuns, RunWithoutBeginOnAFreeNodeIsNotGuarded) {
  EXPECT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  EXPECT_TRUE(IsFree());
  EXPECT_EQ(guards_, 0);
}

TEST_F(NodeUnderRuns, UnlockAsksForTheRightId) {
  EXPECT_EQ(One(RunOf("op"), UnlockTask{"one"}).code, ErrorCode::kNotFound);
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  EXPECT_EQ(One(RunOf("op"), UnlockTask{"other"}).code, ErrorCode::kInvalid);
  EXPECT_EQ(One(RunOf("op"), UnlockTask{"one"}).status, TaskStatus::kChanged);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, UnlockOfAnArmedRunLeavesItsTimer) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  const TaskResult unlocked = One(RunOf("op"), UnlockTask{"one"});
  EXPECT_NE(unlocked.message.find("goes back in"), std::string::npos) << unlocked.message;
  // The run cannot go on, nor keep what it did.
  EXPECT_EQ(Change(RunOf("one"), second_).status, TaskStatus::kFailed);
  EXPECT_EQ(One(RunOf("one"), ConfirmTask{}).status, TaskStatus::kFailed);
  Wait(seconds(31));
  EXPECT_TRUE(Guard());
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, CheckModeLooksWithoutTakingTheNode) {
  const TaskResult looked = One(RunOf("one"), BeginTask{}, /*check=*/true);
  ASSERT_EQ(looked.status, TaskStatus::kOk);
  EXPECT_EQ(GroundOf(looked).digest.size(), 64U);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, StalePlanIsRefusedAndTakesNoLock) {
  const std::string digest = GroundOf(One(RunOf("plan"), BeginTask{}, true)).digest;
  EXPECT_EQ(GroundOf(One(RunOf("plan"), BeginTask{}, true)).digest, digest);
  kernel_.state().addresses.push_back(Vip("10.9.9.9/32"));
  const TaskResult stale = Begin(RunOf("one"), {.expected_digest = digest});
  EXPECT_EQ(stale.code, ErrorCode::kInvalid);
  EXPECT_TRUE(IsFree());
  kernel_.state().addresses.pop_back();
  EXPECT_EQ(Begin(RunOf("one"), {.expected_digest = digest}).status, TaskStatus::kOk);
}

// --- arming

TEST_F(NodeUnderRuns, FirstChangeArmsAndARunThatChangesNothingDoesNot) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  EXPECT_FALSE(done_.armed);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  EXPECT_TRUE(done_.armed);
  EXPECT_EQ(guards_, 1);
  ASSERT_EQ(One(RunOf("one"), ConfirmTask{}).status, TaskStatus::kOk);
  EXPECT_TRUE(IsFree());
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  EXPECT_EQ(Change(RunOf("two"), first_).status, TaskStatus::kOk);
  EXPECT_FALSE(done_.armed);
  EXPECT_EQ(guards_, 1);
  EXPECT_EQ(One(RunOf("two"), ReleaseTask{}).status, TaskStatus::kOk);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, NothingIsChangedWhenTheNodeCannotPrepareToGoBack) {
  guard_fails_ = true;
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  const auto before = LookAtAll();
  const TaskResult failed = Change(RunOf("one"), first_);
  EXPECT_EQ(failed.status, TaskStatus::kFailed);
  EXPECT_NE(failed.message.find("nothing was changed"), std::string::npos) << failed.message;
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_FALSE(journal_.exists());
}

TEST_F(NodeUnderRuns, WithoutRevertNothingIsArmedAndTheGenerationIsKept) {
  ASSERT_EQ(Begin(RunOf("one"), {.revert = false}).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  EXPECT_FALSE(done_.armed);
  EXPECT_EQ(guards_, 0);
  EXPECT_EQ(One(RunOf("one"), ReleaseTask{}).status, TaskStatus::kOk);
  EXPECT_EQ(store_.GenerationsOf("web").Numbers().value(), std::vector<std::uint64_t>{1});
  EXPECT_TRUE(IsFree());
}

// --- the end

TEST_F(NodeUnderRuns, ConfirmIsRefusedInTheSessionOfTheChange) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  const auto results = Session(RunOf("one"), {ConvergeTask{first_}, ConfirmTask{}});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].code, ErrorCode::kInvalid) << results[1].message;
  EXPECT_TRUE(journal_.exists());
}

TEST_F(NodeUnderRuns, ConfirmThatComesTooLateIsRefused) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  Wait(seconds(31));
  EXPECT_EQ(One(RunOf("one"), ConfirmTask{}).code, ErrorCode::kTimeout);
}

TEST_F(NodeUnderRuns, ConfirmMayBeSaidOnceMore) {
  Rollout("one", first_);
  EXPECT_EQ(One(RunOf("one"), ConfirmTask{}).status, TaskStatus::kOk);
  EXPECT_EQ(One(RunOf("two"), ConfirmTask{}).code, ErrorCode::kNotFound);
  // Also of a run without a generation.
  CommandTask command;
  command.argv = {"/bin/true"};
  for (const char* id : {"three", "four"}) {
    ASSERT_EQ(Begin(RunOf(id)).status, TaskStatus::kOk);
    ASSERT_EQ(One(RunOf(id), command).status, TaskStatus::kChanged);
    if (id == std::string("four")) break;
    ASSERT_EQ(One(RunOf(id), ConfirmTask{}).status, TaskStatus::kOk);
    EXPECT_EQ(One(RunOf(id), ConfirmTask{}).status, TaskStatus::kOk);
  }
  Wait(seconds(31));
  ASSERT_TRUE(Guard());
  EXPECT_EQ(One(RunOf("four"), ConfirmTask{}).code, ErrorCode::kNotFound);
}

TEST_F(NodeUnderRuns, ReleaseIsRefusedOnceSomethingWasChanged) {
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  EXPECT_EQ(One(RunOf("one"), ReleaseTask{}).code, ErrorCode::kInvalid);
}

TEST_F(NodeUnderRuns, RevertPutsBackWhatEveryTaskChanged) {
  Rollout("one", first_);
  const auto before = LookAtAll();
  const std::string path = folder_ / "nginx.conf";
  std::ofstream(path) << "old";
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  FileTask file;
  file.dest = path;
  file.content = "new";
  CommandTask command;
  command.argv = {"/bin/true"};
  const auto results =
      Session(RunOf("two"), {file, command, ConvergeTask{second_}, PruneTask{second_, {}}});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(ReadWholeFile(path).value(), "new");
  things_["firewall"] = "drop everything";  // what the command did
  const TaskResult reverted = One(RunOf("two"), RevertTask{"lb2 failed"});
  EXPECT_EQ(reverted.status, TaskStatus::kChanged) << reverted.message;
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_EQ(ReadWholeFile(path).value(), "old");
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, FirstRunThatIsNotConfirmedLeavesNothing) {
  const auto before = LookAtAll();
  has_service_ = false;
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  has_service_ = true;  // as a run installs it
  Wait(seconds(31));
  const auto gone = Guard();
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->complete()) << SummaryOf(*gone);
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_FALSE(has_service_);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, WhatWasThereBeforeDroverStaysWhenTheRunGoesBack) {
  kernel_.state().addresses.push_back(Vip("10.0.0.100/32"));
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  Wait(seconds(31));
  ASSERT_TRUE(Guard());
  EXPECT_EQ(LookAtAll(), before);
}

TEST_F(NodeUnderRuns, NodeThatWasRestartedGoesBackAtOnce) {
  Rollout("one", first_);
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("two"), {.lease = std::chrono::hours(1)}).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  Reboot();
  const auto gone = Guard();
  ASSERT_TRUE(gone);
  EXPECT_NE(gone->reason.find("restarted"), std::string::npos);
  EXPECT_EQ(LookAtAll(), before);
}

TEST_F(NodeUnderRuns, DaemonThatStartsSetsTheRecordBackBeforeItReadsIt) {
  Rollout("one", first_);
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  GuardParts parts;
  parts.store = &store_;
  parts.run_directory = folder_ / "run";
  parts.clock = clock_;
  EXPECT_FALSE(HoldBackOverdueRun(parts).value());
  EXPECT_EQ(store_.Load("web").value().state, second_);
  Reboot();
  EXPECT_TRUE(HoldBackOverdueRun(parts).value());
  EXPECT_EQ(store_.Load("web").value().state, first_);
  EXPECT_TRUE(journal_.exists());  // the guard does the rest
  const auto gone = Guard();
  ASSERT_TRUE(gone);
  EXPECT_EQ(Canonical(kernel_.Observe({}).value()).addresses, first_.addresses);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, PartThatCannotBePutBackKeepsTheOthersFromNothing) {
  Rollout("one", first_);
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  things_["firewall"] = "closed";
  things_["routing"] = "none";
  broken_ = "firewall";
  Wait(seconds(31));
  auto gone = Guard();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->left, std::vector<std::string>{"firewall: does not work"});
  EXPECT_EQ(things_["routing"], before.things.at("routing"));
  EXPECT_EQ(store_.Load("web").value().state, first_);
  ASSERT_TRUE(journal_.exists());
  EXPECT_EQ(journal_.Load().value()->left, gone->left);
  // No other run may change the node, which is not yet what it was.
  const TaskResult refused = Begin(RunOf("three"));
  EXPECT_EQ(refused.status, TaskStatus::kFailed);
  EXPECT_NE(refused.message.find("firewall: does not work"), std::string::npos);
  broken_.clear();
  gone = Guard();
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->complete());
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_TRUE(IsFree());
}

TEST_F(NodeUnderRuns, OperatorMayGiveUpWhatCannotBePutBack) {
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  broken_ = "firewall";
  Wait(seconds(31));
  ASSERT_TRUE(Guard());
  const TaskResult unlocked = One(RunOf("op"), UnlockTask{"two"});
  EXPECT_EQ(unlocked.status, TaskStatus::kChanged) << unlocked.message;
  EXPECT_NE(unlocked.message.find("firewall: does not work"), std::string::npos);
  EXPECT_TRUE(IsFree());
}

// --- runs that died

TEST_F(NodeUnderRuns, NextRunOfThePlaybookTakesTheChangesOver) {
  Rollout("one", first_);
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  const TaskResult begun = Begin(RunOf("three"), {.take_over = "two"});
  ASSERT_EQ(begun.status, TaskStatus::kOk) << begun.message;
  EXPECT_EQ(GroundOf(begun).adopted_run, "two");
  EXPECT_TRUE(GroundOf(begun).armed);
  EXPECT_EQ(Change(RunOf("two"), first_).status, TaskStatus::kFailed);  // it is not dead after all
  EXPECT_EQ(Change(RunOf("three"), second_).status, TaskStatus::kOk);
  // The point to go back to is the older one.
  EXPECT_EQ(One(RunOf("three"), RevertTask{"test"}).status, TaskStatus::kChanged);
  EXPECT_EQ(LookAtAll(), before);
}

TEST_F(NodeUnderRuns, RunOfAnotherPlaybookTakesTheChangesBackFirst) {
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
  const TaskResult begun = Begin(RunOf("three", "dns"), {.take_over = "two"});
  ASSERT_EQ(begun.status, TaskStatus::kChanged) << begun.message;
  EXPECT_EQ(GroundOf(begun).adopted_run, "");
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_FALSE(journal_.exists());
}

TEST_F(NodeUnderRuns, BeginThatComesTooLateGoesBackAndStartsAnew) {
  const auto before = LookAtAll();
  ASSERT_EQ(Begin(RunOf("one")).status, TaskStatus::kOk);
  ASSERT_NE(Change(RunOf("one"), first_).status, TaskStatus::kFailed);
  Reboot();  // the guard has not looked yet
  const TaskResult begun = Begin(RunOf("one"));
  EXPECT_EQ(begun.status, TaskStatus::kChanged) << begun.message;
  EXPECT_FALSE(GroundOf(begun).armed);
  EXPECT_EQ(LookAtAll(), before);
  EXPECT_FALSE(journal_.exists());
}

// --- generations

TEST_F(NodeUnderRuns, RestoreMakesAnOldGenerationTheStateAgain) {
  RunInfo run = RunOf("one");
  run.generation = 3;
  ASSERT_EQ(Begin(run).status, TaskStatus::kOk);
  ASSERT_NE(Change(run, first_).status, TaskStatus::kFailed);
  ASSERT_EQ(One(run, ConfirmTask{}).status, TaskStatus::kOk);
  const auto at_three = LookAtAll();
  run = RunOf("two");
  run.generation = 7;
  ASSERT_EQ(Begin(run).status, TaskStatus::kOk);
  ASSERT_NE(Change(run, second_).status, TaskStatus::kFailed);
  ASSERT_EQ(One(run, ConfirmTask{}).status, TaskStatus::kOk);
  EXPECT_EQ(store_.GenerationsOf("web").Numbers().value(), (std::vector<std::uint64_t>{7, 3}));
  run = RunOf("three");
  run.generation = 8;
  ASSERT_EQ(Begin(run).status, TaskStatus::kOk);
  const TaskResult restored = One(run, RestoreTask{5});
  EXPECT_EQ(restored.status, TaskStatus::kChanged) << restored.message;
  ASSERT_EQ(One(run, ConfirmTask{}).status, TaskStatus::kOk);
  EXPECT_EQ(LookAtAll().kernel, at_three.kernel);
  EXPECT_EQ(LookAtAll().record, at_three.record);
  const auto listed = One(run, GenerationsTask{});
  const auto& list = std::get<GenerationList>(listed.detail).generations;
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].number, 8U);
  EXPECT_TRUE(list[0].current);
  EXPECT_EQ(list[0].run.run_id, "three");
  EXPECT_FALSE(list[2].current);
  // Before its first there was nothing.
  ASSERT_EQ(Begin(RunOf("four")).status, TaskStatus::kOk);
  EXPECT_EQ(One(RunOf("four"), RestoreTask{2}).status, TaskStatus::kChanged);
  EXPECT_TRUE(kernel_.state().addresses.empty());
}

TEST_F(NodeUnderRuns, RunThatChangesNothingMakesNoGeneration) {
  Rollout("one", first_);
  ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
  things_["firewall"] = "other";
  CommandTask command;
  command.argv = {"/bin/true"};
  ASSERT_EQ(One(RunOf("two"), command).status, TaskStatus::kChanged);
  EXPECT_TRUE(done_.armed);
  ASSERT_EQ(One(RunOf("two"), ConfirmTask{}).status, TaskStatus::kOk);
  EXPECT_EQ(store_.GenerationsOf("web").Numbers().value(), std::vector<std::uint64_t>{1});
}

}  // namespace
}  // namespace drover
