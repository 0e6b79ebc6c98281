#include "orchestrator/report/ending.h"

#include <array>
#include <ctime>
#include <set>

#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

std::vector<std::string> HostsThatAre(const RunEnd& end, HostEnd what) {
  std::vector<std::string> hosts;
  for (const auto& [host, one] : end.hosts) {
    if (one == what) hosts.push_back(host);
  }
  return hosts;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string HostCount(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " host" : " hosts");
}

// As a shell would need it.
std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-./,:+@%=") == std::string::npos;
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string ClockText(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S UTC", &utc);
  return text.data();
}

std::string UnlockCommand(const std::string& id, const EndingFacts& facts) {
  std::string command = "drover unlock --id " + Quoted(id) + " " + Quoted(facts.playbook);
  for (const std::string& inventory : facts.inventories) command += " -i " + Quoted(inventory);
  return command;
}

std::string EndingText(const RunEnd& end, const EndingFacts& facts) {
  if (!end.transaction) return "";
  std::string text = LocksText(end.holders);
  std::set<std::string> ids;
  for (const auto& [host, holder] : end.holders) ids.insert(holder.run.run_id);
  for (const std::string& id : ids) {
    text += "  if nobody is at work there: " + Printable(UnlockCommand(id, facts)) + "\n";
  }
  const std::size_t confirmed = end.Count(HostEnd::kConfirmed);
  if (confirmed > 0) {
    text += "Generation " + std::to_string(end.generation) + " confirmed on " +
            HostCount(confirmed) + ".\n";
  }
  if (const auto hosts = HostsThatAre(end, HostEnd::kKept); !hosts.empty()) {
    text += "Left as they are, changed in part: " + Printable(Joined(hosts)) + ".\n";
  }
  if (const auto hosts = HostsThatAre(end, HostEnd::kReverted); !hosts.empty()) {
    text += "Rolled back, as before the run: " + Printable(Joined(hosts)) + ".\n";
  }
  if (const auto hosts = HostsThatAre(end, HostEnd::kGoesBack); !hosts.empty()) {
    text += "Could not be told and go back by themselves, by " + facts.until +
            " at the latest: " + Printable(Joined(hosts)) + ".\n";
  }
  if (const auto hosts = HostsThatAre(end, HostEnd::kLocked); !hosts.empty()) {
    text += "Not changed, but perhaps locked until " + facts.until + ": " +
            Printable(Joined(hosts)) + ".\n";
  }
  if (!end.reason.empty()) text += "Reason: " + Printable(end.reason) + ".\n";
  return text;
}

Value EndingValue(const RunEnd& end) {
  if (!end.transaction) return nullptr;
  Value hosts = Value::object();
  for (const auto& [host, one] : end.hosts) hosts[host] = std::string(ToString(one));
  Value value = {{"hosts", hosts}, {"lease_ms", end.lease.count()}};
  if (end.generation > 0) value["generation"] = end.generation;
  if (!end.reason.empty()) value["reason"] = end.reason;
  for (const auto& [host, holder] : end.holders) {
    value["holders"][host] = {{"run_id", holder.run.run_id},
                              {"user", holder.run.user},
                              {"control_host", holder.run.control_host},
                              {"pid", holder.run.pid},
                              {"command", holder.run.command},
                              {"since", holder.since},
                              {"expires_in_ms", holder.expires_in.count()},
                              {"armed", holder.armed}};
  }
  return value;
}

}  // namespace drover
