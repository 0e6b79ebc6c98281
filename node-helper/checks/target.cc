#include "node-helper/checks/target.h"

#include <algorithm>
#include <set>
#include <variant>

#include "node-helper/store/digest.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::size_t kIdDigits = 32;

// Everything that makes a difference to the question or to how its answers are counted.
std::string IdOf(const Target& target) {
  ServiceWatch watch;
  watch.checks = {target.settings};
  Json json = WatchToJson(watch);
  json["ask"] = target.ask.ToString();
  if (std::holds_alternative<ScriptCheck>(target.settings.kind)) {
    json["script_for"] = {target.service, target.server.ToString()};
  }
  if (target.way) {
    json["way"] = {target.service, target.server.ToString(), ToString(target.way->server.forward)};
  }
  return Sha256::Of(json.dump(-1, ' ', false, Json::error_handler_t::replace)).substr(0, kIdDigits);
}

bool Holds(const std::map<ServiceKey, std::vector<Endpoint>>& in_table, const ServerKey& key) {
  const auto service = in_table.find(key.service);
  return service != in_table.end() && std::find(service->second.begin(), service->second.end(),
                                                key.server) != service->second.end();
}

class Lister {
 public:
  Lister(const std::map<ServiceKey, std::vector<Endpoint>>& in_table, const PrivateMarks& marks)
      : in_table_(in_table), marks_(marks) {
    for (const auto& [owner, mark] : marks) taken_.insert(mark);
  }

  void Add(const ServiceKey& service, const Destination& destination, const CheckSettings& check);
  TargetList Take() { return std::move(list_); }

 private:
  std::optional<std::uint32_t> MarkFor(const ServerKey& key);

  const std::map<ServiceKey, std::vector<Endpoint>>& in_table_;
  const PrivateMarks& marks_;
  TargetList list_;
  std::map<std::string, std::size_t> places_;  // in list_.targets
  std::set<std::uint32_t> taken_;
  std::uint32_t next_mark_ = kFirstPrivateMark + 1;
};

// The server's mark, or the lowest that is free; empty when all are taken.
std::optional<std::uint32_t> Lister::MarkFor(const ServerKey& key) {
  if (const auto mine = list_.marks.find(key); mine != list_.marks.end()) return mine->second;
  if (const auto mine = marks_.find(key); mine != marks_.end()) {
    return list_.marks.emplace(key, mine->second).first->second;
  }
  while (taken_.contains(next_mark_)) ++next_mark_;
  if (next_mark_ >= kFirstPrivateMark + kPrivateMarks) return std::nullopt;
  return list_.marks.emplace(key, next_mark_++).first->second;
}

void Lister::Add(const ServiceKey& service, const Destination& destination,
                 const CheckSettings& check) {
  const ServerKey key{service, destination.endpoint()};
  Target target;
  target.ask = {destination.address, check.port.value_or(destination.port)};
  target.server = key.server;
  target.service = ToString(service);
  target.settings = check;
  target.initially_up = check.initial == InitialState::kUp ||
                        (check.initial == InitialState::kAuto && Holds(in_table_, key));
  const auto* socket_key = std::get_if<SocketKey>(&service);
  if (check.through_vip && socket_key != nullptr) {
    if (const auto mark = MarkFor(key)) {
      target.way = PrivateWay{*mark, destination};
      target.ask = {socket_key->address, socket_key->port};
    }
  }
  target.id = IdOf(target);
  std::vector<std::string>& mine = list_.of_server[key];
  // The same check twice in one watch says nothing more.
  if (std::find(mine.begin(), mine.end(), target.id) != mine.end()) return;
  mine.push_back(target.id);
  const auto [place, is_new] = places_.emplace(target.id, list_.targets.size());
  if (is_new) list_.targets.push_back(std::move(target));
  Target& merged = list_.targets[place->second];
  merged.users.push_back(key);
  merged.initially_up = merged.initially_up || target.initially_up;
}

}  // namespace

TargetList ListTargets(const std::vector<ServiceWatch>& watches,
                       const std::vector<VirtualService>& services,
                       const std::map<ServiceKey, std::vector<Endpoint>>& in_table,
                       const PrivateMarks& marks) {
  Lister lister(in_table, marks);
  for (const ServiceWatch& watch : watches) {
    const auto service = std::find_if(services.begin(), services.end(), [&](const auto& candidate) {
      return candidate.key == watch.service;
    });
    if (service == services.end()) continue;
    for (const Destination& destination : service->destinations) {
      for (const CheckSettings& check : watch.checks) {
        lister.Add(watch.service, destination, check);
      }
    }
  }
  return lister.Take();
}

std::vector<VirtualService> PrivateServices(const TargetList& list) {
  std::map<std::uint32_t, VirtualService> services;
  for (const Target& target : list.targets) {
    if (!target.way) continue;
    VirtualService service;
    service.key = FwmarkKey{target.way->mark, target.ask.address.family()};
    service.scheduler = "rr";
    Destination only = target.way->server;
    only.weight = 1;
    only.upper_threshold = 0;
    only.lower_threshold = 0;
    service.destinations = {only};
    services.emplace(target.way->mark, std::move(service));
  }
  std::vector<VirtualService> list_of_services;
  for (auto& [mark, service] : services) list_of_services.push_back(std::move(service));
  return list_of_services;
}

}  // namespace drover
