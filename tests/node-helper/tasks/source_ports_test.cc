// Ports of probes: told apart across probes. The story: a probe right after another one was judged
// "not round robin", because the kernel gave it ports whose connections ip_vs still remembered.

#include "node-helper/tasks/source_ports.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace drover {
namespace {

class SourcePortsTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_ =
      std::filesystem::temp_directory_path() / ("source-ports-" + std::to_string(::getpid()));
  std::string file_ = folder_ + "/probe-port";
};

TEST_F(SourcePortsTest, NextProbeTakesOthers) {
  std::set<std::uint16_t> seen;
  for (int probe = 0; probe < 10; ++probe) {
    SourcePorts ports(file_, 100);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(ports.Next()).second);
  }
}

TEST_F(SourcePortsTest, AProbeBesideAnotherTakesOthers) {
  SourcePorts first(file_, 50);
  SourcePorts second(file_, 50);
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(seen.insert(first.Next()).second);
    EXPECT_TRUE(seen.insert(second.Next()).second);
  }
}

TEST_F(SourcePortsTest, StayInTheirRangeAndBeginAgain) {
  std::filesystem::create_directories(folder_);
  for (const std::string text : {"16383", "99999999999999", "-4", "nonsense", ""}) {
    std::ofstream(file_, std::ios::trunc) << text;
    SourcePorts ports(file_, 3);
    for (int i = 0; i < 20000; ++i) {
      const std::uint16_t port = ports.Next();
      ASSERT_GE(port, kFirstSourcePort);
      ASSERT_LE(port, kLastSourcePort);
    }
  }
}

TEST_F(SourcePortsTest, WithoutAFileTheProbeStillHasPorts) {
  SourcePorts ports("/proc/no/such/file", 3);
  EXPECT_GE(ports.Next(), kFirstSourcePort);
}

}  // namespace
}  // namespace drover
