// Calendar expressions: what they mean, what is none, and what becomes of local times when the
// clock is turned. Where the system has systemd-analyze it has the last word.

#include "orchestrator/schedule/calendar.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>

namespace drover {
namespace {

UtcSeconds Utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  return *TimeZone::Load("UTC")->MomentOf({year, month, day, hour, minute, second});
}

// The next `count` times in UTC, or what is wrong with the expression.
std::vector<std::string> NextOf(const std::string& text, UtcSeconds after, int count,
                                const std::string& zone_name = "UTC") {
  const auto calendar = ParseCalendar(text);
  if (!calendar) return {calendar.error().message};
  const auto zone = TimeZone::Load(calendar->zone.empty() ? zone_name : calendar->zone);
  const auto utc = TimeZone::Load("UTC");
  std::vector<std::string> times;
  for (auto next = NextAfter(*calendar, *zone, after); next && count > 0;
       next = NextAfter(*calendar, *zone, *next), --count) {
    times.push_back(LocalText(*utc, *next).substr(0, 19));
  }
  return times;
}

using Times = std::vector<std::string>;

TEST(Calendar, MeansWhatItSays) {
  const UtcSeconds after = Utc(2026, 1, 31, 12, 0, 0);  // a Saturday
  struct Case {
    const char* text;
    Times want;
  };
  const std::vector<Case> cases = {
      {"daily", {"2026-02-01 00:00:00", "2026-02-02 00:00:00"}},
      {"weekly", {"2026-02-02 00:00:00", "2026-02-09 00:00:00"}},
      {"monthly", {"2026-02-01 00:00:00", "2026-03-01 00:00:00"}},
      {"quarterly", {"2026-04-01 00:00:00", "2026-07-01 00:00:00"}},
      {"hourly", {"2026-01-31 13:00:00", "2026-01-31 14:00:00"}},
      {"Tue..Thu 10:30", {"2026-02-03 10:30:00", "2026-02-04 10:30:00"}},
      {"Sat..Mon 10:30", {"2026-02-01 10:30:00", "2026-02-02 10:30:00"}},
      {"Mon,Friday *-*-* 02:00:30", {"2026-02-02 02:00:30", "2026-02-06 02:00:30"}},
      {"*-02-29 01:00", {"2028-02-29 01:00:00", "2032-02-29 01:00:00"}},
      {"*-02~01", {"2026-02-28 00:00:00", "2027-02-28 00:00:00"}},
      {"*-*~01..02 23:59:59", {"2026-01-31 23:59:59", "2026-02-27 23:59:59"}},
      {"2026-03-01..02 05:00", {"2026-03-01 05:00:00", "2026-03-02 05:00:00"}},
      {"*:0/20", {"2026-01-31 12:20:00", "2026-01-31 12:40:00"}},
      {"9..17/4:15", {"2026-01-31 13:15:00", "2026-01-31 17:15:00"}},
      {"03-10", {"2026-03-10 00:00:00", "2027-03-10 00:00:00"}},
      {"2025-01-01", {}},
      {"daily Asia/Tokyo", {"2026-01-31 15:00:00", "2026-02-01 15:00:00"}},
      {"12:00 America/New_York", {"2026-01-31 17:00:00", "2026-02-01 17:00:00"}},
  };
  for (const Case& one : cases) EXPECT_EQ(NextOf(one.text, after, 2), one.want) << one.text;
}

TEST(Calendar, SkipsTimesThatTheClockSkips) {
  // Berlin turns its clocks from 02:00 to 03:00 on 2027-03-28.
  EXPECT_EQ(NextOf("02:30", Utc(2027, 3, 26, 23), 3, "Europe/Berlin"),
            (Times{"2027-03-27 01:30:00", "2027-03-29 00:30:00", "2027-03-30 00:30:00"}));
  EXPECT_EQ(NextOf("*:30", Utc(2027, 3, 28, 0, 0), 2, "Europe/Berlin"),
            (Times{"2027-03-28 00:30:00", "2027-03-28 01:30:00"}));
}

TEST(Calendar, TakesTimesThatComeTwiceOnce) {
  // Berlin turns them from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
  EXPECT_EQ(NextOf("02:30", Utc(2026, 10, 24, 12), 2, "Europe/Berlin"),
            (Times{"2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  EXPECT_EQ(NextOf("*:0/30", Utc(2026, 10, 25, 0, 0), 4, "Europe/Berlin"),
            (Times{"2026-10-25 00:30:00", "2026-10-25 02:00:00", "2026-10-25 02:30:00",
                   "2026-10-25 03:00:00"}));
  // From within the hour that is shown for the second time.
  EXPECT_EQ(NextOf("02:30", Utc(2026, 10, 25, 1, 10), 1, "Europe/Berlin"),
            (Times{"2026-10-26 01:30:00"}));
}

TEST(Calendar, RefusesWhatIsNone) {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& one : std::vector<Case>{{"", "empty"},
                                           {"often", "does not belong there"},
                                           {"Funday 10:00", "does not belong there"},
                                           {"Mon..Funday", "is no day of the week"},
                                           {"25:00", "no hour (0 to 23)"},
                                           {"12:60", "no minute"},
                                           {"*-13-01", "no month"},
                                           {"*-*-32", "no day"},
                                           {"10..5:00", "goes backwards"},
                                           {"*:0/0", "no step"},
                                           {"daily Mars/Olympus", "no time zone"},
                                           {"daily UTC now", "does not belong there"},
                                           {"12:00:00.5", "no second"},
                                           {"Mon 2026-01-01 10:00 UTC 5", "does not belong"}}) {
    const auto calendar = ParseCalendar(one.text);
    ASSERT_FALSE(calendar) << one.text;
    EXPECT_NE(calendar.error().message.find(one.words), std::string::npos)
        << one.text << ": " << calendar.error().message;
  }
}

// What systemd makes of it: "(in UTC): Sun 2026-02-01 00:00:00 UTC" and the next ones below.
Times SystemdSays(const std::string& text, const std::string& zone) {
  const std::string command = "TZ=" + zone +
                              " systemd-analyze calendar --base-time='2026-10-24 00:00:00 UTC' "
                              "--iterations=40 '" +
                              text + "' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  Times times;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    const std::string read = line.data();
    // In a zone that is UTC systemd leaves the second line out.
    const std::size_t at = read.find("(in UTC): ");
    // Beyond 2037 time zone files may hold no changes, but a rule that only libc reads.
    if (at != std::string::npos && read.substr(at + 14, 4) < "2037") {
      times.push_back(read.substr(at + 14, 19));
    }
  }
  pclose(pipe);
  return times;
}

TEST(Calendar, AgreesWithSystemd) {
  if (std::system("systemd-analyze calendar --iterations=2 daily >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no systemd-analyze here";
  }
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}) {
    for (const char* text :
         {"daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "Tue..Thu 10:30",
          "Mon,Fri *-*-* 02:00:30", "*-*~01..02 23:59:59", "*-02-29 01:00", "*:0/20", "9..17/4:15",
          "02:30", "*-*-* *:00/30:00", "Sun *-10-25..31 02:15", "*-03~01..07/2 01:30",
          "daily Asia/Kolkata", "01..03:15/20:10", "2027,2029-*-10"}) {
      const Times want = SystemdSays(text, zone);
      ASSERT_FALSE(want.empty()) << text;
      EXPECT_EQ(NextOf(text, Utc(2026, 10, 24), static_cast<int>(want.size()), zone), want)
          << text << " in " << zone;
    }
  }
}

}  // namespace
}  // namespace drover
