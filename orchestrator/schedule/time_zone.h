// Local time: which moment a wall clock's reading is, and the other way round, by the system's time
// zone database.
//
// Loading reads files; what was loaded is a value. The database's library shows in the .cc only.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>

#include "protocol/result.h"

namespace drover {

using UtcSeconds = std::chrono::sys_seconds;

// What a calendar and a clock on the wall show; month and day from 1.
struct CivilTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  auto operator<=>(const CivilTime&) const = default;
};
// 0 is Monday.
int WeekdayOf(int year, int month, int day);
int DaysInMonth(int year, int month);

class TimeZone {
 public:
  // "Europe/Berlin", "UTC"; empty is this host's (TZ, else /etc/localtime, else UTC).
  static Result<TimeZone> Load(const std::string& name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // The first one where the clock shows it twice; none where it is turned forward over it.
  [[nodiscard]] std::optional<UtcSeconds> MomentOf(const CivilTime& local) const;
  [[nodiscard]] CivilTime LocalOf(UtcSeconds moment) const;

 private:
  TimeZone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  const void* zone_;  // of the database, which lives as long as the process
};

// "2026-01-31 12:00:00 CET".
std::string LocalText(const TimeZone& zone, UtcSeconds moment);

}  // namespace drover
