#include "node-helper/daemon/event_log.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

TEST(EventLog, KeepsTheNewestInOrderAndWritesJsonLines) {
  TempFolder folder;
  const DaemonLog log = DaemonLog::ToSyslogOr(folder / "log");
  {
    EventLog events(EventFile{folder / "events.jsonl"}, log);
    for (int i = 0; i < 600; ++i) events.Add("vrrp", "vrrp_instance web", std::to_string(i));
    const auto newest = events.Newest(2);
    ASSERT_EQ(newest.size(), 2U);
    EXPECT_EQ(newest[1].text, "599");
    EXPECT_GT(newest[0].wall_us, 0);
    EXPECT_EQ(events.Newest(10000).size(), 500U);
    EXPECT_EQ(events.lost(), 0U);
  }
  const std::string text = ReadWholeFile(folder / "events.jsonl").value();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 600);
  EXPECT_NE(text.find("\"kind\":\"vrrp\",\"subject\":\"vrrp_instance web\",\"text\":\"0\"}"),
            std::string::npos);
}

TEST(EventLog, AFullFileIsRotatedAndOnlySomeAreKept) {
  TempFolder folder;
  const DaemonLog log = DaemonLog::ToSyslogOr(folder / "log");
  {
    EventLog events(EventFile{folder / "events.jsonl", 2000, 2}, log);
    for (int i = 0; i < 200; ++i) events.Add("check", "x", "y");
  }
  EXPECT_LE(std::filesystem::file_size(folder / "events.jsonl"), 2000U);
  EXPECT_LE(std::filesystem::file_size(folder / "events.jsonl.1"), 2000U);
  EXPECT_TRUE(std::filesystem::exists(folder / "events.jsonl.2"));
  EXPECT_FALSE(std::filesystem::exists(folder / "events.jsonl.3"));
}

// /dev/full is a disk without room.
TEST(EventLog, AFullDiskLosesLinesAndNothingElse) {
  TempFolder folder;
  const DaemonLog log = DaemonLog::ToSyslogOr(folder / "log");
  EventLog events(EventFile{"/dev/full"}, log);
  for (int i = 0; i < 10; ++i) events.Add("check", "x", "y");
  events.Flush();
  EXPECT_EQ(events.lost(), 10U);
  EXPECT_EQ(events.Newest(100).size(), 10U);
}

TEST(EventLog, RemembersTheProcessBefore) {
  TempFolder folder;
  const DaemonLog log = DaemonLog::ToSyslogOr(folder / "log");
  EventLog events(EventFile{}, log);
  events.Add("daemon", "", "runs");
  events.Remember({LoggedEvent{1, 2, "vrrp", "a", "before"}});
  EXPECT_EQ(events.Newest(2)[0].text, "before");
}

}  // namespace
}  // namespace drover
