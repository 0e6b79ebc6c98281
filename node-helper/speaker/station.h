// All virtual routers of a node and their sync groups: hands what happens to the routers, keeps
// groups together, and knows when something is due.
//
// One thread: the speaker's. No socket, no clock: the surroundings act, the time is a parameter.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/speaker/router.h"
#include "node-helper/speaker/speaker.h"
#include "node-helper/speaker/surroundings.h"

namespace drover {

class Station {
 public:
  using Time = vrrp::Time;

  explicit Station(Surroundings& around) : around_(around) {}

  // --- orders; see Speaker
  drover::Status Configure(const std::vector<VrrpInstance>& instances,
                           const std::vector<VrrpGroup>& groups, Time now);
  void SettleForms(const std::vector<std::string>& unsettled, Time now);
  void Track(const std::string& instance, const TrackedState& state, Time now);
  void AllowPreempt(const std::string& instance, bool allowed, Time now);
  drover::Status Yield(const std::string& instance, Time now);
  void Return(const std::string& instance, Time now);
  void Stop(bool hand_over, Time now);
  // Nothing runs and nothing is left on the node.
  [[nodiscard]] bool Idle() const;

  // Upgrade in place: what the next process needs, and going on with it.
  std::string Freeze(Time now);
  drover::Status Resume(const std::string& remembered, Time now);

  // --- what happens
  // First in every turn: the loop woke so late. Nothing is sent before.
  void Overslept(vrrp::Nanoseconds late, Time now);
  void LinksChanged(Time now);
  // Of what Ears() asks for, these could not be opened, and why.
  void SetDeaf(const std::map<EarWish, std::string>& deaf, Time now);
  void AddressGone(int index, const Prefix& prefix, Time now);
  void Hear(int index, const vrrp::Received& packet, Time now);
  void HearClaim(int index, const AddressClaim& claim, Time now);
  [[nodiscard]] std::optional<Time> Deadline() const;
  // Last in every turn; groups follow here.
  void Tick(Time now);

  // --- how it is
  [[nodiscard]] std::vector<InstanceStatus> Snapshot(Time now) const;
  [[nodiscard]] std::vector<EarWish> Ears() const;
  // Since the last call, Ears() or Watched() may say something else.
  bool TakeWishesChanged();
  // Sorted, without repetition.
  [[nodiscard]] std::vector<IpAddress> Watched() const;
  std::vector<SpeakerEvent> TakeEvents();

 private:
  using Routers = std::vector<std::unique_ptr<Router>>;

  Router* Find(const std::string& name) const;
  [[nodiscard]] const VrrpGroup* GroupOf(const std::string& name) const;
  [[nodiscard]] std::vector<Router*> MembersOf(const VrrpGroup& group) const;
  // The instance and those that move with it.
  [[nodiscard]] std::vector<Router*> Together(const std::string& name) const;
  void Dismiss(std::unique_ptr<Router> router, Time now);
  void Adopt(const VrrpInstance& settings, Time now);
  // Groups after something moved.
  void Gather(Time now);
  void GatherFaults(const VrrpGroup& group, Time now);
  bool GatherRoles(const VrrpGroup& group, Time now);
  void CollectEvents(Router& router);
  template <typename Do>
  void ForAll(Do each) const {
    for (const auto& router : routers_) each(*router);
    for (const auto& router : leaving_) each(*router);
  }

  Surroundings& around_;
  Routers routers_;
  Routers leaving_;  // not wanted any more, but still handing over
  std::vector<VrrpGroup> groups_;
  std::map<std::string, RememberedRouter> remembered_;  // until its instance is configured
  std::map<std::string, TrackedState> tracked_;
  std::map<std::string, bool> may_preempt_;
  std::vector<SpeakerEvent> events_;
  bool wishes_changed_ = true;
};

}  // namespace drover
