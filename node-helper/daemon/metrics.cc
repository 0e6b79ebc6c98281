#include "node-helper/daemon/metrics.h"

#include <sstream>
#include <vector>

namespace drover {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

std::string Escaped(const std::string& value) {
  std::string text;
  for (const char letter : value) {
    if (letter == '\\' || letter == '"') text += '\\';
    if (letter == '\n') {
      text += "\\n";
    } else {
      text += letter;
    }
  }
  return text;
}

// Families are written one after the other, each with its type first, as the format wants it.
class Page {
 public:
  void Family(const std::string& name, const char* type, const char* help) {
    name_ = "drover_" + name;
    text_ << "# HELP " << name_ << " " << help << "\n# TYPE " << name_ << " " << type << "\n";
  }
  template <typename Number>
  void Sample(const Labels& labels, Number value) {
    text_ << name_;
    const char* before = "{";
    for (const auto& [key, label] : labels) {
      text_ << before << key << "=\"" << Escaped(label) << "\"";
      before = ",";
    }
    text_ << (labels.empty() ? " " : "} ") << value << "\n";
  }
  Page() { text_.precision(15); }
  [[nodiscard]] std::string Text() const { return text_.str(); }

 private:
  std::string name_;
  std::ostringstream text_;
};

double Seconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; }

std::uint64_t CounterOf(const InstanceStatus& instance, const std::string& key) {
  const auto found = instance.counters.find(key);
  return found == instance.counters.end() ? 0 : found->second;
}

void AddInstances(const NodeStatus& status, Page& page) {
  page.Family("vrrp_state", "gauge", "1 for the state that the VRRP instance is in.");
  for (const InstanceStatus& instance : status.instances) {
    for (const char* state : {"initialize", "backup", "master", "fault"}) {
      page.Sample({{"instance", instance.name}, {"state", state}}, instance.state == state ? 1 : 0);
    }
  }
  page.Family("vrrp_priority", "gauge", "Priority of the VRRP instance as it is sent now.");
  for (const InstanceStatus& instance : status.instances) {
    page.Sample({{"instance", instance.name}}, int{instance.priority});
  }
  page.Family("vrrp_last_advert_age_seconds", "gauge", "Age of the last accepted advert.");
  for (const InstanceStatus& instance : status.instances) {
    if (!instance.last_heard) continue;
    page.Sample({{"instance", instance.name}}, Seconds(*instance.last_heard));
  }
  const std::pair<const char*, const char*> counters[] = {
      {"transitions", "Changes of state."},
      {"sent", "Adverts sent."},
      {"received", "Adverts received and accepted."},
      {"rivals", "Times that somebody else claimed a virtual address."},
      {"checksum_mismatch", "Adverts with another form of checksum than ours."},
      {"repaired", "Virtual addresses that were gone and were set again."}};
  for (const auto& [key, help] : counters) {
    page.Family("vrrp_" + std::string(key) + "_total", "counter", help);
    for (const InstanceStatus& instance : status.instances) {
      page.Sample({{"instance", instance.name}}, CounterOf(instance, key));
    }
  }
  page.Family("vrrp_refused_total", "counter", "Adverts refused, by reason.");
  const std::string prefix = "refused_";
  for (const InstanceStatus& instance : status.instances) {
    for (const auto& [key, count] : instance.counters) {
      if (!key.starts_with(prefix)) continue;
      page.Sample({{"instance", instance.name}, {"reason", key.substr(prefix.size())}}, count);
    }
  }
}

// Calls `add` with the labels of every real server.
template <typename Add>
void ForEachServer(const NodeStatus& status, const Add& add) {
  for (const ServiceStatus& service : status.services) {
    for (const ServerStatus& server : service.servers) {
      add(server,
          Labels{{"service", ToString(service.service)}, {"server", server.endpoint.ToString()}});
    }
  }
}

void AddServices(const NodeStatus& status, Page& page) {
  page.Family("service_quorum", "gauge", "1 when the virtual service has its quorum.");
  for (const ServiceStatus& service : status.services) {
    page.Sample({{"service", ToString(service.service)}}, service.has_quorum ? 1 : 0);
  }
  page.Family("service_sorry", "gauge", "1 while the sorry server stands in.");
  for (const ServiceStatus& service : status.services) {
    page.Sample({{"service", ToString(service.service)}}, service.sorry ? 1 : 0);
  }
  page.Family("service_connections_total", "counter", "Connections scheduled, by ip_vs.");
  for (const ServiceStatus& service : status.services) {
    page.Sample({{"service", ToString(service.service)}}, service.connections);
  }
  page.Family("server_up", "gauge", "1 when all checks of the real server say so.");
  ForEachServer(status, [&](const ServerStatus& server, const Labels& labels) {
    page.Sample(labels, server.up ? 1 : 0);
  });
  page.Family("server_weight", "gauge", "Weight of the real server as it should be now.");
  ForEachServer(status, [&](const ServerStatus& server, const Labels& labels) {
    page.Sample(labels, server.weight);
  });
  page.Family("server_connections", "gauge", "Connections in the table, by kind.");
  ForEachServer(status, [&](const ServerStatus& server, Labels labels) {
    labels.emplace_back("kind", "active");
    page.Sample(labels, server.active);
    labels.back().second = "inactive";
    page.Sample(labels, server.inactive);
    labels.back().second = "template";
    page.Sample(labels, server.templates);
  });
  page.Family("server_maintenance", "gauge",
              "1 while somebody keeps new connections from the real server.");
  ForEachServer(status, [&](const ServerStatus& server, const Labels& labels) {
    page.Sample(labels, server.drained ? 1 : 0);
  });
  page.Family("check_up", "gauge", "1 when the check's last verdict is up.");
  ForEachServer(status, [&](const ServerStatus& server, Labels labels) {
    labels.emplace_back("check", "");
    for (std::size_t i = 0; i < server.checks.size(); ++i) {
      labels.back().second = std::to_string(i) + "-" + server.checks[i].kind;
      page.Sample(labels, server.checks[i].up ? 1 : 0);
    }
  });
  page.Family("check_latency_seconds", "gauge", "How long the last probe took.");
  ForEachServer(status, [&](const ServerStatus& server, Labels labels) {
    labels.emplace_back("check", "");
    for (std::size_t i = 0; i < server.checks.size(); ++i) {
      labels.back().second = std::to_string(i) + "-" + server.checks[i].kind;
      page.Sample(labels, Seconds(server.checks[i].latency));
    }
  });
}

void AddSync(const NodeStatus& status, Page& page) {
  if (!status.sync) return;
  page.Family("sync_connections", "gauge", "Connections in this node's table.");
  page.Sample({}, status.sync->connections);
  page.Family("sync_held_ratio", "gauge", "Share of a peer's connections that is here as well.");
  for (const SyncPeerStatus& peer : status.sync->peers) {
    page.Sample({{"peer", peer.peer}}, peer.held);
  }
}

}  // namespace

std::string MetricsText(const NodeStatus& status, const ProcessNumbers& process) {
  Page page;
  page.Family("info", "gauge", "Version of node-helper.");
  page.Sample({{"version", status.version}}, 1);
  page.Family("running_seconds", "gauge", "How long the daemon runs, upgrades in place included.");
  page.Sample({}, static_cast<double>(status.running_for.count()) / 1e3);
  AddInstances(status, page);
  AddServices(status, page);
  page.Family("tracker_up", "gauge", "1 when the tracker is up.");
  for (const TrackerStatus& tracker : status.trackers) {
    page.Sample({{"tracker", tracker.name}}, tracker.up ? 1 : 0);
  }
  AddSync(status, page);
  page.Family("maintenance_since_seconds", "gauge",
              "When the maintenance of a host began, in seconds since 1970.");
  for (const Maintenance& one : status.maintenance) {
    page.Sample({{"host", one.host}, {"reason", one.reason}}, one.since);
  }
  page.Family("probes_total", "counter", "Health probes, by what became of them.");
  for (const auto& [name, count] : process.probes) page.Sample({{"probe", name}}, count);
  page.Family("repairs_total", "counter", "Drift that was repaired.");
  page.Sample({}, status.repairs);
  page.Family("problems", "gauge", "What cannot be set now.");
  page.Sample({}, status.problems.size());
  page.Family("events_lost_total", "counter", "Lines of the event log that could not be written.");
  page.Sample({}, process.events_lost);
  page.Family("loop_lag_seconds", "gauge", "Worst delay of the event loop in the last minute.");
  page.Sample({}, process.loop_lag_seconds);
  page.Family("look_seconds", "gauge", "What the last look at the kernel took.");
  page.Sample({}, process.look_seconds);
  page.Family("cpu_seconds_total", "counter", "Processor time of the daemon.");
  page.Sample({}, process.cpu_seconds);
  page.Family("resident_bytes", "gauge", "Resident memory of the daemon.");
  page.Sample({}, process.resident_bytes);
  return page.Text();
}

std::optional<CpuAndMemory> ParseProcStat(const std::string& line, long ticks_per_second,
                                          long page_bytes) {
  // The name in parentheses may hold blanks (proc(5)); fields are counted behind it, from 3.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || ticks_per_second <= 0) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  CpuAndMemory numbers;
  for (int number = 3; fields >> field; ++number) {
    const double value = std::strtod(field.c_str(), nullptr);
    if (number == 14 || number == 15) {
      numbers.cpu_seconds += value / static_cast<double>(ticks_per_second);
    }
    if (number == 24) {
      numbers.resident_bytes =
          static_cast<std::uint64_t>(value) * static_cast<std::uint64_t>(page_bytes);
      return numbers;
    }
  }
  return std::nullopt;
}

MetricsRequest TakeHttpRequest(std::string& received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string::npos) return MetricsRequest::kIncomplete;
  const std::string line = received.substr(0, received.find("\r\n"));
  received.erase(0, end + 4);
  const std::size_t path = line.find(' ');
  const std::size_t version = line.rfind(' ');
  if (path == std::string::npos || version <= path + 1 ||
      line.compare(version + 1, 5, "HTTP/") != 0) {
    return MetricsRequest::kBad;
  }
  if (line.substr(0, path) != "GET") return MetricsRequest::kBad;
  std::string target = line.substr(path + 1, version - path - 1);
  target = target.substr(0, target.find('?'));
  return target == "/metrics" ? MetricsRequest::kMetrics : MetricsRequest::kOther;
}

std::string HttpResponse(int status, const std::string& content_type, const std::string& body) {
  const char* reason = status == 200 ? "OK" : status == 404 ? "Not Found" : "Bad Request";
  return "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\nContent-Type: " + content_type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

}  // namespace drover
