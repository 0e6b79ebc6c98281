#include "orchestrator/run/due_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "orchestrator/history/sqlite_schedules.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/run_record.h"

namespace drover {

Result<std::unique_ptr<ScheduleStore>> OpenSchedules(const Environment& environment) {
  const std::string path = HistoryPath(environment);
  if (path.empty()) return Fail(ErrorCode::kInvalid, "neither XDG_STATE_HOME nor HOME is set");
  if (const Status made = MakePrivateFoldersFor(path); !made) return Fail(made.error());
  return OpenSqliteSchedules(path);
}

Result<std::unique_ptr<DueLock>> DueLock::Take(const Environment& environment) {
  const std::string path = StateFolder(environment) + "/due.lock";
  if (const Status made = MakePrivateFoldersFor(path); !made) return Fail(made.error());
  // No O_CLOEXEC: see the class.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (fd < 0) return Fail(ErrnoError(errno, path));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EWOULDBLOCK) {
      return Fail(ErrorCode::kExists, "a drill that was due is being driven already");
    }
    return Fail(ErrnoError(error, path));
  }
  return std::unique_ptr<DueLock>(new DueLock(fd));
}

DueLock::~DueLock() { ::close(fd_); }

std::int64_t WallNowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<TimeZone> ZoneOf(const DrillSchedule& schedule) {
  const auto calendar = ParseCalendar(schedule.at);
  if (!calendar) return Fail(calendar.error());
  return TimeZone::Load(calendar->zone);
}

UtcSeconds MomentOf(std::int64_t us) { return UtcSeconds(std::chrono::seconds(us / 1'000'000)); }

Status TakeUpDue(ScheduleStore& store, const StoredSchedule& stored, std::int64_t now_us) {
  const auto calendar = ParseCalendar(stored.schedule.at);
  if (!calendar) return Fail(calendar.error());
  const auto zone = TimeZone::Load(calendar->zone);
  if (!zone) return Fail(zone.error());
  std::vector<Occurrence> fresh;
  for (const UtcSeconds due :
       NewDueTimes(*calendar, *zone, MomentOf(stored.handled_until_us), MomentOf(now_us))) {
    fresh.push_back({.schedule = stored.schedule.name,
                     .due_us = due.time_since_epoch().count() * 1'000'000,
                     .changed_us = now_us});
  }
  if (fresh.empty()) return {};
  return store.TakeUp(stored.schedule.name, fresh, fresh.back().due_us);
}

Result<std::vector<Occurrence>> OpenOccurrences(ScheduleStore& store, const std::string& name) {
  auto all = store.Occurrences(name);
  if (!all) return all;
  std::erase_if(*all, [](const Occurrence& one) { return IsOver(one.state); });
  return all;
}

}  // namespace drover
