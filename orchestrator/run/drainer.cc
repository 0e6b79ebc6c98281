#include "orchestrator/run/drainer.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "orchestrator/source/diagnostic.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A director that is put under maintenance waits for connection tables and for its successor.
constexpr milliseconds kTurnPatience{45000};
constexpr milliseconds kLookEvery{500};
// The counters that a director tells may be 2 s old, and who has closed still sends his last words.
constexpr milliseconds kQuietFor{3000};

std::set<std::string> DirectorsOf(const CompiledRun& run, const std::set<IpAddress>& addresses) {
  std::set<std::string> directors;
  for (const auto& [host, state] : run.states) {
    for (const VirtualService& service : state.services) {
      const bool has = std::any_of(
          service.destinations.begin(), service.destinations.end(),
          [&](const Destination& destination) { return addresses.contains(destination.address); });
      if (has) directors.insert(host);
    }
  }
  return directors;
}

const Maintenance* Known(const ClusterStatus& cluster, const std::string& director,
                         const std::string& host) {
  const NodeStatus* status = cluster.Of(director);
  if (status == nullptr) return nullptr;
  for (const Maintenance& one : status->maintenance) {
    if (one.host == host) return &one;
  }
  return nullptr;
}

}  // namespace

Result<DrainOrder> OrderFor(const CompiledRun& run, const RunInfo& who, const std::string& host,
                            const std::string& reason) {
  DrainOrder order;
  order.maintenance.host = host;
  order.maintenance.reason = reason;
  order.maintenance.user = who.user;
  order.maintenance.control_host = who.control_host;
  order.maintenance.since = static_cast<std::int64_t>(std::time(nullptr));
  if (const auto found = run.real_servers.find(host); found != run.real_servers.end()) {
    order.maintenance.addresses.assign(found->second.begin(), found->second.end());
    order.directors = DirectorsOf(run, found->second);
    return order;
  }
  const auto state = run.states.find(host);
  if (state != run.states.end() && !state->second.vrrp_instances.empty()) {
    order.directors = {host};
    return order;
  }
  std::vector<std::string> known;
  for (const auto& [name, addresses] : run.real_servers) known.push_back(name);
  for (const auto& [name, of] : run.states) {
    if (!of.vrrp_instances.empty()) known.push_back(name);
  }
  const std::string meant = DidYouMean(host, known);
  return Fail(ErrorCode::kNotFound, "\"" + host + "\" is neither a real server of a service in " +
                                        run.playbook + " nor a director with VRRP instances" +
                                        (meant.empty() ? "" : "; " + meant));
}

std::set<IpAddress> AddressesOf(const std::vector<DrainOrder>& orders) {
  std::set<IpAddress> all;
  for (const DrainOrder& order : orders) {
    all.insert(order.maintenance.addresses.begin(), order.maintenance.addresses.end());
  }
  return all;
}

std::set<std::string> DirectorsOf(const std::vector<DrainOrder>& orders) {
  std::set<std::string> all;
  for (const DrainOrder& order : orders) all.insert(order.directors.begin(), order.directors.end());
  return all;
}

Drainer::Drainer(const CompiledRun& run, ClusterAsker& asker,
                 std::function<void(const std::string& line)> say)
    : run_(run), asker_(asker), say_(std::move(say)) {}

Result<ClusterStatus> Drainer::AskDirectors(const std::vector<DrainOrder>& orders,
                                            bool ignore_silent) {
  ClusterStatus cluster = asker_.AskStatus(DirectorsOf(orders));
  std::string silent;
  ErrorCode code = ErrorCode::kUnreachable;
  for (const HostStatus& host : cluster.hosts) {
    if (host.status) continue;
    if (host.error) code = host.error->code;
    silent += (silent.empty() ? "" : "; ") + host.host + " gave no answer (" +
              (host.error ? host.error->message : "") + ")";
  }
  if (!silent.empty() && !ignore_silent) return Fail(code, silent + "; nothing was changed");
  return cluster;
}

std::vector<std::string> Drainer::LeftWithout(const std::vector<DrainOrder>& orders,
                                              const ClusterStatus& cluster) const {
  std::map<ServiceKey, std::uint32_t> quorums;
  for (const auto& [host, state] : run_.states) {
    for (const ServiceWatch& watch : state.watches) quorums[watch.service] = watch.quorum;
  }
  return drover::LeftWithout(cluster, AddressesOf(orders), quorums);
}

Result<std::set<std::string>> Drainer::Turn(bool on, const std::vector<DrainOrder>& orders,
                                            const ClusterStatus& before, bool check) {
  std::vector<Told> told;
  std::set<std::string> changed;
  for (const DrainOrder& order : orders) {
    const Status turned = TurnOne(on, order, before, check, told);
    if (turned) continue;
    if (!check) TakeBack(on, told, before);
    return Fail(turned.error());
  }
  for (const Told& one : told) changed.insert(one.order.maintenance.host);
  return changed;
}

// `told` gets the directors that something changed on.
Status Drainer::TurnOne(bool on, const DrainOrder& order, const ClusterStatus& before, bool check,
                        std::vector<Told>& told) {
  std::map<std::string, TaskAction> tasks;
  for (const std::string& director : order.directors) {
    if (before.Of(director) == nullptr) continue;  // silent, and that is accepted
    tasks.emplace(director, MaintenanceTask{on, order.maintenance});
  }
  std::optional<Error> error;
  for (const auto& [director, answer] : asker_.Ask(tasks, kTurnPatience, check)) {
    if (answer && answer->status != TaskStatus::kFailed) {
      if (answer->status == TaskStatus::kChanged) told.push_back({order, director});
      continue;
    }
    // It may have done it and not come to saying so.
    if (!answer) told.push_back({order, director});
    if (error) continue;
    error = answer ? Error{answer->code.value_or(ErrorCode::kInternal), answer->message}
                   : answer.error();
    error->message = director + ": " + error->message;
  }
  return error ? Status(Fail(*error)) : Status();
}

void Drainer::TakeBack(bool on, const std::vector<Told>& told, const ClusterStatus& before) {
  std::vector<std::string> stuck;
  for (auto one = told.rbegin(); one != told.rend(); ++one) {
    MaintenanceTask task{!on, one->order.maintenance};
    if (const Maintenance* known = Known(before, one->director, task.maintenance.host)) {
      task = MaintenanceTask{true, *known};
    }
    const auto answers = asker_.Ask({{one->director, task}}, kTurnPatience);
    const auto& answer = answers.at(one->director);
    if (!answer || answer->status == TaskStatus::kFailed) stuck.push_back(one->director);
  }
  if (told.empty()) return;
  std::string where;
  for (const std::string& director : stuck) where += (where.empty() ? "" : ", ") + director;
  say_(stuck.empty() ? "the other directors are as before"
                     : "it could not be taken back on " + where + " (see drover maintenance list)");
}

void Drainer::PutBack(const std::vector<DrainOrder>& orders, const ClusterStatus& before) {
  std::vector<Told> told;
  for (const DrainOrder& order : orders) {
    for (const std::string& director : order.directors) {
      if (before.Of(director) != nullptr) told.push_back({order, director});
    }
  }
  asker_.GoOn();
  TakeBack(/*on=*/true, told, before);
}

Drained Drainer::Await(const std::vector<DrainOrder>& orders, milliseconds patience) {
  const std::set<IpAddress> addresses = AddressesOf(orders);
  const std::set<std::string> directors = DirectorsOf(orders);
  const auto deadline = Clock::now() + patience;
  auto last_open = Clock::now();
  std::string said;
  Drained drained;
  while (!asker_.interrupted()) {
    const ClusterStatus cluster = asker_.AskStatus(directors);
    const std::vector<OpenFlows> flows = FlowsTo(cluster, addresses);
    // Who is silent may have connections.
    const bool silent = std::any_of(cluster.hosts.begin(), cluster.hosts.end(),
                                    [](const HostStatus& host) { return !host.status; });
    const auto now = Clock::now();
    if (asker_.interrupted()) break;
    drained.left = flows;
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline - now).count();
    if (const std::string text = TextOf(flows); text != said) {
      say_("open: " + text + (left > 0 ? " (" + std::to_string(left) + " s left)" : ""));
      said = text;
    }
    if (silent || !AreDrained(flows)) last_open = now;
    drained.all = now - last_open >= kQuietFor;
    if (drained.all || now >= deadline) return drained;
    asker_.Pause(std::min(kLookEvery, std::chrono::duration_cast<milliseconds>(deadline - now)));
  }
  return drained;
}

}  // namespace drover
