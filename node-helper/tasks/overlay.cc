#include "node-helper/tasks/overlay.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "node-helper/health/pool.h"

namespace drover {
namespace {

const VirtualService* FindService(const std::vector<VirtualService>& services,
                                  const ServiceKey& key) {
  const auto found =
      std::find_if(services.begin(), services.end(),
                   [&](const VirtualService& service) { return service.key == key; });
  return found == services.end() ? nullptr : &*found;
}

const Destination* FindDestination(const VirtualService* service, const Endpoint& endpoint) {
  if (service == nullptr) return nullptr;
  const auto found = std::find_if(
      service->destinations.begin(), service->destinations.end(),
      [&](const Destination& destination) { return destination.endpoint() == endpoint; });
  return found == service->destinations.end() ? nullptr : &*found;
}

bool InitiallyUp(const ServiceWatch& watch, const Destination* in_table) {
  return std::all_of(watch.checks.begin(), watch.checks.end(), [&](const CheckSettings& check) {
    if (check.initial != InitialState::kAuto) return check.initial == InitialState::kUp;
    return in_table != nullptr && in_table->weight > 0;
  });
}

// What is known about one real server before the daemon was told of the new settings.
health::ServerHealth Foreseen(const Destination& destination, const ServiceWatch& watch,
                              const OverlaidService* known, const VirtualService* observed,
                              bool drained) {
  health::ServerHealth server;
  server.maintenance = drained;
  const Destination* wanted =
      known == nullptr ? nullptr : FindDestination(&known->wanted, destination.endpoint());
  if (wanted == nullptr) {
    server.up = InitiallyUp(watch, FindDestination(observed, destination.endpoint()));
    return server;
  }
  const Destination* effective = FindDestination(&known->effective, destination.endpoint());
  server.up = effective != nullptr && (effective->weight > 0 || wanted->weight == 0 || drained);
  if (server.up && !drained && effective->weight != wanted->weight)
    server.dynamic_weight = effective->weight;
  return server;
}

VirtualService Foresee(const VirtualService& service, const ServiceWatch& watch,
                       const OverlaidService* known, const VirtualService* observed,
                       const std::vector<Maintenance>& maintenance) {
  std::map<Endpoint, health::ServerHealth> servers;
  for (const Destination& destination : service.destinations) {
    const bool drained = DrainOf(maintenance, destination.address) != nullptr;
    servers.emplace(destination.endpoint(), Foreseen(destination, watch, known, observed, drained));
  }
  ServiceWatch settings = watch;
  settings.slow_start = std::chrono::milliseconds{0};  // when it began is the daemon's knowledge
  return health::Pool(std::move(settings)).Effective(service, servers, health::Time{});
}

}  // namespace

DesiredState Overlaid(DesiredState state, const Overlay& overlay, const DesiredState& observed,
                      const std::vector<Maintenance>& maintenance) {
  const auto effective = [&](const VirtualService& service) -> VirtualService {
    const auto known =
        std::find_if(overlay.services.begin(), overlay.services.end(),
                     [&](const OverlaidService& other) { return other.wanted.key == service.key; });
    const bool is_known = known != overlay.services.end();
    if (is_known && known->wanted == service) return known->effective;
    const auto watch =
        std::find_if(state.watches.begin(), state.watches.end(),
                     [&](const ServiceWatch& other) { return other.service == service.key; });
    if (watch == state.watches.end() && !is_known) return service;
    ServiceWatch rules;  // of a service whose watch another task brings: what is usual
    if (watch != state.watches.end()) rules = *watch;
    return Foresee(service, rules, is_known ? &*known : nullptr,
                   FindService(observed.services, service.key), maintenance);
  };
  for (VirtualService& service : state.services) {
    service = effective(service);
    for (Destination& destination : service.destinations) {
      if (DrainOf(maintenance, destination.address) != nullptr) destination.weight = 0;
    }
  }
  return state;
}

void ExplainWeights(std::vector<Change>& changes, const DesiredState& wanted,
                    const std::vector<Maintenance>& maintenance) {
  const auto why = [&](const Destination& destination) {
    return DrainOf(maintenance, destination.address) == nullptr ? "; its checks give the weight"
                                                                : "; it is under maintenance";
  };
  for (Change& change : changes) {
    if (const auto* add = std::get_if<AddDestination>(&change.action)) {
      const Destination* asked =
          FindDestination(FindService(wanted.services, add->service), add->destination.endpoint());
      if (asked == nullptr) change.reason += "; it stands in for real servers that are down";
      if (asked != nullptr && asked->weight != add->destination.weight) {
        change.reason += why(add->destination);
      }
    } else if (const auto* edit = std::get_if<EditDestination>(&change.action)) {
      const Destination* asked = FindDestination(FindService(wanted.services, edit->service),
                                                 edit->destination.endpoint());
      if (asked != nullptr && asked->weight != edit->destination.weight) {
        change.reason += why(edit->destination);
      }
    } else if (const auto* remove = std::get_if<RemoveDestination>(&change.action)) {
      if (FindDestination(FindService(wanted.services, remove->service),
                          remove->destination.endpoint()) != nullptr) {
        change.reason = "its checks say it is down";
      }
    }
  }
}

}  // namespace drover
