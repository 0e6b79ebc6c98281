#include "orchestrator/schedule/calendar.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace drover {
namespace {

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2199;
constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return lower;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string& word : Split(text, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

Result<int> ParseNumber(std::string_view text, int least, int most, const std::string& what) {
  const bool digits = !text.empty() && text.size() <= 4 &&
                      text.find_first_not_of("0123456789") == std::string_view::npos;
  const int value = digits ? std::stoi(std::string(text)) : -1;
  if (value < least || value > most) {
    return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no " + what + " (" +
                                         std::to_string(least) + " to " + std::to_string(most) +
                                         ")");
  }
  return value;
}

// "*", "a", "a..b", each with "/step".
Result<CalendarRange> ParseRange(const std::string& text, int least, int most,
                                 const std::string& what) {
  const std::size_t slash = text.find('/');
  const std::string base = text.substr(0, slash);
  CalendarRange range{least, most, 1};
  if (slash != std::string::npos) {
    const auto step = ParseNumber(text.substr(slash + 1), 1, most, "step of a " + what);
    if (!step) return Fail(step.error());
    range.step = *step;
  }
  if (base == "*") return range;
  const std::size_t dots = base.find("..");
  const auto from = ParseNumber(base.substr(0, dots), least, most, what);
  if (!from) return Fail(from.error());
  range.from = *from;
  if (dots != std::string::npos) {
    const auto to = ParseNumber(base.substr(dots + 2), least, most, what);
    if (!to) return Fail(to.error());
    if (*to < *from) {
      return Fail(ErrorCode::kInvalid, "\"" + base + "\" goes backwards");
    }
    range.to = *to;
  } else if (slash == std::string::npos) {
    range.to = range.from;
  }
  return range;
}

Result<CalendarField> ParseField(const std::string& text, int least, int most,
                                 const std::string& what) {
  CalendarField field;
  for (const std::string& part : Split(text, ',')) {
    const auto range = ParseRange(part, least, most, what);
    if (!range) return Fail(range.error());
    field.ranges.push_back(*range);
  }
  return field;
}

std::optional<int> WeekdayNamed(const std::string& word) {
  const std::string lower = Lower(word);
  for (std::size_t i = 0; i < kWeekdays.size(); ++i) {
    if (lower == kWeekdays.at(i) || lower == kWeekdays.at(i).substr(0, 3)) {
      return static_cast<int>(i);
    }
  }
  return std::nullopt;
}

bool LooksLikeWeekdays(const std::string& word) {
  const std::string first = word.substr(0, word.find_first_of(",.-"));
  return WeekdayNamed(first).has_value();
}

Result<CalendarField> ParseWeekdays(const std::string& text) {
  CalendarField field;
  for (const std::string& part : Split(text, ',')) {
    const std::size_t dots = part.find("..");
    const auto from = WeekdayNamed(part.substr(0, dots));
    const auto to = dots == std::string::npos ? from : WeekdayNamed(part.substr(dots + 2));
    if (!from || !to) {
      return Fail(ErrorCode::kInvalid, "\"" + part + "\" is no day of the week (Mon to Sun)");
    }
    if (*from <= *to) {
      field.ranges.push_back({*from, *to, 1});
    } else {  // "Sat..Mon" goes over the end of the week
      field.ranges.push_back({*from, 6, 1});
      field.ranges.push_back({0, *to, 1});
    }
  }
  return field;
}

Status ParseDate(const std::string& text, Calendar& calendar) {
  const std::size_t tilde = text.find('~');
  calendar.days_from_end = tilde != std::string::npos;
  std::string plain = text;
  if (calendar.days_from_end) plain[tilde] = '-';
  std::vector<std::string> parts = Split(plain, '-');
  if (parts.size() == 2) parts.insert(parts.begin(), "*");
  if (parts.size() != 3) {
    return Fail(ErrorCode::kInvalid, "\"" + text + "\" is no date (YEAR-MONTH-DAY)");
  }
  const auto years = ParseField(parts[0], kFirstYear, kLastYear, "year");
  if (!years) return Fail(years.error());
  const auto months = ParseField(parts[1], 1, 12, "month");
  if (!months) return Fail(months.error());
  const auto days = ParseField(parts[2], 1, 31, "day");
  if (!days) return Fail(days.error());
  calendar.years = *years;
  calendar.months = *months;
  calendar.days = *days;
  return {};
}

Status ParseTime(const std::string& text, Calendar& calendar) {
  std::vector<std::string> parts = Split(text, ':');
  if (parts.size() == 2) parts.emplace_back("00");
  if (parts.size() != 3) {
    return Fail(ErrorCode::kInvalid, "\"" + text + "\" is no time (HOUR:MINUTE:SECOND)");
  }
  const auto hours = ParseField(parts[0], 0, 23, "hour");
  if (!hours) return Fail(hours.error());
  const auto minutes = ParseField(parts[1], 0, 59, "minute");
  if (!minutes) return Fail(minutes.error());
  const auto seconds = ParseField(parts[2], 0, 59, "second");
  if (!seconds) return Fail(seconds.error());
  calendar.hours = *hours;
  calendar.minutes = *minutes;
  calendar.seconds = *seconds;
  return {};
}

std::string Spelled(const std::string& word) {
  static const std::map<std::string, std::string> kShort = {
      {"minutely", "*-*-* *:*:00"},
      {"hourly", "*-*-* *:00:00"},
      {"daily", "*-*-* 00:00:00"},
      {"weekly", "Mon *-*-* 00:00:00"},
      {"monthly", "*-*-01 00:00:00"},
      {"quarterly", "*-01,04,07,10-01 00:00:00"},
      {"semiannually", "*-01,07-01 00:00:00"},
      {"semi-annually", "*-01,07-01 00:00:00"},
      {"yearly", "*-01-01 00:00:00"},
      {"annually", "*-01-01 00:00:00"}};
  const auto found = kShort.find(Lower(word));
  return found == kShort.end() ? word : found->second;
}

bool LooksLikeDate(const std::string& word) {
  return word.find_first_of("-~") != std::string::npos && word.find(':') == std::string::npos &&
         word.find_first_not_of("0123456789*,./-~") == std::string::npos;
}

constexpr int kDaySeconds = 86'400;
// A clock is never turned by more than this at once, so earlier times need no look.
constexpr int kLongestTurn = 4 * 3600;

int SecondOfDay(const CivilTime& time) { return time.hour * 3600 + time.minute * 60 + time.second; }

bool DayFits(const Calendar& calendar, const CivilTime& day) {
  if (!calendar.years.Has(day.year) || !calendar.months.Has(day.month)) return false;
  const int number =
      calendar.days_from_end ? DaysInMonth(day.year, day.month) - day.day + 1 : day.day;
  return calendar.days.Has(number) &&
         calendar.weekdays.Has(WeekdayOf(day.year, day.month, day.day));
}

// The first fitting moment of a day behind `after`.
std::optional<UtcSeconds> FirstOfDay(const Calendar& calendar, const TimeZone& zone, CivilTime day,
                                     int from_second, UtcSeconds after) {
  for (int second = std::max(0, from_second); second < kDaySeconds; ++second) {
    day.hour = second / 3600;
    day.minute = second / 60 % 60;
    day.second = second % 60;
    if (!calendar.hours.Has(day.hour)) {
      second = (day.hour + 1) * 3600 - 1;
      continue;
    }
    if (!calendar.minutes.Has(day.minute)) {
      second = (second / 60 + 1) * 60 - 1;
      continue;
    }
    if (!calendar.seconds.Has(day.second)) continue;
    const auto moment = zone.MomentOf(day);
    if (moment && *moment > after) return moment;
  }
  return std::nullopt;
}

void NextDay(CivilTime& day) {
  day = {day.year, day.month, day.day + 1};
  if (day.day <= DaysInMonth(day.year, day.month)) return;
  day.day = 1;
  if (++day.month <= 12) return;
  day.month = 1;
  ++day.year;
}

}  // namespace

bool CalendarField::Has(int value) const {
  return ranges.empty() ||
         std::any_of(ranges.begin(), ranges.end(),
                     [&](const CalendarRange& range) { return range.Has(value); });
}

Result<Calendar> ParseCalendar(std::string_view text) {
  std::vector<std::string> words = Words(text);
  if (words.empty()) return Fail(ErrorCode::kInvalid, "an empty calendar expression");
  if (const std::string spelled = Spelled(words.front()); spelled != words.front()) {
    const std::vector<std::string> long_words = Words(spelled);
    words.erase(words.begin());
    words.insert(words.begin(), long_words.begin(), long_words.end());
  }
  Calendar calendar;
  if (const Status time = ParseTime("00:00:00", calendar); !time) return Fail(time.error());
  std::size_t at = 0;
  if (LooksLikeWeekdays(words[at])) {
    const auto weekdays = ParseWeekdays(words[at++]);
    if (!weekdays) return Fail(weekdays.error());
    calendar.weekdays = *weekdays;
  }
  if (at < words.size() && LooksLikeDate(words[at])) {
    if (const Status date = ParseDate(words[at++], calendar); !date) return Fail(date.error());
  }
  if (at < words.size() && words[at].find(':') != std::string::npos) {
    if (const Status time = ParseTime(words[at++], calendar); !time) return Fail(time.error());
  }
  if (at > 0 && at < words.size()) calendar.zone = words[at++];
  if (at < words.size() || at == 0) {
    return Fail(ErrorCode::kInvalid,
                "\"" + words[std::min(at, words.size() - 1)] +
                    "\" does not belong there; wanted is [WEEKDAYS] [DATE] [TIME] [ZONE], such as "
                    "\"Tue..Thu *-*-* 10:30 Europe/Berlin\"");
  }
  if (!calendar.zone.empty()) {
    if (const auto zone = TimeZone::Load(calendar.zone); !zone) return Fail(zone.error());
  }
  return calendar;
}

std::optional<UtcSeconds> NextAfter(const Calendar& calendar, const TimeZone& zone,
                                    UtcSeconds after) {
  const CivilTime now = zone.LocalOf(after);
  CivilTime day{now.year, now.month, now.day};
  int from = SecondOfDay(now) - kLongestTurn;
  while (day.year <= kLastYear) {
    if (DayFits(calendar, day)) {
      if (const auto moment = FirstOfDay(calendar, zone, day, from, after)) return moment;
    }
    NextDay(day);
    from = 0;
  }
  return std::nullopt;
}

}  // namespace drover
