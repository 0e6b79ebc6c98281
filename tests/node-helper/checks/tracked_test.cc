// What files and processes say to trackers.

#include <gtest/gtest.h>

#include "node-helper/checks/file_state.h"
#include "node-helper/checks/process_scan.h"

namespace drover {
namespace {

TEST(TrackedFile, IsDownOnlyWhenItSaysZero) {
  for (const char* up : {"", "1", "10", "-5", "ok", "ok 0", "\n", "01"}) {
    EXPECT_TRUE(JudgeFileText(up).ok()) << up;
  }
  for (const char* down : {"0", "0\n", " 0", "-0", "000", "0 because", "\t+0"}) {
    EXPECT_FALSE(JudgeFileText(down).ok()) << down;
  }
}

TEST(TrackedFile, MustBeAPlainFile) {
  EXPECT_EQ(LookAtFile("/no/such/file").reason, "/no/such/file: No such file or directory");
  EXPECT_EQ(LookAtFile("/").reason, "/ is no plain file");
  EXPECT_EQ(LookAtFile("/dev/zero").reason, "/dev/zero is no plain file");
}

TEST(TrackedProcess, IsKnownByItsName) {
  EXPECT_TRUE(LivesAs("42 (nginx) S 1 42", "nginx"));
  EXPECT_FALSE(LivesAs("42 (nginx) Z 1 42", "nginx")) << "a zombie serves nobody";
  EXPECT_FALSE(LivesAs("42 (nginxx) S 1", "nginx"));
  EXPECT_TRUE(LivesAs("42 (a) b) R 1", "a) b"));
  EXPECT_TRUE(LivesAs("42 (systemd-timesyn) S 1", "systemd-timesyncd"));
  for (const char* garbage : {"", "(", ")", "42 (nginx)", "42 (nginx) ", ") ("}) {
    EXPECT_FALSE(LivesAs(garbage, "nginx")) << garbage;
  }
}

TEST(TrackedProcess, IsCounted) {
  ProcessScan nobody("no such process");
  EXPECT_EQ(nobody.Count(1), 0U);
  ProcessScan self("/proc/self/exe");
  EXPECT_EQ(self.Count(1), 0U) << "the path is the one of the file, not of a link";
  ProcessScan us("checks_test");
  EXPECT_EQ(us.Count(1), 1U);
  EXPECT_EQ(us.Count(1), 1U) << "the second look goes to those found before";
}

}  // namespace
}  // namespace drover
