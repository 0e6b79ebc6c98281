#include "orchestrator/report/generations_text.h"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "orchestrator/report/status_text.h"
#include "orchestrator/report/table.h"
#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShortHash = 8;

std::string Names(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) text += (text.empty() ? "" : " ") + host;
  return text;
}

std::string NamesOrAll(const std::vector<std::string>& hosts, std::size_t all) {
  if (hosts.empty()) return "-";
  const bool every = hosts.size() == all && all > 2;
  return every ? "all " + std::to_string(all) : Names(hosts);
}

Json RunJson(const RunInfo& run) {
  return {{"run_id", run.run_id},
          {"user", run.user},
          {"control_host", run.control_host},
          {"pid", run.pid},
          {"command", run.command},
          {"playbook", run.playbook},
          {"playbook_hash", run.playbook_hash}};
}

}  // namespace

std::string TimeText(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &utc);
  return text.data();
}

std::string GenerationsText(const HostGenerations& hosts, int columns, bool colours) {
  Table table({"NUMBER", "WHEN (UTC)", "WHO", "COMMAND", "PLAYBOOK", "CURRENT ON", "KEPT ON"});
  for (const GroupGeneration& group : GroupHistory(hosts)) {
    const std::string who = group.run.user + "@" + group.run.control_host;
    const bool current = !group.current_on.empty();
    table.Add({{std::to_string(group.number), current ? std::optional(Colour::kOk) : std::nullopt},
               {TimeText(group.saved_at)},
               {who},
               {group.run.command},
               {group.run.playbook_hash.substr(0, kShortHash)},
               {NamesOrAll(group.current_on, hosts.size())},
               {NamesOrAll(group.kept_on, hosts.size())}});
  }
  return table.Text(columns, colours);
}

std::string GenerationsJson(const HostGenerations& hosts,
                            const std::map<std::string, Error>& errors) {
  Json generations = Json::array();
  for (const GroupGeneration& group : GroupHistory(hosts)) {
    generations.push_back({{"number", group.number},
                           {"saved_at", group.saved_at},
                           {"run", RunJson(group.run)},
                           {"current_on", group.current_on},
                           {"kept_on", group.kept_on}});
  }
  Json locks = Json::object();
  for (const auto& [host, list] : hosts) {
    if (!list.holder) continue;
    locks[host] = {{"run", RunJson(list.holder->run)},
                   {"since", list.holder->since},
                   {"expires_in_ms", list.holder->expires_in.count()},
                   {"armed", list.holder->armed}};
  }
  Json wrong = Json::object();
  for (const auto& [host, error] : errors) wrong[host] = error.message;
  const Json document = {{"generations", generations}, {"locks", locks}, {"errors", wrong}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string HolderText(const LockHolder& holder) {
  const RunInfo& run = holder.run;
  std::string text = run.user + " from " + run.control_host + " (\"" + run.command +
                     "\", process " + std::to_string(run.pid) + ") since " +
                     TimeText(holder.since) + " UTC, ";
  text += holder.expires_in.count() > 0 ? "for " + AgeText(holder.expires_in) + " more"
                                        : "overdue: it is given up with the next run";
  if (holder.armed) text += "; what it changed is undone unless it is confirmed by then";
  return Printable(text);
}

std::string LocksText(const std::map<std::string, LockHolder>& holders) {
  std::map<std::string, std::vector<std::string>> hosts;  // by lock
  std::map<std::string, const LockHolder*> by_id;
  for (const auto& [host, holder] : holders) {
    hosts[holder.run.run_id].push_back(host);
    by_id[holder.run.run_id] = &holder;
  }
  std::string text;
  for (const auto& [id, holder] : by_id) {
    text += Printable(Names(hosts[id])) + ": locked by " + HolderText(*holder) + "\n  id " +
            Printable(id) + "\n";
  }
  return text;
}

}  // namespace drover
