#include "orchestrator/run/drill_blackout.h"

#include <filesystem>
#include <vector>

#include "orchestrator/run/due_store.h"

namespace drover {
namespace {

bool IsSamePlaybook(const DrillSchedule& schedule, const std::string& playbook) {
  std::error_code error;
  const auto theirs = std::filesystem::weakly_canonical(
      std::filesystem::path(schedule.folder) / schedule.playbook, error);
  return !error && theirs == std::filesystem::weakly_canonical(playbook, error) && !error;
}

std::string OwnBlackout(const DrillRequest& request) {
  std::vector<Blackout> blackouts;
  for (const std::string& days : request.blackouts) {
    const auto blackout = ParseBlackout(days);
    if (!blackout) return days + ": " + blackout.error().message;
    blackouts.push_back(*blackout);
  }
  const auto zone = TimeZone::Load("");
  if (blackouts.empty()) return "";
  if (!zone) return zone.error().message;
  const Blackout* today = BlackoutAt(blackouts, *zone, WallNowUs());
  return today == nullptr ? "" : BlackoutText(*today);
}

}  // namespace

std::string BlackoutToday(const DrillRequest& request, const std::string& playbook,
                          const Environment& environment) {
  if (std::string own = OwnBlackout(request); !own.empty()) return own;
  const auto store = OpenSchedules(environment);
  auto schedules = store ? (*store)->Schedules() : Fail(store.error());
  if (!schedules) return "blackouts of schedules cannot be read: " + schedules.error().message;
  for (const StoredSchedule& stored : *schedules) {
    if (stored.schedule.blackouts.empty() || !IsSamePlaybook(stored.schedule, playbook)) continue;
    const auto zone = ZoneOf(stored.schedule);
    if (!zone) return "schedule " + stored.schedule.name + ": " + zone.error().message;
    const Blackout* today = BlackoutAt(stored.schedule.blackouts, *zone, WallNowUs());
    if (today != nullptr) {
      return BlackoutText(*today) + " (schedule " + stored.schedule.name + ")";
    }
  }
  return "";
}

}  // namespace drover
