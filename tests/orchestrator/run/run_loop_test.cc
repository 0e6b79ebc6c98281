// The loop with sessions in memory: real threads, no network. A script says what each helper does.
#include "orchestrator/run/run_loop.h"

#include <gtest/gtest.h>

#include <mutex>

#include "orchestrator/run/wire_session.h"
#include "tests/orchestrator/rollout/run_builder.h"
#include "tests/orchestrator/run/memory_session.h"

namespace drover {
namespace {

// A helper that carries out every task with the status `changes` says, or fails or hangs at one.
struct Script {
  std::uint32_t fails_at = 0;
  std::uint32_t dies_at = 0;
  std::uint32_t hangs_at = 0;
};

class ScriptedSession : public MemorySession {
 public:
  explicit ScriptedSession(Script script) : script_(script) {}
  Status Send(const Program& program) override {
    for (const Task& task : program.tasks) {
      Say(TaskStarted{task.id});
      if (task.id == script_.dies_at) {
        Die();
        return {};
      }
      if (task.id == script_.hangs_at) {
        return {};
      }
      TaskResult result;
      result.task = task.id;
      result.status = task.id == script_.fails_at ? TaskStatus::kFailed : TaskStatus::kChanged;
      Say(result);
      if (result.status == TaskStatus::kFailed) {
        break;
      }
    }
    Say(ProgramDone{.ok = true});
    return {};
  }

 private:
  Script script_;
};

// Opens sessions by script and counts them.
struct Network {
  std::map<std::string, Script> scripts;
  std::map<std::string, Error> refused;
  std::mutex mutex;
  std::map<std::string, int> opened;

  SessionOpener Opener() {
    return [this](const HostConnection& connection) -> Result<std::unique_ptr<HelperSession>> {
      const std::lock_guard lock(mutex);
      ++opened[connection.host];
      if (const auto error = refused.find(connection.host); error != refused.end()) {
        return Fail(error->second);
      }
      return std::make_unique<ScriptedSession>(scripts[connection.host]);
    };
  }
};

CompiledRun WithConnections(const RunBuilder& builder) {
  CompiledRun run = builder.Build();
  for (const CompiledPlay& play : run.plays) {
    for (const std::string& host : play.hosts) {
      run.connections[host].host = host;
    }
  }
  return run;
}

RunOutcome RunOn(Network& network, const RunBuilder& builder, std::size_t forks = 64) {
  const CompiledRun run = WithConnections(builder);
  RunControl control;
  return RunLoop(
      run, RolloutOptions{.run = {}, .forks = forks}, network.Opener(), [](const Shown&) {},
      control);
}

TEST(RunLoop, OneConnectionPerHostCarriesAllPlays) {
  Network network;
  const RunOutcome outcome = RunOn(network, RunBuilder()
                                                .Play("p", {"a", "b"})
                                                .Task("one")
                                                .Task("two")
                                                .Play("q", {"b", "a"})
                                                .Task("three"));
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.ok = 3, .changed = 3}));
  EXPECT_EQ(outcome.tallies.at("b"), (Tally{.ok = 3, .changed = 3}));
  EXPECT_EQ(network.opened, (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(outcome.times.at("a").programs, 2);
  EXPECT_EQ(outcome.times.at("a").tasks, 3);
  EXPECT_FALSE(outcome.interrupted);
  EXPECT_FALSE(outcome.thread_left_behind);
}

TEST(RunLoop, HostsThatCannotBeReachedDoNotStopTheOthers) {
  Network network;
  network.refused["a"] = Error{ErrorCode::kUnreachable, "no route to host"};
  const RunOutcome outcome =
      RunOn(network, RunBuilder().Play("p", {"a", "b"}).Task("one"), /*forks=*/1);
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.unreachable = 1}));
  EXPECT_EQ(outcome.tallies.at("b"), (Tally{.ok = 1, .changed = 1}));
  EXPECT_EQ(network.opened["a"], 1);
}

TEST(RunLoop, HelperThatDiesMakesItsHostUnreachable) {
  Network network;
  network.scripts["a"].dies_at = 2;
  const RunOutcome outcome = RunOn(network, RunBuilder().Play("p", {"a"}).Task("one").Task("two"));
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.ok = 1, .changed = 1, .unreachable = 1}));
}

TEST(RunLoop, ManyHostsWithFewForksAllComeThrough) {
  Network network;
  std::vector<std::string> hosts;
  for (int i = 0; i < 100; ++i) {
    hosts.push_back("h" + std::to_string(i));
  }
  network.scripts["h7"].fails_at = 8;
  const RunOutcome outcome =
      RunOn(network, RunBuilder().Play("p", hosts).Task("one").Task("two"), /*forks=*/5);
  EXPECT_EQ(outcome.tallies.size(), 100U);
  EXPECT_EQ(outcome.tallies.at("h7"), (Tally{.failed = 1}));
  EXPECT_EQ(outcome.tallies.at("h99"), (Tally{.ok = 2, .changed = 2}));
}

TEST(RunLoop, InterruptTwiceEndsARunThatHangs) {
  Network network;
  network.scripts["a"].hangs_at = 1;
  const CompiledRun run = WithConnections(RunBuilder().Play("p", {"a"}).Task("one"));
  RunControl control;
  const auto show = [&](const Shown& shown) {
    if (std::holds_alternative<TaskBanner>(shown)) {
      control.Interrupt();
      control.Interrupt();
    }
  };
  const RunOutcome outcome = RunLoop(run, {}, network.Opener(), show, control);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_FALSE(outcome.thread_left_behind);
  ASSERT_EQ(outcome.left_midway.size(), 1U);
  EXPECT_EQ(outcome.left_midway[0].host, "a");
}

TEST(RunLoop, HostWithoutAConnectionFailsAndDoesNotHang) {
  Network network;
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Build();
  RunControl control;
  const RunOutcome outcome = RunLoop(
      run, {}, network.Opener(), [](const Shown&) {}, control);
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.failed = 1}));
}

TEST(RunLoop, RefusedHandshakeIsTriedAgainButOnlyTwice) {
  Network network;
  network.refused["a"] =
      Error{ErrorCode::kUnreachable, "SSH key exchange with a: Connection reset by peer"};
  const RunOutcome outcome = RunOn(network, RunBuilder().Play("p", {"a"}).Task("one"));
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.unreachable = 1}));
  EXPECT_EQ(network.opened["a"], 3);
}

TEST(RunLoop, ConnectionsThatDoNotComeAboutAreTriedAsOftenAsWanted) {
  Network network;
  network.refused["a"] =
      Error{ErrorCode::kUnreachable, "a: connecting to 10.0.0.1 port 22: Connection refused"};
  CompiledRun run = WithConnections(RunBuilder().Play("p", {"a"}).Task("one"));
  run.connections["a"].connect_retries = 1;
  RunControl control;
  const RunOutcome outcome = RunLoop(
      run, {}, network.Opener(), [](const Shown&) {}, control);
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.unreachable = 1}));
  EXPECT_EQ(network.opened["a"], 2);
}

TEST(NoConnection, IsNeitherARefusedLoginNorAHostKey) {
  EXPECT_TRUE(
      IsNoConnection({ErrorCode::kUnreachable, "a: connecting to a port 22: No route to host"}));
  EXPECT_FALSE(IsNoConnection({ErrorCode::kUnreachable, "a: Permission denied (publickey)"}));
  EXPECT_FALSE(IsNoConnection({ErrorCode::kDenied, "connecting to sudo port 22"}));
}

TEST(HandshakeReset, OnlyConnectionsThatBrokeInTheHandshakeAreTriedAgain) {
  EXPECT_TRUE(
      IsHandshakeReset({ErrorCode::kUnreachable,
                        "SSH key exchange with a (a port 22): the server closed the connection"}));
  EXPECT_FALSE(IsHandshakeReset({ErrorCode::kUnreachable, "Connection refused"}));
  EXPECT_FALSE(IsHandshakeReset({ErrorCode::kUnreachable, "the server closed the connection"}));
  EXPECT_FALSE(IsHandshakeReset({ErrorCode::kDenied, "sudo: Connection reset"}));
}

TEST(WireSession, TellsWhatIsSentAndReceived) {
  Network network;
  std::mutex mutex;
  std::string told;
  const SessionOpener open =
      WithWire(network.Opener(), [&](const std::string& host, char way, const std::string& line) {
        const std::lock_guard lock(mutex);
        told += host + way + (line.starts_with("{") ? "{}" : "?") + " ";
      });
  const CompiledRun run = WithConnections(RunBuilder().Play("p", {"a"}).Task("one"));
  RunControl control;
  const RunOutcome outcome = RunLoop(
      run, {}, open, [](const Shown&) {}, control);
  EXPECT_EQ(outcome.tallies.at("a"), (Tally{.ok = 1, .changed = 1}));
  // Hello, the program, started, result, done.
  EXPECT_EQ(told, "a<{} a>{} a<{} a<{} a<{} ");
}

}  // namespace
}  // namespace drover
