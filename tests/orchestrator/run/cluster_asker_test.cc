// Many hosts asked at once, with sessions in memory: real threads, no network.
#include "orchestrator/run/cluster_asker.h"

#include <gtest/gtest.h>

#include <mutex>

#include "tests/orchestrator/cluster/two_directors.h"
#include "tests/orchestrator/run/memory_session.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// A helper that answers status tasks, says nothing at all, or dies at its first task.
struct Behaviour {
  std::string state = "backup";  // of its instance
  bool silent = false;
  bool dies = false;
  bool no_daemon = false;
};

class StatusSession : public MemorySession {
 public:
  explicit StatusSession(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    if (behaviour_.dies) Die();
  }
  Status Send(const Program& program) override {
    if (behaviour_.silent || behaviour_.dies) {
      return {};
    }
    for (const Task& task : program.tasks) {
      TaskResult result;
      result.task = task.id;
      if (behaviour_.no_daemon) {
        result.status = TaskStatus::kFailed;
        result.code = ErrorCode::kNotFound;
        result.message = "no daemon";
      } else {
        result.detail = *Director("x", behaviour_.state).status;
      }
      Say(std::move(result));
    }
    Say(ProgramDone{.ok = true});
    return {};
  }

 private:
  Behaviour behaviour_;
};

// Two directors, a real server with kernel parts only, and a probe without any state.
class Cluster {
 public:
  Cluster() {
    for (const char* host : {"lb1", "lb2", "rs1", "probe"}) {
      run_.connections[host].host = host;
      run_.connections[host].connect_timeout = milliseconds(0);
      run_.states[host];
    }
    for (const char* host : {"lb1", "lb2"}) run_.states[host].vrrp_instances = {VrrpInstance{}};
    run_.states["rs1"].sysctls = {Sysctl{"net/ipv4/ip_forward", "1"}};
    behaviours_["lb1"].state = "master";
  }
  Behaviour& At(const std::string& host) { return behaviours_[host]; }
  ClusterAsker Asker() {
    return ClusterAsker(run_, RunInfo{}, [this](const HostConnection& connection) {
      const std::lock_guard lock(mutex_);
      ++opened_[connection.host];
      return Result<std::unique_ptr<HelperSession>>(
          std::make_unique<StatusSession>(behaviours_[connection.host]));
    });
  }
  int Opened(const std::string& host) {
    const std::lock_guard lock(mutex_);
    return opened_[host];
  }

 private:
  CompiledRun run_;
  std::mutex mutex_;
  std::map<std::string, Behaviour> behaviours_;
  std::map<std::string, int> opened_;
};

const HostStatus* Find(const ClusterStatus& cluster, const std::string& host) {
  for (const HostStatus& one : cluster.hosts) {
    if (one.host == host) return &one;
  }
  return nullptr;
}

TEST(ClusterAsker, AsksEveryHostThatHasAState) {
  Cluster cluster;
  ClusterAsker asker = cluster.Asker();
  const ClusterStatus status = asker.AskStatus();
  ASSERT_EQ(status.hosts.size(), 3U);
  EXPECT_EQ(Find(status, "probe"), nullptr);
  EXPECT_TRUE(Find(status, "lb1")->needs_daemon);
  EXPECT_FALSE(Find(status, "rs1")->needs_daemon);
  EXPECT_EQ(Find(status, "lb1")->status->instances.at(0).state, "master");
  EXPECT_TRUE(asker.Close());
}

TEST(ClusterAsker, OneConnectionServesManyQuestions) {
  Cluster cluster;
  ClusterAsker asker = cluster.Asker();
  asker.AskStatus();
  asker.AskStatus();
  asker.AskStatus();
  EXPECT_EQ(cluster.Opened("lb1"), 1);
  EXPECT_TRUE(asker.Close());
}

TEST(ClusterAsker, AHostThatDiesIsConnectedAnew) {
  Cluster cluster;
  cluster.At("lb2").dies = true;
  ClusterAsker asker = cluster.Asker();
  const ClusterStatus status = asker.AskStatus();
  ASSERT_TRUE(Find(status, "lb2")->error);
  EXPECT_EQ(Find(status, "lb2")->error->code, ErrorCode::kUnreachable);
  EXPECT_TRUE(Find(status, "lb1")->status);
  cluster.At("lb2").dies = false;
  EXPECT_TRUE(Find(asker.AskStatus(), "lb2")->status);
  EXPECT_EQ(cluster.Opened("lb2"), 2);
  EXPECT_TRUE(asker.Close());
}

TEST(ClusterAsker, ASilentHostDoesNotHoldTheOthersForEver) {
  Cluster cluster;
  cluster.At("lb2").silent = true;
  ClusterAsker asker = cluster.Asker();
  const auto answers = asker.Ask({{"lb1", StatusTask{}}, {"lb2", StatusTask{}}}, milliseconds(100));
  EXPECT_TRUE(answers.at("lb1"));
  ASSERT_FALSE(answers.at("lb2"));
  EXPECT_EQ(answers.at("lb2").error().code, ErrorCode::kTimeout);
}

TEST(ClusterAsker, ANodeWithoutItsDaemonSaysSo) {
  Cluster cluster;
  cluster.At("rs1").no_daemon = true;
  ClusterAsker asker = cluster.Asker();
  const ClusterStatus status = asker.AskStatus();
  EXPECT_EQ(*Find(status, "rs1")->error, (Error{ErrorCode::kNotFound, "no daemon"}));
  EXPECT_TRUE(asker.Close());
}

TEST(ClusterAsker, AnInterruptEndsTheWait) {
  Cluster cluster;
  cluster.At("lb2").silent = true;
  ClusterAsker asker = cluster.Asker();
  std::thread stopper([&asker] { asker.Interrupt(); });
  const auto answers = asker.Ask({{"lb2", StatusTask{}}}, std::chrono::minutes(1));
  stopper.join();
  EXPECT_FALSE(answers.at("lb2"));
  EXPECT_TRUE(asker.interrupted());
}

}  // namespace
}  // namespace drover
