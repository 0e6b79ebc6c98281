#include "node-helper/speaker/station.h"

#include <algorithm>
#include <set>
#include <utility>

#include "node-helper/speaker/remembered.h"
#include "node-helper/vrrp/group.h"

namespace drover {
namespace {

// The same router under another name goes on.
bool Renamed(const VrrpInstance& left, const VrrpInstance& right) {
  return SameRouter(left, right) && left.vrid == right.vrid;
}

// Orders that make orders: members of one group settle in two rounds.
constexpr int kRounds = 4;

drover::Status ValidateAll(const std::vector<VrrpInstance>& instances,
                           const std::vector<VrrpGroup>& groups) {
  std::set<std::string> names;
  for (const VrrpInstance& instance : instances) {
    if (const drover::Status fine = ValidateInstance(instance); !fine) return fine;
    if (!names.insert(instance.name).second) {
      return Fail(ErrorCode::kInvalid, NameOf(instance) + " is named twice");
    }
  }
  for (const VrrpGroup& group : groups) {
    if (const drover::Status fine = ValidateGroup(group); !fine) return fine;
    for (const std::string& member : group.instances) {
      if (names.count(member) != 0) continue;
      return Fail(ErrorCode::kInvalid, NameOf(group) + ": there is no vrrp_instance " + member);
    }
  }
  return {};
}

}  // namespace

Router* Station::Find(const std::string& name) const {
  for (const auto& router : routers_) {
    if (router->settings().name == name) return router.get();
  }
  return nullptr;
}

const VrrpGroup* Station::GroupOf(const std::string& name) const {
  for (const VrrpGroup& group : groups_) {
    const auto& members = group.instances;
    if (std::find(members.begin(), members.end(), name) != members.end()) return &group;
  }
  return nullptr;
}

std::vector<Router*> Station::MembersOf(const VrrpGroup& group) const {
  std::vector<Router*> members;
  for (const std::string& name : group.instances) {
    if (Router* router = Find(name)) members.push_back(router);
  }
  return members;
}

std::vector<Router*> Station::Together(const std::string& name) const {
  if (const VrrpGroup* group = GroupOf(name)) return MembersOf(*group);
  Router* router = Find(name);
  return router == nullptr ? std::vector<Router*>{} : std::vector<Router*>{router};
}

// --- orders

drover::Status Station::Configure(const std::vector<VrrpInstance>& instances,
                                  const std::vector<VrrpGroup>& groups, Time now) {
  if (drover::Status fine = ValidateAll(instances, groups); !fine) return fine;
  groups_ = groups;
  Routers before = std::exchange(routers_, {});
  for (const VrrpInstance& settings : instances) {
    auto old = std::find_if(before.begin(), before.end(), [&](const auto& router) {
      return router && router->settings().name == settings.name;
    });
    if (old == before.end()) {
      old = std::find_if(before.begin(), before.end(), [&](const auto& router) {
        return router && Renamed(router->settings(), settings) &&
               std::none_of(instances.begin(), instances.end(), [&](const VrrpInstance& other) {
                 return other.name == router->settings().name;
               });
      });
    }
    const bool stays = old != before.end() && SameRouter((*old)->settings(), settings);
    if (!stays) {
      if (old != before.end()) Dismiss(std::move(*old), now);
      Adopt(settings, now);
      continue;
    }
    const bool grouped = GroupOf(settings.name) != nullptr;
    Router& router = *routers_.emplace_back(std::move(*old));
    if (router.settings() != settings || router.instance().settings().grouped != grouped) {
      router.Reconfigure(settings, grouped, now);
    }
  }
  for (auto& router : before) {
    if (router) Dismiss(std::move(router), now);
  }
  remembered_.clear();
  Gather(now);
  return {};
}

void Station::Dismiss(std::unique_ptr<Router> router, Time now) {
  router->Step(vrrp::Shutdown{.hand_over = true}, now);
  leaving_.push_back(std::move(router));
}

void Station::Adopt(const VrrpInstance& settings, Time now) {
  const bool grouped = GroupOf(settings.name) != nullptr;
  Router& router = *routers_.emplace_back(std::make_unique<Router>(settings, grouped, around_));
  if (const auto known = tracked_.find(settings.name); known != tracked_.end()) {
    router.Track(known->second, now);
  }
  if (const auto known = may_preempt_.find(settings.name); known != may_preempt_.end()) {
    router.Step(vrrp::AllowPreempt{known->second}, now);
  }
  const auto known = remembered_.find(settings.name);
  router.Start(known == remembered_.end() ? std::nullopt : std::optional(known->second), now);
}

void Station::SettleForms(const std::vector<std::string>& unsettled, Time now) {
  for (const auto& router : routers_) {
    const std::string& name = router->settings().name;
    if (std::find(unsettled.begin(), unsettled.end(), name) == unsettled.end()) {
      router->SettleForm(now);
    }
  }
}

void Station::Track(const std::string& instance, const TrackedState& state, Time now) {
  tracked_[instance] = state;
  if (Router* router = Find(instance)) router->Track(state, now);
}

void Station::AllowPreempt(const std::string& instance, bool allowed, Time now) {
  may_preempt_[instance] = allowed;
  if (Router* router = Find(instance)) router->Step(vrrp::AllowPreempt{allowed}, now);
}

drover::Status Station::Yield(const std::string& instance, Time now) {
  const std::vector<Router*> routers = Together(instance);
  if (routers.empty()) {
    return Fail(ErrorCode::kNotFound, "there is no vrrp_instance " + instance);
  }
  for (Router* router : routers) router->Step(vrrp::Yield{}, now);
  return {};
}

void Station::Return(const std::string& instance, Time now) {
  for (Router* router : Together(instance)) router->Step(vrrp::Return{}, now);
}

void Station::Stop(bool hand_over, Time now) {
  ForAll([&](Router& router) { router.Step(vrrp::Shutdown{hand_over}, now); });
}

bool Station::Idle() const {
  bool idle = true;
  ForAll([&](const Router& router) { idle = idle && router.done(); });
  return idle;
}

std::string Station::Freeze(Time now) {
  Remembered remembered;
  remembered.at = now;
  for (const auto& router : routers_) {
    router->AdvertiseNow(now);
    router->LeaveBehind();
    remembered.routers.push_back({router->spoken(), router->Remember(), router->tracked()});
  }
  remembered.groups = groups_;
  return Encode(remembered);
}

drover::Status Station::Resume(const std::string& text, Time now) {
  Result<Remembered> remembered = DecodeRemembered(text);
  if (!remembered) return Fail(remembered.error());
  std::vector<VrrpInstance> instances;
  for (auto& [settings, router, tracked] : remembered->routers) {
    const vrrp::Nanoseconds age = now - remembered->at;
    // The same question as after a freeze: is somebody else master by now?
    const auto down = std::chrono::milliseconds(settings.advert_interval) * settings.down_adverts;
    if (age < vrrp::Nanoseconds::zero() || vrrp::Overslept(age, settings.lease, down)) {
      router.master = false;
    }
    remembered_[settings.name] = router;
    tracked_[settings.name] = tracked;
    instances.push_back(settings);
  }
  return Configure(instances, remembered->groups, now);
}

// --- what happens

void Station::Overslept(vrrp::Nanoseconds late, Time now) {
  ForAll([&](Router& router) { router.Overslept(late, now); });
}

void Station::LinksChanged(Time now) {
  ForAll([&](Router& router) { router.LookAround(now); });
}

void Station::SetDeaf(const std::map<EarWish, std::string>& deaf, Time now) {
  ForAll([&](Router& router) {
    const std::optional<EarWish> ear = router.Ear();
    const auto problem = ear ? deaf.find(*ear) : deaf.end();
    router.SetDeaf(problem == deaf.end() ? "" : problem->second, now);
  });
}

bool Station::TakeWishesChanged() {
  bool changed = std::exchange(wishes_changed_, false);
  ForAll([&](Router& router) { changed = router.TakeWishesChanged() || changed; });
  return changed;
}

void Station::AddressGone(int index, const Prefix& prefix, Time now) {
  ForAll([&](Router& router) { router.AddressGone(index, prefix, now); });
}

void Station::Hear(int index, const vrrp::Received& packet, Time now) {
  ForAll([&](Router& router) {
    if (router.ListensOn(index)) (void)router.Hear(packet, now);
  });
}

void Station::HearClaim(int index, const AddressClaim& claim, Time now) {
  ForAll([&](Router& router) { router.HearClaim(index, claim, now); });
}

std::optional<vrrp::Time> Station::Deadline() const {
  std::optional<Time> earliest;
  ForAll([&](const Router& router) {
    const std::optional<Time> deadline = router.Deadline();
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  });
  return earliest;
}

void Station::Tick(Time now) {
  ForAll([&](Router& router) { router.TickProtocol(now); });
  Gather(now);
  ForAll([&](Router& router) { router.TickRest(now); });
  Gather(now);
  ForAll([&](Router& router) { CollectEvents(router); });
  if (std::erase_if(leaving_, [](const auto& router) { return router->done(); }) > 0) {
    wishes_changed_ = true;
  }
}

void Station::Gather(Time now) {
  for (const VrrpGroup& group : groups_) {
    for (int round = 0; round < kRounds; ++round) {
      GatherFaults(group, now);
      if (!GatherRoles(group, now)) break;
    }
  }
}

void Station::GatherFaults(const VrrpGroup& group, Time now) {
  const std::vector<Router*> members = MembersOf(group);
  std::vector<vrrp::MemberFault> faults;
  for (const Router* member : members) {
    faults.push_back({member->settings().name, member->OwnFault()});
  }
  for (Router* member : members) {
    member->SetGroupFault(
        vrrp::GroupFault(group.name, member->settings().name, faults).value_or(""), now);
  }
}

bool Station::GatherRoles(const VrrpGroup& group, Time now) {
  const std::vector<Router*> members = MembersOf(group);
  std::vector<const vrrp::Instance*> instances;
  for (const Router* member : members) instances.push_back(&member->instance());
  const vrrp::GroupOrders orders = vrrp::OrdersOf(instances);
  for (const std::size_t i : orders.promote) members[i]->Step(vrrp::Promoted{}, now);
  for (const std::size_t i : orders.drag) {
    members[i]->Step(vrrp::Dragged{"group " + group.name + " became backup"}, now);
  }
  return orders != vrrp::GroupOrders{};
}

void Station::CollectEvents(Router& router) {
  std::move(router.events().begin(), router.events().end(), std::back_inserter(events_));
  router.events().clear();
}

// --- how it is

std::vector<InstanceStatus> Station::Snapshot(Time now) const {
  std::vector<InstanceStatus> snapshot;
  for (const auto& router : routers_) {
    InstanceStatus& status = snapshot.emplace_back(router->Describe(now));
    if (const VrrpGroup* group = GroupOf(status.name)) status.group = group->name;
  }
  return snapshot;
}

std::vector<EarWish> Station::Ears() const {
  std::set<EarWish> wishes;
  ForAll([&](const Router& router) {
    if (const std::optional<EarWish> ear = router.Ear()) wishes.insert(*ear);
  });
  std::vector<EarWish> ears;
  for (const EarWish& wish : wishes) {
    // One that has joined the group hears unicast as well.
    EarWish joined = wish;
    joined.multicast = true;
    if (wish.multicast || wishes.count(joined) == 0) ears.push_back(wish);
  }
  return ears;
}

std::vector<IpAddress> Station::Watched() const {
  std::vector<IpAddress> watched;
  ForAll([&](const Router& router) { router.AddWatched(watched); });
  std::sort(watched.begin(), watched.end());
  watched.erase(std::unique(watched.begin(), watched.end()), watched.end());
  return watched;
}

std::vector<SpeakerEvent> Station::TakeEvents() {
  ForAll([&](Router& router) { CollectEvents(router); });
  std::stable_sort(events_.begin(), events_.end(),
                   [](const SpeakerEvent& a, const SpeakerEvent& b) { return a.at < b.at; });
  return std::exchange(events_, {});
}

}  // namespace drover
