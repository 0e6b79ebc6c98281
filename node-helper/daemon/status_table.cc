#include "node-helper/daemon/status_table.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kEventsShown = 10;

// Rows of cells, each column as wide as its widest cell; the last one is not filled up.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string Text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "950ms", "12s", "3m 5s", "2h 4m", "3d 1h".
std::string Age(milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  const auto pair = [](long long big, const char* unit, long long small, const char* part) {
    return std::to_string(big) + unit + " " + std::to_string(small) + part;
  };
  if (seconds < 1) return std::to_string(time.count()) + "ms";
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return pair(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return pair(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return pair(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string Latency(std::chrono::microseconds time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1fms", static_cast<double>(time.count()) / 1000);
  return text.data();
}

std::string AddressesOf(const InstanceStatus& instance) {
  std::string text;
  for (const Prefix& prefix : instance.addresses) {
    text += (text.empty() ? "" : " ") + prefix.ToString();
  }
  return text;
}

std::string NotesOf(const InstanceStatus& instance) {
  std::string notes;
  const auto add = [&](const std::string& note) { notes += (notes.empty() ? "" : ", ") + note; };
  if (instance.yielded) add("handed over");
  if (instance.awaits_sync) add("waits for connections");
  if (instance.two_phase) add("sends its old form");
  if (!instance.reason.empty()) add(instance.reason);
  return notes;
}

std::string Instances(const NodeStatus& status) {
  Table table({"INSTANCE", "INTERFACE", "VRID", "STATE", "SINCE", "PRIO", "MASTER", "HEARD",
               "ADDRESSES", "WHY"});
  for (const InstanceStatus& instance : status.instances) {
    const bool here = instance.state == "master";
    table.Add({instance.name, instance.interface,
               std::to_string(instance.vrid) + " v" + std::to_string(instance.version),
               instance.state, Age(instance.in_state_for), std::to_string(instance.priority),
               here              ? "this node"
               : instance.master ? instance.master->ToString()
                                 : "-",
               instance.last_heard ? Age(*instance.last_heard) : "-", AddressesOf(instance),
               NotesOf(instance)});
  }
  return table.Text();
}

std::string ChecksOf(const ServerStatus& server) {
  std::string text;
  for (const CheckStatus& check : server.checks) {
    text += (text.empty() ? "" : ", ") + check.kind + " ";
    if (!check.decided) {
      text += "no verdict yet";
    } else if (check.up) {
      text += Latency(check.latency);
    } else {
      text += "down: " + check.reason;
    }
  }
  return text.empty() ? "-" : text;
}

std::string StateOf(const ServerStatus& server, bool watched) {
  std::string state = server.up ? "-" : "down";
  if (watched && !server.checks.empty()) state = server.up ? "up" : "down";
  return server.drained ? state + ", maintenance" : state;
}

// "2026-01-31 12:00:00 UTC".
std::string DateOf(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm broken_down{};
  gmtime_r(&time, &broken_down);
  std::array<char, 48> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &broken_down);
  return text.data();
}

std::string MaintenanceLines(const NodeStatus& status) {
  std::string text;
  for (const Maintenance& one : status.maintenance) {
    text += "MAINTENANCE: " + one.host + " by " + one.user + "@" + one.control_host + " since " +
            DateOf(one.since) + " (" + one.reason + ")\n";
  }
  return text;
}

std::string Services(const NodeStatus& status) {
  std::string text;
  for (const ServiceStatus& service : status.services) {
    text += "\n" + ToString(service.service) + " " + service.scheduler + ", " +
            std::to_string(service.connections) + " connections" +
            (service.has_quorum ? "" : ", NO QUORUM") +
            (service.sorry ? ", sorry server stands in" : "") + "\n";
    Table table(
        {"  REAL SERVER", "FORWARD", "STATE", "WEIGHT", "ACTIVE", "INACTIVE", "CLIENTS", "CHECKS"});
    for (const ServerStatus& server : service.servers) {
      std::string weight = std::to_string(server.weight);
      if (server.weight != server.wanted) weight += " of " + std::to_string(server.wanted);
      if (!server.in_table) weight += " (out)";
      table.Add({"  " + server.endpoint.ToString(), std::string(ToString(server.forward)),
                 StateOf(server, service.watched), weight, std::to_string(server.active),
                 std::to_string(server.inactive), std::to_string(server.templates),
                 ChecksOf(server)});
    }
    text += table.Text();
  }
  return text;
}

std::string Sync(const SyncStatus& sync) {
  std::string text = "\nsync";
  for (const std::string& role : sync.roles) text += " " + role;
  text += ": " + std::to_string(sync.connections) + " connections here\n";
  for (const SyncPeerStatus& peer : sync.peers) {
    std::array<char, 16> held{};
    std::snprintf(held.data(), held.size(), "%.1f%%", peer.held * 100);
    text += "  " + peer.peer + ": " + held.data() + " of " + std::to_string(peer.connections) +
            " are here, " + Age(peer.age) + " ago\n";
  }
  return text;
}

std::string TimeOf(const LoggedEvent& event) {
  const std::time_t seconds = static_cast<std::time_t>(event.wall_us / 1'000'000);
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%H:%M:%S", &broken_down);
  std::snprintf(text.data() + length, text.size() - length, ".%03d",
                static_cast<int>(event.wall_us % 1'000'000 / 1000));
  return text.data();
}

}  // namespace

std::string StatusTable(const NodeStatus& status) {
  std::string text = status.host + ": node-helper " + status.version + ", process " +
                     std::to_string(status.pid) + ", runs for " + Age(status.running_for) + ", " +
                     std::to_string(status.repairs) + " repairs\n";
  if (status.holder) text += "RUN: " + Summary(*status.holder) + "\n";
  for (const std::string& problem : status.problems) text += "PROBLEM: " + problem + "\n";
  text += MaintenanceLines(status);
  if (!status.instances.empty()) text += "\n" + Instances(status);
  text += Services(status);
  if (!status.trackers.empty()) {
    Table table({"TRACKER", "STATE", "WHY"});
    for (const TrackerStatus& tracker : status.trackers) {
      table.Add({tracker.name,
                 !tracker.decided ? "no verdict yet"
                 : tracker.up     ? "up"
                                  : "down",
                 tracker.reason});
    }
    text += "\n" + table.Text();
  }
  if (status.sync) text += Sync(*status.sync);
  const std::size_t skipped = status.events.size() - std::min(status.events.size(), kEventsShown);
  if (!status.events.empty()) text += "\n";
  for (std::size_t i = skipped; i < status.events.size(); ++i) {
    const LoggedEvent& event = status.events[i];
    text += TimeOf(event) + "  " + event.kind + "  " +
            (event.subject.empty() ? "" : event.subject + ": ") + event.text + "\n";
  }
  return text;
}

}  // namespace drover
