// Units and the line for cron, with names that have everything in them.

#include "orchestrator/schedule/units.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace drover {
namespace {

const DueCommand kPlain{"/usr/bin/drover", {{"HOME", "/root"}}};
const DueCommand kOdd{"/opt/my tools/100%/dro'ver", {{"HOME", "/home/a \"b\" $c"}}};

TEST(DueUnits, QuoteWhatSystemdWouldExpand) {
  EXPECT_NE(DueServiceText(kPlain).find("\nExecStart=\"/usr/bin/drover\" drill due\n"),
            std::string::npos);
  const std::string odd = DueServiceText(kOdd);
  EXPECT_NE(odd.find("ExecStart=\"/opt/my tools/100%%/dro'ver\" drill due\n"), std::string::npos)
      << odd;
  EXPECT_NE(odd.find("Environment=\"HOME=/home/a \\\"b\\\" $c\"\n"), std::string::npos) << odd;
}

TEST(DueUnits, AreFineForSystemd) {
  if (std::system("systemd-analyze --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no systemd-analyze here";
  }
  std::string folder = testing::TempDir() + "drover_units_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/" + kDueUnit + ".service")
      << DueServiceText({"/bin/true", kPlain.environment});
  std::ofstream(folder + "/" + kDueUnit + ".timer") << DueTimerText();
  const std::string command = "systemd-analyze verify '" + folder + "/" + kDueUnit + ".timer' '" +
                              folder + "/" + kDueUnit + ".service' >/dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(folder);
}

TEST(CronLine, IsOneLineForAShell) {
  EXPECT_EQ(CronLine(kPlain), "* * * * * env 'HOME=/root' '/usr/bin/drover' drill due");
  EXPECT_EQ(CronLine(kOdd),
            "* * * * * env 'HOME=/home/a \"b\" $c' '/opt/my tools/100\\%/dro'\\''ver' drill due");
}

}  // namespace
}  // namespace drover
