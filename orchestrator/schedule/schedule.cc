#include "orchestrator/schedule/schedule.h"

#include <array>
#include <cstdio>

#include "protocol/json_reader.h"
#include "protocol/words.h"

namespace drover {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kLongestName = 64;
constexpr std::chrono::seconds kLeastWindow{60};
constexpr std::chrono::seconds kMostWindow{7 * 86'400};
constexpr std::uint32_t kMostBudgetDays = 3660;

Result<CivilTime> ParseDay(std::string_view text) {
  const bool shape = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                     text.find_first_not_of("0123456789-") == std::string_view::npos;
  if (shape) {
    const auto number = [&](std::size_t from, std::size_t count) {
      return std::atoi(std::string(text.substr(from, count)).c_str());
    };
    const CivilTime day{number(0, 4), number(5, 2), number(8, 2)};
    if (day.month >= 1 && day.month <= 12 && day.day >= 1 &&
        day.day <= DaysInMonth(day.year, day.month)) {
      return day;
    }
  }
  return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no day (YYYY-MM-DD)");
}

std::string DayText(const CivilTime& day) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", day.year, day.month, day.day);
  return text.data();
}

Result<std::uint32_t> ParseCount(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 6 &&
                      text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no number");
  return static_cast<std::uint32_t>(std::stoul(std::string(text)));
}

bool IsName(const std::string& name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of(kLetters) == std::string::npos && name.front() != '-';
}

}  // namespace

Result<Blackout> ParseBlackout(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto first = ParseDay(text.substr(0, dots));
  if (!first) return Fail(first.error());
  const auto last = dots == std::string_view::npos ? first : ParseDay(text.substr(dots + 2));
  if (!last) return Fail(last.error());
  if (*last < *first) {
    return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" goes backwards");
  }
  return Blackout{*first, *last};
}

std::string BlackoutText(const Blackout& blackout) {
  if (blackout.first == blackout.last) return DayText(blackout.first);
  return DayText(blackout.first) + ".." + DayText(blackout.last);
}

Result<ErrorBudget> ParseErrorBudget(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto failures = ParseCount(text.substr(0, slash));
  const std::string_view span = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const bool in_days = span.ends_with('d');
  const auto days = ParseCount(in_days ? span.substr(0, span.size() - 1) : "");
  if (!failures || !days || *failures == 0 || *days == 0 || *days > kMostBudgetDays) {
    return Fail(ErrorCode::kInvalid,
                "\"" + std::string(text) + "\" is no error budget (failures/days, such as 2/30d)");
  }
  return ErrorBudget{*failures, *days};
}

std::string ErrorBudgetText(const ErrorBudget& budget) {
  return std::to_string(budget.failures) + "/" + std::to_string(budget.days) + "d";
}

std::string_view ToString(MissedPolicy policy) {
  return policy == MissedPolicy::kRun ? "run" : "skip";
}

Result<MissedPolicy> ParseMissedPolicy(std::string_view word) {
  return ParseOneOf(word, {MissedPolicy::kSkip, MissedPolicy::kRun}, "policy");
}

Status ValidateSchedule(const DrillSchedule& schedule) {
  if (!IsName(schedule.name)) {
    return Fail(ErrorCode::kInvalid, "\"" + schedule.name +
                                         "\" is no name of a schedule (1 to 64 letters, digits, "
                                         "dots, dashes, underscores)");
  }
  const auto calendar = ParseCalendar(schedule.at);
  if (!calendar) return Fail(calendar.error().In("--at"));
  if (schedule.window < kLeastWindow || schedule.window > kMostWindow) {
    return Fail(ErrorCode::kInvalid, "a window is from 1 minute to 7 days long");
  }
  if (schedule.jitter.count() < 0 || schedule.jitter >= schedule.window) {
    return Fail(ErrorCode::kInvalid, "the jitter must be shorter than the window");
  }
  return {};
}

std::string EncodeSchedule(const DrillSchedule& schedule) {
  Json blackouts = Json::array();
  for (const Blackout& one : schedule.blackouts) blackouts.push_back(BlackoutText(one));
  Json json = {{"drover_schedule", kFormat},
               {"name", schedule.name},
               {"fault", ToString(schedule.fault)},
               {"playbook", schedule.playbook},
               {"inventories", schedule.inventories},
               {"options", schedule.options},
               {"folder", schedule.folder},
               {"at", schedule.at},
               {"window_s", schedule.window.count()},
               {"jitter_s", schedule.jitter.count()},
               {"blackouts", blackouts},
               {"missed", ToString(schedule.missed)},
               {"hold", schedule.hold},
               {"before", schedule.before},
               {"after", schedule.after},
               {"created_us", schedule.created_us}};
  if (schedule.budget) json["error_budget"] = ErrorBudgetText(*schedule.budget);
  return Dump(json);
}

Result<DrillSchedule> DecodeSchedule(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return Fail(json.error());
  JsonErrors errors;
  DrillSchedule schedule;
  {
    ObjectReader reader(*json, "", errors);
    int format = 0;
    reader.ReadInteger("drover_schedule", format, kFormat, kFormat);
    reader.Read("name", schedule.name);
    reader.ReadWord("fault", schedule.fault, ParseFault);
    reader.Read("playbook", schedule.playbook);
    reader.Read("inventories", schedule.inventories);
    reader.Read("options", schedule.options);
    reader.Read("folder", schedule.folder);
    reader.Read("at", schedule.at);
    reader.ReadDuration("window_s", schedule.window);
    reader.ReadDuration("jitter_s", schedule.jitter);
    std::vector<std::string> blackouts;
    reader.Read("blackouts", blackouts);
    for (const std::string& one : blackouts) {
      const auto blackout = ParseBlackout(one);
      if (blackout) {
        schedule.blackouts.push_back(*blackout);
      } else {
        errors.Add("blackouts", blackout.error().message);
      }
    }
    reader.ReadWord("missed", schedule.missed, ParseMissedPolicy);
    reader.Read("hold", schedule.hold);
    reader.Read("before", schedule.before);
    reader.Read("after", schedule.after);
    reader.ReadInteger("created_us", schedule.created_us, 0, kMaxGeneration);
    if (reader.Has("error_budget")) {
      reader.ReadWord("error_budget", schedule.budget.emplace(), ParseErrorBudget);
    }
  }
  if (!errors.ok()) return Fail(errors.error());
  if (const Status fine = ValidateSchedule(schedule); !fine) return Fail(fine.error());
  return schedule;
}

namespace {
constexpr std::array kStates = {std::pair{OccurrenceState::kWaiting, "waiting"},
                                std::pair{OccurrenceState::kHeld, "held"},
                                std::pair{OccurrenceState::kApproved, "approved"},
                                std::pair{OccurrenceState::kRunning, "running"},
                                std::pair{OccurrenceState::kDone, "done"},
                                std::pair{OccurrenceState::kSkipped, "skipped"},
                                std::pair{OccurrenceState::kMissed, "missed"},
                                std::pair{OccurrenceState::kInterrupted, "interrupted"}};
}  // namespace

std::string_view ToString(OccurrenceState state) {
  return kStates.at(static_cast<std::size_t>(state)).second;
}

Result<OccurrenceState> ParseOccurrenceState(std::string_view word) {
  for (const auto& [state, name] : kStates) {
    if (word == name) return state;
  }
  return Fail(ErrorCode::kInvalid, "\"" + std::string(word) + "\" is no state of a due time");
}

bool IsOver(OccurrenceState state) {
  switch (state) {
    case OccurrenceState::kWaiting:
    case OccurrenceState::kHeld:
    case OccurrenceState::kApproved:
    case OccurrenceState::kRunning:
      return false;
    case OccurrenceState::kDone:
    case OccurrenceState::kSkipped:
    case OccurrenceState::kMissed:
    case OccurrenceState::kInterrupted:
      return true;
  }
  return true;
}

}  // namespace drover
