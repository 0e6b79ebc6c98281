#include "orchestrator/schedule/time_zone.h"

#include <date/tz.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace drover {
namespace {

const date::time_zone& ZoneOf(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

date::local_seconds LocalSeconds(const CivilTime& local) {
  const date::year_month_day day(date::year(local.year),
                                 date::month(static_cast<unsigned>(local.month)),
                                 date::day(static_cast<unsigned>(local.day)));
  return date::local_days(day) + std::chrono::hours(local.hour) +
         std::chrono::minutes(local.minute) + std::chrono::seconds(local.second);
}

// This host's own, as libc has it: "" for /etc/localtime, ":Europe/Berlin" and "Europe/Berlin".
std::string HostZone() {
  const char* set = std::getenv("TZ");
  std::string name = set == nullptr ? "" : set;
  if (name.starts_with(':')) name.erase(0, 1);
  return name;
}

}  // namespace

int WeekdayOf(int year, int month, int day) {
  const date::weekday weekday(date::local_days(
      date::year_month_day(date::year(year), date::month(static_cast<unsigned>(month)),
                           date::day(static_cast<unsigned>(day)))));
  return static_cast<int>(weekday.iso_encoding()) - 1;
}

int DaysInMonth(int year, int month) {
  const date::year_month_day_last last(
      date::year(year), date::month_day_last(date::month(static_cast<unsigned>(month))));
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

Result<TimeZone> TimeZone::Load(const std::string& name) {
  const std::string wanted = name.empty() ? HostZone() : name;
  try {
    if (!wanted.empty()) {
      return TimeZone(wanted, date::locate_zone(wanted));
    }
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInvalid, "\"" + wanted + "\" is no time zone of this system");
  }
  try {
    const date::time_zone* zone = date::current_zone();
    return TimeZone(zone->name(), zone);
  } catch (const std::exception&) {
    // No /etc/localtime is UTC everywhere.
    return name.empty() && wanted.empty() ? Load("UTC")
                                          : Fail(ErrorCode::kInternal, "no time zone database");
  }
}

std::optional<UtcSeconds> TimeZone::MomentOf(const CivilTime& local) const {
  const date::local_seconds seconds = LocalSeconds(local);
  const date::local_info info = ZoneOf(zone_).get_info(seconds);
  if (info.result == date::local_info::nonexistent) return std::nullopt;
  return UtcSeconds(seconds.time_since_epoch() - info.first.offset);
}

CivilTime TimeZone::LocalOf(UtcSeconds moment) const {
  const date::local_seconds local =
      ZoneOf(zone_).to_local(date::sys_seconds(moment.time_since_epoch()));
  const auto days = date::floor<date::days>(local);
  const date::year_month_day day(days);
  const date::hh_mm_ss<std::chrono::seconds> time(local - days);
  return {static_cast<int>(day.year()),
          static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day())),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

std::string LocalText(const TimeZone& zone, UtcSeconds moment) {
  const CivilTime local = zone.LocalOf(moment);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d", local.year, local.month,
                local.day, local.hour, local.minute, local.second);
  return std::string(text.data()) + " " + zone.name();
}

}  // namespace drover
