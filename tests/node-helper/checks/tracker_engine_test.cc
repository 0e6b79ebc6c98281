// Trackers on a loop.

#include "node-helper/checks/tracker_engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Tracker Fast(const std::string& name, const TrackerTarget& target) {
  return {
      .name = name, .target = target, .interval = milliseconds(50), .timeout = milliseconds(50)};
}

class Trackers : public ::testing::Test {
 protected:
  std::unique_ptr<TrackerEngine> NewEngine() {
    return TrackerEngine::Create(loop_,
                                 [this](const TrackerStatus& status) { told_.push_back(status); });
  }
  TrackerStatus StatusOf(const std::string& name) {
    for (const TrackerStatus& status : engine_->Statuses()) {
      if (status.name == name) return status;
    }
    return {};
  }
  bool RunUntil(const std::string& name, bool up, milliseconds patience = milliseconds(2000)) {
    const auto deadline = steady_clock::now() + patience;
    while (true) {
      const TrackerStatus status = StatusOf(name);
      if (status.decided && status.up == up) return true;
      if (steady_clock::now() >= deadline) return false;
      loop_.restart();
      loop_.run_one_for(milliseconds(10));
    }
  }

  boost::asio::io_context loop_;
  std::vector<TrackerStatus> told_;
  std::unique_ptr<TrackerEngine> engine_ = NewEngine();
};

TEST_F(Trackers, AFileIsFollowed) {
  const std::string path = "/tmp/drover-tracker-test-" + std::to_string(::getpid());
  engine_->Configure({Fast("file", FileTracker{path})});
  EXPECT_FALSE(StatusOf("file").decided);
  ASSERT_TRUE(RunUntil("file", false));
  EXPECT_EQ(StatusOf("file").reason, path + ": No such file or directory");
  std::ofstream(path) << "1";
  ASSERT_TRUE(RunUntil("file", true));
  EXPECT_EQ(StatusOf("file").reason, "");
  std::ofstream(path) << "0";
  ASSERT_TRUE(RunUntil("file", false));
  EXPECT_EQ(StatusOf("file").reason, "the file says 0");
  ::unlink(path.c_str());
  ASSERT_EQ(told_.size(), 3U);
}

TEST_F(Trackers, AProcessIsFollowed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sleep", "sleep", "60", nullptr);
    ::_exit(1);
  }
  // By path, and more of them than run.
  Tracker two = Fast("two", ProcessTracker{"/no/such/file", 2});
  engine_->Configure({Fast("sleep", ProcessTracker{"sleep"}), two});
  EXPECT_TRUE(RunUntil("sleep", true));
  EXPECT_TRUE(RunUntil("two", false));
  EXPECT_EQ(StatusOf("two").reason, "/no/such/file does not run");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(Trackers, AScriptIsFollowedWithRiseAndFall) {
  const std::string path = "/tmp/drover-tracker-script-" + std::to_string(::getpid());
  Tracker tracker = Fast("script", ScriptTracker{{"/bin/test", "-e", path}});
  tracker.rise = 2;
  tracker.fall = 2;
  engine_->Configure({tracker, Fast("hangs", ScriptTracker{{"/bin/sleep", "9"}})});
  ASSERT_TRUE(RunUntil("script", false));
  EXPECT_EQ(StatusOf("script").reason, "the script ended with exit code 1");
  ASSERT_TRUE(RunUntil("hangs", false));
  EXPECT_EQ(StatusOf("hangs").reason, "the script did not end in 50ms");
  std::ofstream(path) << "x";
  ASSERT_TRUE(RunUntil("script", true));
  ::unlink(path.c_str());
  ASSERT_TRUE(RunUntil("script", false));
}

TEST_F(Trackers, InterfacesAndServicesAreTold) {
  const ServiceKey service = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};
  engine_->SetInterface("eth0", true);
  engine_->Configure(
      {Fast("uplink", InterfaceTracker{"eth0"}), Fast("web", ServiceTracker{service})});
  EXPECT_TRUE(StatusOf("uplink").up) << "it was told before";
  EXPECT_FALSE(StatusOf("web").decided);
  engine_->SetService(service, false);
  EXPECT_TRUE(StatusOf("web").decided);
  EXPECT_EQ(StatusOf("web").reason, "tcp 10.0.0.100:80 has lost its quorum");
  engine_->SetInterface("eth0", true);
  engine_->SetInterface("eth0", false);
  EXPECT_EQ(StatusOf("uplink").reason, "eth0 is down or has no carrier");
  engine_->SetInterface("eth1", false);
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_EQ(told_[0].name, "uplink");
  EXPECT_TRUE(told_[0].up);
  EXPECT_EQ(told_[1].name, "web");
  EXPECT_EQ(told_[2].name, "uplink");
}

TEST_F(Trackers, TheNextProcessKnowsWhatThisOneKnew) {
  const std::vector<Tracker> trackers = {Fast("file", FileTracker{"/proc/version"}),
                                         Fast("uplink", InterfaceTracker{"eth0"})};
  engine_->SetInterface("eth0", true);
  engine_->Configure(trackers);
  ASSERT_TRUE(RunUntil("file", true));
  const std::string remembered = engine_->Freeze();
  engine_ = NewEngine();
  engine_->Thaw(remembered);
  engine_->Configure(trackers);
  for (const char* name : {"file", "uplink"}) {
    EXPECT_TRUE(StatusOf(name).decided) << name;
    EXPECT_TRUE(StatusOf(name).up) << name;
  }
}

TEST_F(Trackers, WhatStaysKeepsItsStateAndWhatGoesIsGone) {
  const Tracker stays = Fast("stays", FileTracker{"/proc/version"});
  engine_->Configure({stays, Fast("goes", ScriptTracker{{"/bin/sleep", "9"}})});
  ASSERT_TRUE(RunUntil("stays", true));
  engine_->Configure({stays});
  EXPECT_TRUE(StatusOf("stays").decided);
  EXPECT_EQ(engine_->Statuses().size(), 1U);
  Tracker changed = stays;
  changed.rise = 3;
  engine_->Configure({changed});
  EXPECT_FALSE(StatusOf("stays").decided);
}

}  // namespace
}  // namespace drover
