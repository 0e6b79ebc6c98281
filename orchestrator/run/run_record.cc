#include "orchestrator/run/run_record.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "orchestrator/ssh/digest.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kHashLength = 16;

constexpr std::array<std::pair<HostOutcome, std::string_view>, 5> kWords = {{
    {HostOutcome::kOk, "ok"},
    {HostOutcome::kFailed, "failed"},
    {HostOutcome::kUnreachable, "unreachable"},
    {HostOutcome::kUnattempted, "unattempted"},
    {HostOutcome::kReverted, "reverted"},
}};

std::map<std::string, HostOutcome> HostsFromJson(const Json& json, const std::string& path,
                                                 JsonErrors& errors) {
  std::map<std::string, HostOutcome> hosts;
  if (!json.is_object()) {
    errors.Add(path, "must be an object");
    return hosts;
  }
  for (const auto& [host, word] : json.items()) {
    const auto outcome = OutcomeFromString(word.is_string() ? word.get<std::string>() : "");
    if (outcome) {
      hosts[host] = *outcome;
    } else {
      errors.Add(path + "." + host, outcome.error().message);
    }
  }
  return hosts;
}

HostOutcome OutcomeOf(HostEnd end) {
  switch (end) {
    case HostEnd::kUnchanged:
    case HostEnd::kConfirmed:
    case HostEnd::kKept:
    case HostEnd::kLocked:
      return HostOutcome::kOk;
    case HostEnd::kReverted:
    case HostEnd::kGoesBack:
      return HostOutcome::kReverted;
    case HostEnd::kNotReached:
      return HostOutcome::kUnreachable;
    case HostEnd::kNotAttempted:
    case HostEnd::kRefused:
      return HostOutcome::kUnattempted;
  }
  return HostOutcome::kUnattempted;
}

std::string FileName(const std::string& owner) {
  std::string name;
  for (const char c : owner) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    name += plain ? c : '_';
  }
  return name;
}

}  // namespace

std::string_view ToString(HostOutcome outcome) {
  return std::find_if(kWords.begin(), kWords.end(),
                      [&](const auto& word) { return word.first == outcome; })
      ->second;
}

Result<HostOutcome> OutcomeFromString(std::string_view text) {
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const auto& word) { return word.second == text; });
  if (found != kWords.end()) return found->first;
  return Fail(ErrorCode::kInvalid, "\"" + std::string(text) +
                                       "\" is none of failed, unreachable, unattempted, reverted");
}

std::string StateFolder(const Environment& environment) {
  const std::string state = environment("XDG_STATE_HOME").value_or("");
  // The specification has relative paths ignored.
  if (state.starts_with('/')) return state + "/drover";
  const std::string home = environment("HOME").value_or("");
  return home.empty() ? "" : home + "/.local/state/drover";
}

std::string RecordPath(const std::string& owner, const std::vector<std::string>& inventories,
                       const Environment& environment) {
  const std::string folder = StateFolder(environment);
  if (folder.empty()) return "";
  std::string sources;
  for (const std::string& inventory : inventories) {
    std::error_code error;
    const bool list = inventory.find(',') != std::string::npos;
    const auto path = list ? inventory : std::filesystem::absolute(inventory, error).string();
    sources += path + "\n";
  }
  return folder + "/runs/" + FileName(owner) + "-" + Sha256Hex(sources).substr(0, kHashLength) +
         ".json";
}

std::string EncodeRunRecord(const RunRecord& record) {
  Json hosts = Json::object();
  for (const auto& [host, outcome] : record.hosts) hosts[host] = ToString(outcome);
  return Dump(Json{{"drover_run", kFormat},
                   {"playbook", record.playbook},
                   {"inventories", record.inventories},
                   {"ended", record.ended},
                   {"hosts", hosts}},
              2) +
         "\n";
}

Result<RunRecord> DecodeRunRecord(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return Fail(json.error());
  RunRecord record;
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    int format = 0;
    reader.ReadInteger("drover_run", format, kFormat, kFormat);
    reader.Read("playbook", record.playbook);
    reader.Read("inventories", record.inventories);
    reader.Read("ended", record.ended);
    reader.ReadValue("hosts", record.hosts, HostsFromJson);
  }
  if (!errors.ok()) return Fail(errors.error());
  return record;
}

std::map<std::string, HostOutcome> OutcomesOf(const CompiledRun& run, const RunOutcome& outcome) {
  std::map<std::string, HostOutcome> outcomes;
  for (const CompiledPlay& play : run.plays) {
    for (const std::string& host : play.hosts) {
      const auto tally = outcome.tallies.find(host);
      outcomes[host] = tally == outcome.tallies.end()  ? HostOutcome::kUnattempted
                       : tally->second.unreachable > 0 ? HostOutcome::kUnreachable
                       : tally->second.failed > 0      ? HostOutcome::kFailed
                                                       : HostOutcome::kOk;
    }
  }
  for (const auto& [host, end] : outcome.end.hosts) {
    const auto known = outcomes.find(host);
    const bool bad = known != outcomes.end() && (known->second == HostOutcome::kFailed ||
                                                 known->second == HostOutcome::kUnreachable);
    if (!bad) outcomes[host] = OutcomeOf(end);
  }
  for (const LeftMidway& left : outcome.left_midway)
    outcomes[left.host] = HostOutcome::kUnattempted;
  return outcomes;
}

std::map<std::string, HostOutcome> Merge(std::map<std::string, HostOutcome> then,
                                         const std::map<std::string, HostOutcome>& now) {
  for (const auto& [host, outcome] : now) then[host] = outcome;
  return then;
}

Result<std::string> LimitToOutcomes(const RunRecord& record,
                                    const std::vector<std::string>& words) {
  std::set<HostOutcome> wanted;
  std::string asked;
  for (const std::string& word : words) {
    const auto outcome = OutcomeFromString(word);
    if (!outcome) return Fail(outcome.error().In("--rerun"));
    wanted.insert(*outcome);
    asked += (asked.empty() ? "" : " or ") + word;
  }
  std::string limit;
  for (const auto& [host, outcome] : record.hosts) {
    if (wanted.contains(outcome)) limit += (limit.empty() ? "" : ",") + host;
  }
  if (limit.empty()) {
    return Fail(ErrorCode::kNotFound,
                "no host was " + asked + " in the last run of this playbook, " + record.ended);
  }
  return limit;
}

}  // namespace drover
