#include "node-helper/tasks/observe_task.h"

#include <algorithm>
#include <set>
#include <utility>

#include "node-helper/net/ipvs_stats.h"
#include "node-helper/net/link_route.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

ServiceTraffic TrafficOf(const ServiceCounters& counters) {
  ServiceTraffic traffic{.service = counters.service,
                         .connections = counters.traffic.connections,
                         .packets_in = counters.traffic.packets_in,
                         .packets_out = counters.traffic.packets_out,
                         .servers = {}};
  for (const DestinationCounters& server : counters.destinations) {
    traffic.servers.push_back({.endpoint = server.endpoint,
                               .connections = server.traffic.connections,
                               .active = server.active,
                               .inactive = server.inactive,
                               .templates = server.persistent});
  }
  return traffic;
}

// The settings of every interface that has an address; which ones there are is seen first.
std::vector<std::string> KeysFor(const ObserveTask& task,
                                 const std::vector<InterfaceAddress>& addresses) {
  std::vector<std::string> keys = task.sysctls;
  std::set<std::string> interfaces = {"all"};
  for (const InterfaceAddress& address : addresses) interfaces.insert(address.interface);
  for (const std::string& setting : task.interface_settings) {
    for (const std::string& interface : interfaces) {
      keys.push_back("net/ipv4/conf/" + interface + "/" + setting);
    }
  }
  return keys;
}

Result<std::vector<RouteAnswer>> AnswersTo(const std::vector<RouteQuestion>& questions) {
  std::vector<RouteAnswer> answers;
  for (const RouteQuestion& question : questions) {
    const auto way = FindWay(question.from, question.to);
    if (!way) return Fail(way.error().In("the way to " + question.to.ToString()));
    answers.push_back({question, way->reachable, way->interface, way->gateway});
  }
  return answers;
}

}  // namespace

TaskResult RunObserveTask(const ObserveTask& task, const TaskContext& context) {
  const auto kernel = context.kernel(/*check=*/false);
  if (!kernel) return Failed(kernel.error());
  Result<DesiredState> state = (*kernel)->Observe({});
  if (!state) return Failed(state.error());
  Observation seen;
  seen.addresses = std::move(state->addresses);
  seen.services = std::move(state->services);
  seen.path = std::move(state->path);
  const auto settings = (*kernel)->Observe(KeysFor(task, seen.addresses));
  if (!settings) return Failed(settings.error());
  seen.sysctls = settings->sysctls;
  const auto counters = ReadIpvsCounters();
  if (!counters) return Failed(counters.error());
  std::transform(counters->begin(), counters->end(), std::back_inserter(seen.traffic), TrafficOf);
  auto routes = AnswersTo(task.routes);
  if (!routes) return Failed(routes.error());
  seen.routes = std::move(*routes);
  TaskResult result = Succeeded();
  result.detail = std::move(seen);
  return result;
}

}  // namespace drover
