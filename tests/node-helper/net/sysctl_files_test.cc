#include "node-helper/net/sysctl_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace drover {
namespace {

namespace fs = std::filesystem;

// A folder in the place of /proc/sys, with a file outside of it that must never be reached.
class SysctlFilesTest : public testing::Test {
 protected:
  SysctlFilesTest() : top_(fs::path(testing::TempDir()) / ("sysctl-" + std::to_string(getpid()))) {
    fs::create_directories(top_ / "sys/net/ipv4");
    Put("sys/net/ipv4/ip_forward", "0\n");
    Put("sys/net/ipv4/range", "32768\t60999\n");
    Put("outside", "secret\n");
    fs::create_symlink(top_ / "outside", top_ / "sys/net/link");
  }
  ~SysctlFilesTest() override { fs::remove_all(top_); }

  void Put(const std::string& path, const std::string& text) { std::ofstream(top_ / path) << text; }
  std::string Get(const std::string& path) {
    std::ifstream file(top_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path top_;
  SysctlFiles files_{(top_ / "sys").string()};
};

TEST_F(SysctlFilesTest, ValuesAreNormalised) {
  EXPECT_EQ(files_.Read("net/ipv4/ip_forward").value(), "0");
  EXPECT_EQ(files_.Read("net/ipv4/range").value(), "32768 60999");
}

TEST_F(SysctlFilesTest, MissingOnesAreLeftOut) {
  EXPECT_EQ(files_.Read("net/ipv4/none").value(), std::nullopt);
  EXPECT_EQ(files_.Read("net/ipv4/ip_forward/below").value(), std::nullopt);
}

TEST_F(SysctlFilesTest, WriteReplacesTheValue) {
  ASSERT_TRUE(files_.Write({"net/ipv4/ip_forward", "1"}));
  EXPECT_EQ(Get("sys/net/ipv4/ip_forward"), "1\n");
}

TEST_F(SysctlFilesTest, WriteNeverCreatesAFile) {
  const Status written = files_.Write({"net/ipv4/none", "1"});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "sysctl net.ipv4.none: this kernel has no such setting");
  EXPECT_FALSE(fs::exists(top_ / "sys/net/ipv4/none"));
}

TEST_F(SysctlFilesTest, NoKeyLeavesTheFolder) {
  for (const char* key :
       {"../outside", "net/../../outside", "net/ipv4/../../../outside", "/etc/passwd", "net//ipv4",
        "net/./ipv4", "net/ipv4/", "", "net", "net/link", "net.ipv4.ip_forward"}) {
    const auto read = files_.Read(key);
    EXPECT_FALSE(read && read->has_value()) << key;
    EXPECT_FALSE(files_.Write({key, "1"})) << key;
  }
  const std::string with_zero("net/ipv4/ip_forward\0x", 21);
  EXPECT_FALSE(files_.Read(with_zero));
  EXPECT_EQ(Get("outside"), "secret\n");
}

TEST_F(SysctlFilesTest, GroupsAndSeveralLinesAreRefused) {
  EXPECT_EQ(files_.Read("net/ipv4").error().message,
            "sysctl net.ipv4: is a group of settings, not a setting");
  EXPECT_EQ(files_.Write({"net/ipv4/ip_forward", "1\n2"}).error().message,
            "sysctl net.ipv4.ip_forward: the value has more than one line");
}

TEST_F(SysctlFilesTest, ValueThatDoesNotStickIsAnError) {
  // A file keeps what follows the shorter text; the kernel keeps what it made of a value.
  Put("sys/net/ipv4/range", "32768 60999 kept\n");
  const Status written = files_.Write({"net/ipv4/range", "1"});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kInvalid);
  EXPECT_NE(written.error().message.find("the kernel took \"1\" but keeps"), std::string::npos);
}

}  // namespace
}  // namespace drover
