// `drover drill schedule add|list|remove|approve`: drills that are driven again and again.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "orchestrator/drill/fault.h"
#include "orchestrator/notify/hook.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/due_store.h"
#include "orchestrator/run/due_timer.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/subcommands.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/duration.h"
#include "protocol/words.h"

namespace drover {
namespace {

constexpr std::size_t kShownNotDriven = 5;

int Problem(const Error& error, const std::string& hint = "") {
  PrintProblem(error.message, hint);
  return kExitError;
}

// --- add

struct AddLine {
  DrillSchedule schedule;
  std::string fault;
  std::vector<std::string> blackouts;
  std::string missed = "skip";
  std::string budget;
  std::string window;
  std::string jitter;
};

void AddOptions(CLI::App& app, AddLine& line) {
  DrillSchedule& schedule = line.schedule;
  app.add_option("name", schedule.name, "of the schedule")->required()->type_name("NAME");
  app.add_option("fault", line.fault, "drover drill list shows them")
      ->required()
      ->type_name("FAULT");
  app.add_option("playbook", schedule.playbook, "that describes the cluster")
      ->required()
      ->type_name("PLAYBOOK");
  app.add_option("-i,--inventory", schedule.inventories, "inventory file or directory")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("INVENTORY");
  app.add_option("--at", schedule.at, "when, as systemd's OnCalendar: \"Tue..Thu 02:00\"")
      ->required()
      ->type_name("CALENDAR");
  app.add_option("--window", line.window, "how long after its time it may begin (default 2h)")
      ->type_name("SPAN");
  app.add_option("--jitter", line.jitter, "begin up to so much later, another time every time")
      ->type_name("SPAN");
  app.add_option("--blackout", line.blackouts, "no drills on these days: FIRST..LAST")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("DAYS");
  app.add_option("--missed", line.missed, "what becomes of one whose window went by: skip or run")
      ->type_name("POLICY");
  app.add_option("--error-budget", line.budget, "no more drills after so many failed: 2/30d")
      ->type_name("N/DAYSd");
  app.add_flag("--hold", schedule.hold, "each waits for \"drover drill schedule approve\"");
  app.add_option("--before", schedule.before,
                 "command or URL that is told before; when it fails the drill is not driven")
      ->type_name("CMD|URL|@FILE");
  app.add_option("--after", schedule.after, "command or URL that is told after")
      ->type_name("CMD|URL|@FILE");
  app.footer("Words behind \"--\" are options of drover drill run.");
}

Status TakeSpan(const std::string& text, const std::string& option, std::chrono::seconds& out) {
  if (text.empty()) return {};
  const auto span = ReadDuration(Value(text));
  if (!span) return Fail(ErrorCode::kInvalid, option + ": \"" + text + "\" is no span of time");
  out = std::chrono::duration_cast<std::chrono::seconds>(*span);
  return {};
}

// Everything that was typed, as values; the error says what is wrong.
Status Take(AddLine& line) {
  DrillSchedule& schedule = line.schedule;
  const auto fault = ParseFault(line.fault);
  if (!fault) return Fail(ErrorCode::kInvalid, "\"" + line.fault + "\" is no fault");
  schedule.fault = *fault;
  if (const Status taken = TakeSpan(line.window, "--window", schedule.window); !taken) return taken;
  if (const Status taken = TakeSpan(line.jitter, "--jitter", schedule.jitter); !taken) return taken;
  for (const std::string& days : line.blackouts) {
    const auto blackout = ParseBlackout(days);
    if (!blackout) return Fail(blackout.error().In("--blackout"));
    schedule.blackouts.push_back(*blackout);
  }
  const auto missed = ParseMissedPolicy(line.missed);
  if (!missed) return Fail(missed.error().In("--missed"));
  schedule.missed = *missed;
  if (!line.budget.empty()) {
    const auto budget = ParseErrorBudget(line.budget);
    if (!budget) return Fail(budget.error().In("--error-budget"));
    schedule.budget = *budget;
  }
  if (schedule.inventories.empty()) schedule.inventories = InventoriesOf(ProcessEnvironment);
  if (schedule.inventories.empty()) {
    return Fail(ErrorCode::kInvalid, "no inventory: name one with -i, or set DROVER_INVENTORY");
  }
  for (const std::string* hook : {&schedule.before, &schedule.after}) {
    if (hook->empty() || hook->starts_with('@') || IsUrl(*hook)) continue;
    if (const auto words = SplitWords(*hook); !words) return Fail(words.error().In(*hook));
  }
  return ValidateSchedule(schedule);
}

// Found from wherever the timer starts it.
Status MakeAbsolute(DrillSchedule& schedule) {
  std::error_code error;
  schedule.folder = std::filesystem::current_path(error).string();
  std::vector<std::string*> paths = {&schedule.playbook};
  for (std::string& inventory : schedule.inventories) {
    if (inventory.find(',') == std::string::npos) paths.push_back(&inventory);
  }
  for (std::string* path : paths) {
    if (!std::filesystem::exists(*path, error)) {
      return Fail(ErrorCode::kNotFound, *path + " is not there");
    }
    *path = std::filesystem::weakly_canonical(*path, error).string();
  }
  return {};
}

std::string MomentText(const DrillSchedule& schedule, std::int64_t us) {
  const auto zone = ZoneOf(schedule);
  return zone ? LocalText(*zone, MomentOf(us)) : zone.error().message;
}

std::string NextText(const DrillSchedule& schedule, std::int64_t after_us) {
  const auto calendar = ParseCalendar(schedule.at);
  const auto zone = ZoneOf(schedule);
  if (!calendar || !zone) return "-";
  const auto next = NextAfter(*calendar, *zone, MomentOf(after_us));
  return next ? LocalText(*zone, *next) : "never";
}

std::string MeantFault(const std::string& word) {
  std::vector<std::string> words;
  for (const FaultText& fault : FaultCatalogue()) words.emplace_back(ToString(fault.fault));
  return DidYouMean(word, words);
}

int AddSchedule(const std::vector<std::string>& arguments) {
  AddLine line;
  CLI::App app{"Drives a drill again and again.", "drover drill schedule add"};
  AddOptions(app, line);
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  if (mark != arguments.end()) line.schedule.options.assign(mark + 1, arguments.end());
  try {
    app.parse(std::vector<std::string>(std::make_reverse_iterator(mark), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  DrillSchedule& schedule = line.schedule;
  if (const Status taken = Take(line); !taken)
    return Problem(taken.error(), MeantFault(line.fault));
  if (const Status found = MakeAbsolute(schedule); !found) return Problem(found.error());
  const std::int64_t now = WallNowUs();
  schedule.created_us = now;
  const std::string next = NextText(schedule, now);
  if (next == "never") {
    return Problem({ErrorCode::kInvalid, "--at: \"" + schedule.at + "\" never comes any more"});
  }
  auto store = OpenSchedules(ProcessEnvironment);
  if (!store) return Problem(store.error());
  if (const Status added = (*store)->Add(schedule, now); !added) {
    return Problem(added.error(), "drover drill schedule remove " + schedule.name);
  }
  PrintOut("Added " + schedule.name + ": " + std::string(ToString(schedule.fault)) + ", next due " +
           next + ".\n" + SetUpDueTimer(ProcessEnvironment));
  return kExitOk;
}

// --- list

std::string PolicyText(const DrillSchedule& schedule) {
  std::string text = "window " + DurationText(schedule.window);
  if (schedule.jitter.count() > 0) text += ", jitter " + DurationText(schedule.jitter);
  for (const Blackout& blackout : schedule.blackouts) text += ", not " + BlackoutText(blackout);
  text += ", missed: " + std::string(ToString(schedule.missed));
  if (schedule.budget) text += ", error budget " + ErrorBudgetText(*schedule.budget);
  if (schedule.hold) text += ", held for approval";
  if (!schedule.before.empty()) text += ", before: " + ShownHook(schedule.before);
  if (!schedule.after.empty()) text += ", after: " + ShownHook(schedule.after);
  return text;
}

std::string OccurrenceText(const DrillSchedule& schedule, const Occurrence& one) {
  return MomentText(schedule, one.due_us) + ": " + std::string(ToString(one.state)) +
         (one.reason.empty() ? "" : ", " + one.reason) +
         (one.drill.empty() ? "" : " (" + one.drill + ")");
}

std::string BlockText(const StoredSchedule& stored, const std::vector<Occurrence>& occurrences) {
  const DrillSchedule& schedule = stored.schedule;
  std::string text = schedule.name + "\n  drill:  " + std::string(ToString(schedule.fault)) + " " +
                     schedule.playbook;
  for (const std::string& inventory : schedule.inventories) text += " -i " + inventory;
  for (const std::string& option : schedule.options) text += " " + option;
  text += "\n  at:     " + schedule.at + "; next " + NextText(schedule, WallNowUs()) +
          "\n  rules:  " + PolicyText(schedule) + "\n";
  if (!occurrences.empty()) {
    text += "  last:   " + OccurrenceText(schedule, occurrences.back()) + "\n";
  }
  std::vector<const Occurrence*> not_driven;
  for (const Occurrence& one : occurrences) {
    const bool quiet = one.state == OccurrenceState::kDone || !IsOver(one.state);
    if (!quiet && &one != &occurrences.back()) not_driven.push_back(&one);
  }
  const std::size_t skip =
      not_driven.size() > kShownNotDriven ? not_driven.size() - kShownNotDriven : 0;
  for (std::size_t i = skip; i < not_driven.size(); ++i) {
    text += "  before: " + OccurrenceText(schedule, *not_driven[i]) + "\n";
  }
  return text;
}

nlohmann::ordered_json ScheduleJson(const StoredSchedule& stored,
                                    const std::vector<Occurrence>& occurrences) {
  DrillSchedule shown = stored.schedule;
  shown.before = ShownHook(shown.before);
  shown.after = ShownHook(shown.after);
  auto json = nlohmann::ordered_json::parse(EncodeSchedule(shown));
  json.erase("drover_schedule");
  json["next"] = NextText(stored.schedule, WallNowUs());
  json["occurrences"] = nlohmann::ordered_json::array();
  for (const Occurrence& one : occurrences) {
    json["occurrences"].push_back({{"due", MomentText(stored.schedule, one.due_us)},
                                   {"state", ToString(one.state)},
                                   {"reason", one.reason},
                                   {"drill", one.drill}});
  }
  return json;
}

int ListSchedules(const std::vector<std::string>& arguments) {
  std::string output = "human";
  CLI::App app{"Lists the schedules, when they are due next, and what became of them.",
               "drover drill schedule list"};
  app.add_option("--output", output, "human or json")
      ->check(CLI::IsMember({"human", "json"}))
      ->type_name("FORM");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  auto store = OpenSchedules(ProcessEnvironment);
  if (!store) return Problem(store.error());
  const auto schedules = (*store)->Schedules();
  if (!schedules) return Problem(schedules.error());
  auto document = nlohmann::ordered_json::array();
  std::string text = schedules->empty() ? "There is no schedule.\n" : "";
  for (const StoredSchedule& stored : *schedules) {
    const auto occurrences = (*store)->Occurrences(stored.schedule.name);
    if (!occurrences) return Problem(occurrences.error());
    if (output == "json") document.push_back(ScheduleJson(stored, *occurrences));
    if (output == "human") text += Printable(BlockText(stored, *occurrences));
  }
  PrintOut(output == "json" ? document.dump(2) + "\n" : text);
  return kExitOk;
}

// --- remove, approve

// The one word that both take; or the status to end with.
struct Named {
  std::string name;
  std::optional<int> exit;
};
Named NameOf(const std::vector<std::string>& arguments, const std::string& command,
             const std::string& help) {
  Named named;
  CLI::App app{help, "drover drill schedule " + command};
  app.add_option("name", named.name, "of the schedule")->required()->type_name("NAME");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    named.exit = app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  return named;
}

std::string MeantSchedule(ScheduleStore& store, const std::string& name) {
  std::vector<std::string> names;
  if (const auto schedules = store.Schedules()) {
    for (const StoredSchedule& stored : *schedules) names.push_back(stored.schedule.name);
  }
  return DidYouMean(name, names);
}

int RemoveSchedule(const std::vector<std::string>& arguments) {
  const Named named = NameOf(arguments, "remove", "Forgets a schedule and its due times.");
  if (named.exit) return *named.exit;
  auto store = OpenSchedules(ProcessEnvironment);
  if (!store) return Problem(store.error());
  if (const Status removed = (*store)->Remove(named.name); !removed) {
    return Problem(removed.error(), MeantSchedule(**store, named.name));
  }
  PrintOut("Removed " + named.name + ".\n");
  const auto left = (*store)->Schedules();
  if (left && left->empty()) PrintOut(TakeDownDueTimer(ProcessEnvironment));
  return kExitOk;
}

int ApproveSchedule(const std::vector<std::string>& arguments) {
  const Named named =
      NameOf(arguments, "approve", "Lets the drill go that a schedule holds for approval.");
  if (named.exit) return *named.exit;
  auto store = OpenSchedules(ProcessEnvironment);
  if (!store) return Problem(store.error());
  const auto schedules = (*store)->Schedules();
  if (!schedules) return Problem(schedules.error());
  for (const StoredSchedule& stored : *schedules) {
    if (stored.schedule.name != named.name) continue;
    const std::int64_t now = WallNowUs();
    if (const Status taken = TakeUpDue(**store, stored, now); !taken) return Problem(taken.error());
    const auto open = OpenOccurrences(**store, named.name);
    if (!open) return Problem(open.error());
    const bool waits = !open->empty() && (open->back().state == OccurrenceState::kHeld ||
                                          open->back().state == OccurrenceState::kWaiting);
    if (!stored.schedule.hold || !waits) {
      return Problem({ErrorCode::kInvalid, "nothing of " + named.name + " waits for approval"},
                     "next due " + NextText(stored.schedule, now));
    }
    Occurrence approved = open->back();
    approved.state = OccurrenceState::kApproved;
    approved.reason.clear();
    approved.changed_us = now;
    if (const Status done = (*store)->Change(approved, open->back().state); !done) {
      return Problem(done.error());
    }
    PrintOut("Approved: " + named.name + " of " + MomentText(stored.schedule, approved.due_us) +
             "; it is driven at the next look (drover drill due).\n");
    return kExitOk;
  }
  return Problem({ErrorCode::kNotFound, "there is no schedule \"" + named.name + "\""},
                 MeantSchedule(**store, named.name));
}

constexpr std::array kScheduleWords = {
    Subcommand{"add", "drive a drill again and again", AddSchedule},
    Subcommand{"list", "when they are due next, and what became of them", ListSchedules},
    Subcommand{"remove", "forget a schedule", RemoveSchedule},
    Subcommand{"approve", "let the drill go that waits for it", ApproveSchedule},
};

}  // namespace

int DrillScheduleCommand(const std::vector<std::string>& arguments) {
  return RunSubcommand(kScheduleWords, arguments,
                       {"drover drill schedule", "Drills that are driven again and again."});
}

}  // namespace drover
