// Texts of /proc and of sshd.

#include "node-helper/fault/process_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace drover {
namespace {

TEST(ProcessTable, ANameMayHoldAnything) {
  const std::string rest =
      " S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 100 18446744073709551615\n";
  const auto stat = ParseProcessStat("42 (a) b (c)" + rest);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(*stat, (ProcessStat{"a) b (c", 'S', 7, "987654"}));
  EXPECT_FALSE(ParseProcessStat("").has_value());
  EXPECT_FALSE(ParseProcessStat("42 (sh) S 7 42").has_value());
}

TEST(ProcessTable, SocketsOfBothFamiliesAreRead) {
  const auto rows = ParseSocketTable(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
      "0 4711 1\n"
      "   1: 0000000000000000FFFF00000100000A:0016 0000000000000000FFFF00000500000A:9C40 01 "
      "00000000:00000000 00:00000000 00000000     0        0 4712 1\n"
      "nonsense\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].here.ToString(), "127.0.0.1:8080");
  EXPECT_EQ(rows[0].state, 10U);
  EXPECT_EQ(rows[0].inode, "4711");
  EXPECT_EQ(rows[1].here.ToString(), "10.0.0.1:22");
  EXPECT_EQ(rows[1].there.ToString(), "10.0.0.5:40000");
}

TEST(ProcessTable, TheSshConnectionIsReadFromItsVariable) {
  const auto way = ParseSshConnection("10.0.0.5 40000 10.0.0.1 22");
  ASSERT_TRUE(way.has_value());
  EXPECT_EQ(way->there.ToString(), "10.0.0.5:40000");
  EXPECT_EQ(way->here.ToString(), "10.0.0.1:22");
  EXPECT_TRUE(ParseSshConnection("2001:db8::5 40000 2001:db8::1 22").has_value());
  for (const char* text : {"", "10.0.0.5", "10.0.0.5 40000 10.0.0.1", "a 1 b 2"}) {
    EXPECT_FALSE(ParseSshConnection(text).has_value()) << text;
  }
}

TEST(ProcessTable, AProcessIsItselfAsLongAsItsStartTimeFits) {
  auto self = ProcessOf(::getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_TRUE(IsThere(*self));
  self->started += "0";
  EXPECT_FALSE(IsThere(*self));
}

}  // namespace
}  // namespace drover
