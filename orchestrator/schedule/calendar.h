// Calendar expressions as systemd's OnCalendar has them (systemd.time(7)), a subset:
//
//   [WEEKDAYS] [[YEARS-]MONTHS-DAYS] [HOURS:MINUTES[:SECONDS]] [TIME ZONE]
//   minutely hourly daily weekly monthly quarterly semiannually yearly (annually), with a zone
//
// WEEKDAYS: "Mon", "Tue..Thu", "Mon,Fri", also whole words. Each number is "*", a value, a range
// "a..b", any of them with "/step", and lists of these with commas. "~" instead of the "-" before
// the days counts from the end of the month: "02~03". Not of the subset: fractions of seconds,
// years of two digits, "@" seconds.
//
// Times are local. One that the clock skips when it is turned forward is no time of that day; one
// that it shows twice counts once, the first time: both as systemd does.
//
// Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/schedule/time_zone.h"

namespace drover {

// Values from `from` to `to`, every `step`th.
struct CalendarRange {
  int from = 0;
  int to = 0;
  int step = 1;
  [[nodiscard]] bool Has(int value) const {
    return value >= from && value <= to && (value - from) % step == 0;
  }
  bool operator==(const CalendarRange&) const = default;
};

// A value of a time; empty: any.
struct CalendarField {
  std::vector<CalendarRange> ranges;
  [[nodiscard]] bool Has(int value) const;
  bool operator==(const CalendarField&) const = default;
};

struct Calendar {
  CalendarField weekdays;  // 0 is Monday
  CalendarField years;
  CalendarField months;
  CalendarField days;
  bool days_from_end = false;  // then day 1 is the last of its month
  CalendarField hours;
  CalendarField minutes;
  CalendarField seconds;
  std::string zone;  // empty: the host's
  bool operator==(const Calendar&) const = default;
};

// kInvalid says which part is wrong.
Result<Calendar> ParseCalendar(std::string_view text);

// The first time after `after`; none when there is no more until 2200.
std::optional<UtcSeconds> NextAfter(const Calendar& calendar, const TimeZone& zone,
                                    UtcSeconds after);

}  // namespace drover
