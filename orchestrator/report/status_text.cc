#include "orchestrator/report/status_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "orchestrator/cluster/drain.h"
#include "orchestrator/report/table.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kEventsShown = 6;

std::string Joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string Percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", share * 100);
  return text.data();
}

std::string LatencyText(std::chrono::microseconds latency) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1fms", static_cast<double>(latency.count()) / 1000);
  return text.data();
}

// "06:01:02.345" UTC.
std::string ClockText(std::int64_t wall_us) {
  const std::time_t seconds = wall_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", utc.tm_hour, utc.tm_min,
                utc.tm_sec, static_cast<int>(wall_us / 1000 % 1000));
  return text.data();
}

// Writes the sections of one screen.
class Screenful {
 public:
  Screenful(const ClusterStatus& cluster, const StatusLook& look)
      : cluster_(cluster), look_(look), concerns_(ConcernsOf(cluster)) {}

  std::string Text(const std::string& time) {
    Head(time);
    Routers();
    Services();
    Hosts();
    Concerns();
    Events();
    return std::move(text_);
  }

 private:
  std::string NameOf(const IpAddress& address) const {
    const auto name = look_.names.find(address);
    return name == look_.names.end() ? address.ToString() : name->second;
  }

  void Section(const Table& table) { text_ += "\n" + table.Text(look_.columns, look_.colours); }

  void Head(const std::string& time) {
    const auto bad = std::count_if(concerns_.begin(), concerns_.end(), [](const Concern& concern) {
      return concern.weight != Concern::Weight::kNote;
    });
    const std::string verdict =
        bad == 0 ? "healthy" : std::to_string(bad) + (bad == 1 ? " problem" : " problems");
    std::string name = Printable(look_.playbook) + "  " + time;
    // The verdict is what must be seen.
    if (look_.columns > 0) name = CutTo(name, look_.columns - TextWidth(verdict) - 2);
    text_ += (name.empty() ? "" : name + "  ") +
             Paint(verdict, bad == 0 ? Colour::kOk : Colour::kError, look_.colours) + "\n";
  }

  void Routers() {
    Table table({"INSTANCE", "HOST", "STATE", "SINCE", "PRIO", "HEARD", "ADDRESSES", "WHY"});
    const auto routers = RoutersOf(cluster_);
    for (const RouterStatus& router : routers) {
      const std::size_t masters = router.masters().size();
      bool first = true;
      for (const RouterMember& member : router.members) {
        const std::string id = router.name + " (" + std::to_string(member.instance->vrid) + " v" +
                               std::to_string(member.instance->version) + ")";
        table.Add(MemberRow(member, first ? id : "", masters));
        first = false;
      }
    }
    if (!routers.empty()) Section(table);
  }

  static std::vector<Cell> MemberRow(const RouterMember& member, const std::string& id,
                                     std::size_t masters) {
    const InstanceStatus& instance = *member.instance;
    std::string priority = std::to_string(instance.priority);
    if (instance.priority != instance.base_priority) {
      priority += " of " + std::to_string(instance.base_priority);
    }
    std::vector<std::string> addresses;
    for (const Prefix& prefix : instance.addresses) addresses.push_back(prefix.address.ToString());
    std::optional<Colour> colour;
    std::string state = instance.state;
    if (member.is_master()) {
      colour = masters > 1 ? Colour::kError : Colour::kOk;
      if (masters > 1) state += ", one of " + std::to_string(masters);
    } else if (instance.state == "fault") {
      colour = Colour::kError;
    } else if (instance.state != "backup") {
      colour = Colour::kWarn;
    }
    if (instance.yielded) state += ", handed over";
    return {{id},
            {member.host, member.is_master() ? colour : std::nullopt},
            {state, colour},
            {AgeText(instance.in_state_for)},
            {priority},
            {instance.last_heard && !member.is_master() ? AgeText(*instance.last_heard) : "-"},
            {member.is_master() ? Joined(addresses, " ") : "-"},
            {instance.reason}};
  }

  void Services() {
    for (const ClusterService& service : ServicesOf(cluster_)) OneService(service);
  }

  // The owner's table; what another director sees otherwise stands below the real server.
  void OneService(const ClusterService& service) {
    const auto& [owner, view] = service.views.front();
    std::string head = ToString(service.key) + " " + view->scheduler + " on " + owner;
    for (std::size_t i = 1; i < service.views.size(); ++i) head += ", " + service.views[i].host;
    head += "; " + std::to_string(view->connections) + " connections";
    if (!view->has_quorum) head += ", no quorum";
    if (view->sorry) head += ", sorry server stands in";
    head = Printable(head);
    if (look_.columns > 0) head = CutTo(head, look_.columns);
    const bool well = view->has_quorum && !view->sorry;
    text_ += "\n" + (well ? head : Paint(head, Colour::kError, look_.colours)) + "\n";
    Table table({"  REAL SERVER", "STATE", "WEIGHT", "ACTIVE", "INACTIVE", "CHECK"});
    for (const ServerStatus& server : view->servers) {
      table.Add(ServerRow("  " + Named(server), server, view->watched));
      for (std::size_t i = 1; i < service.views.size(); ++i) {
        const ServerStatus* other = Same(*service.views[i].service, server);
        if (other == nullptr || (other->up == server.up && other->weight == server.weight))
          continue;
        table.Add(ServerRow("    as " + service.views[i].host + " sees it", *other,
                            service.views[i].service->watched));
      }
    }
    text_ += table.Text(look_.columns, look_.colours);
  }

  std::string Named(const ServerStatus& server) const {
    const std::string name = NameOf(server.endpoint.address);
    const std::string endpoint = server.endpoint.ToString();
    return name == server.endpoint.address.ToString() ? endpoint : name + " " + endpoint;
  }

  static const ServerStatus* Same(const ServiceStatus& service, const ServerStatus& server) {
    for (const ServerStatus& other : service.servers) {
      if (other.endpoint == server.endpoint) return &other;
    }
    return nullptr;
  }

  static std::vector<Cell> ServerRow(const std::string& name, const ServerStatus& server,
                                     bool watched) {
    std::string weight = std::to_string(server.weight);
    if (server.weight != server.wanted) weight += " of " + std::to_string(server.wanted);
    if (!server.in_table) weight += " (out)";
    std::string state = server.up ? (watched ? "up" : "-") : "down";
    const bool undecided = std::any_of(server.checks.begin(), server.checks.end(),
                                       [](const CheckStatus& check) { return !check.decided; });
    if (undecided) state += "?";
    if (server.drained) {
      state = (state == "-" ? "" : state + ", ") + "maintenance by " + server.drained->user + "@" +
              server.drained->control_host + " since " + DateText(server.drained->since);
    }
    std::string checks;
    for (const CheckStatus& check : server.checks) {
      checks += (checks.empty() ? "" : ", ") + check.kind + " " +
                (!check.decided ? "no verdict yet"
                 : check.up     ? LatencyText(check.latency)
                                : check.reason);
    }
    std::optional<Colour> colour;
    if (server.drained) colour = Colour::kWarn;
    if (watched && !server.drained)
      colour = !server.up ? Colour::kError : undecided ? Colour::kWarn : Colour::kOk;
    return {{name},
            {state, colour},
            {weight},
            {std::to_string(server.active)},
            {std::to_string(server.inactive)},
            {checks.empty() ? "-" : checks}};
  }

  void Hosts() {
    Table table({"HOST", "DAEMON", "RUNNING", "REPAIRS", "SYNC"});
    for (const HostStatus& host : cluster_.hosts) {
      if (!host.status) {
        table.Add({{host.host}, DaemonCell(host), {"-"}, {"-"}, {"-"}});
        continue;
      }
      const NodeStatus& status = *host.status;
      table.Add({{host.host},
                 {status.version},
                 {AgeText(status.running_for)},
                 {std::to_string(status.repairs)},
                 {SyncText(status)}});
    }
    Section(table);
  }

  // Of a host without a status; the reason stands with the concerns.
  static Cell DaemonCell(const HostStatus& host) {
    if (host.gave_no_answer()) return {"no answer", Colour::kUnreachable};
    if (host.error && host.error->code != ErrorCode::kNotFound) return {"error", Colour::kError};
    if (host.needs_daemon) return {"not running", Colour::kError};
    return {"none"};
  }

  std::string SyncText(const NodeStatus& status) const {
    if (!status.sync) return "-";
    if (status.sync->peers.empty()) return Joined(status.sync->roles, "+");
    std::string text;
    for (const SyncPeerStatus& peer : status.sync->peers) {
      const auto address = IpAddress::Parse(peer.peer);
      text += (text.empty() ? "" : ", ") + Percent(peer.held) + " of " +
              std::to_string(peer.connections) + " of " + (address ? NameOf(*address) : peer.peer);
    }
    return text;
  }

  void Concerns() {
    if (concerns_.empty()) return;
    text_ += "\n";
    for (const Concern& concern : concerns_) {
      const Colour colour = concern.weight == Concern::Weight::kNote          ? Colour::kWarn
                            : concern.weight == Concern::Weight::kUnreachable ? Colour::kUnreachable
                                                                              : Colour::kError;
      std::string line =
          Printable((concern.host.empty() ? "" : concern.host + ": ") + concern.text);
      std::replace(line.begin(), line.end(), '\n', ' ');
      if (look_.columns > 0) line = CutTo(line, look_.columns - 2);
      text_ += Paint("! " + line, colour, look_.colours) + "\n";
    }
  }

  void Events() {
    struct Said {
      std::string host;
      const LoggedEvent* event;
    };
    std::vector<Said> all;
    for (const HostStatus& host : cluster_.hosts) {
      if (!host.status) continue;
      for (const LoggedEvent& event : host.status->events) all.push_back({host.host, &event});
    }
    if (all.empty()) return;
    std::stable_sort(all.begin(), all.end(), [](const Said& left, const Said& right) {
      return left.event->wall_us < right.event->wall_us;
    });
    if (all.size() > kEventsShown) all.erase(all.begin(), all.end() - kEventsShown);
    Table table({"LAST (UTC)", "HOST", "WHAT"});
    for (const auto& [host, event] : all) {
      const std::string& subject = event->subject;
      const bool says_itself = event->text.rfind(subject, 0) == 0;
      table.Add({{ClockText(event->wall_us)},
                 {host},
                 {subject.empty() || says_itself ? event->text : subject + ": " + event->text}});
    }
    Section(table);
  }

  const ClusterStatus& cluster_;
  const StatusLook& look_;
  std::vector<Concern> concerns_;
  std::string text_;
};

const char* WordOf(Concern::Weight weight) {
  switch (weight) {
    case Concern::Weight::kNote:
      return "note";
    case Concern::Weight::kDown:
      return "down";
    case Concern::Weight::kUnreachable:
      return "unreachable";
  }
  return "";
}

}  // namespace

std::string AgeText(milliseconds age) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  const auto pair = [](long long big, const char* unit, long long small, const char* part) {
    return std::to_string(big) + unit + " " + std::to_string(small) + part;
  };
  if (seconds < 1) return std::to_string(age.count()) + "ms";
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return pair(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return pair(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return pair(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string StatusText(const ClusterStatus& cluster, const StatusLook& look,
                       const std::string& time) {
  return Screenful(cluster, look).Text(time);
}

std::string StatusJson(const ClusterStatus& cluster, const std::string& time, int indent) {
  using Json = nlohmann::ordered_json;
  Json concerns = Json::array();
  bool healthy = true;
  for (const Concern& concern : ConcernsOf(cluster)) {
    healthy = healthy && concern.weight == Concern::Weight::kNote;
    concerns.push_back(
        {{"weight", WordOf(concern.weight)}, {"host", concern.host}, {"text", concern.text}});
  }
  Json routers = Json::array();
  for (const RouterStatus& router : RoutersOf(cluster)) {
    Json members = Json::object();
    Json addresses = Json::array();
    for (const RouterMember& member : router.members) {
      members[member.host] = member.instance->state;
    }
    for (const Prefix& prefix : router.members.front().instance->addresses) {
      addresses.push_back(prefix.address.ToString());
    }
    routers.push_back({{"name", router.name},
                       {"vrid", router.members.front().instance->vrid},
                       {"addresses", addresses},
                       {"masters", router.masters()},
                       {"members", members}});
  }
  Json hosts = Json::object();
  for (const HostStatus& host : cluster.hosts) {
    if (host.status) {
      hosts[host.host] = Json::parse(EncodeNodeStatus(*host.status));
    } else {
      hosts[host.host] = {{"error", host.error ? host.error->message : ""},
                          {"unreachable", host.gave_no_answer()}};
    }
  }
  const Json all = {{"time", time},
                    {"healthy", healthy},
                    {"concerns", concerns},
                    {"routers", routers},
                    {"hosts", hosts}};
  return all.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace drover
