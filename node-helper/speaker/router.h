// One virtual router on this node: the state machine (vrrp/instance) with its settings, addresses,
// schedules and counters, acting on its surroundings.
//
// One thread: the speaker's. Sockets and timers are left to the speaker.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/net/neighbour_frame.h"
#include "node-helper/speaker/speaker.h"
#include "node-helper/speaker/surroundings.h"
#include "node-helper/vrrp/form.h"
#include "node-helper/vrrp/instance.h"
#include "node-helper/vrrp/rival.h"
#include "node-helper/vrrp/schedule.h"
#include "node-helper/vrrp/tracking.h"

namespace drover {

// What a process that ends leaves to the next one about an instance (upgrade in place).
struct RememberedRouter {
  bool master = false;  // and a moment ago: otherwise it starts as the RFC says
  bool held = false;
  std::string checksum;  // of the last peer heard
  bool operator==(const RememberedRouter&) const = default;
};

class Router {
 public:
  using Time = vrrp::Time;

  Router(const VrrpInstance& settings, bool grouped, Surroundings& around);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // --- orders; each returns what the state machine did, for the group
  void Start(const std::optional<RememberedRouter>& remembered, Time now);
  // Other settings that can change in place (see SameRouter).
  void Reconfigure(const VrrpInstance& settings, bool grouped, Time now);
  void SettleForm(Time now);
  void Step(const vrrp::InstanceEvent& event, Time now);
  void Track(const TrackedState& state, Time now);
  // A fault that comes from its group; empty: none.
  void SetGroupFault(const std::string& reason, Time now);

  // --- what happens
  // Links or addresses may be others now.
  void LookAround(Time now);
  // Why it cannot hear adverts; empty: it can.
  void SetDeaf(const std::string& reason, Time now);
  void AddressGone(int index, const Prefix& prefix, Time now);
  // True when the packet was for this router's id.
  bool Hear(const vrrp::Received& packet, Time now);
  // On which interface somebody claims which address.
  void HearClaim(int index, const AddressClaim& claim, Time now);
  // The loop woke so late.
  void Overslept(vrrp::Nanoseconds late, Time now);
  [[nodiscard]] std::optional<Time> Deadline() const;
  // First the protocol for all routers, then the rest.
  void TickProtocol(Time now);
  void TickRest(Time now);

  // --- how it is
  [[nodiscard]] const VrrpInstance& settings() const { return settings_; }
  [[nodiscard]] const vrrp::Instance& instance() const { return instance_; }
  [[nodiscard]] InstanceStatus Describe(Time now) const;
  [[nodiscard]] RememberedRouter Remember() const;
  // The settings that it speaks by; others than settings() between the two phases of a change.
  [[nodiscard]] const VrrpInstance& spoken() const { return spoken_; }
  [[nodiscard]] const TrackedState& tracked() const { return tracked_; }
  [[nodiscard]] bool ListensOn(int index) const { return link_.index == index && index != 0; }
  [[nodiscard]] std::optional<EarWish> Ear() const;
  // Addresses of which claims by others are of interest.
  void AddWatched(std::vector<IpAddress>& addresses) const;
  // What is wrong with itself, without its group.
  [[nodiscard]] std::string OwnFault() const;
  // Stopped, and nothing of it is left on the node.
  [[nodiscard]] bool done() const {
    return instance_.state() == vrrp::State::kInitialize && !linger_until_;
  }
  // Leaves everything as it is: the next process goes on with it.
  void LeaveBehind() { left_behind_ = true; }
  // Sends an advert now, if master.
  void AdvertiseNow(Time now);
  std::vector<SpeakerEvent>& events() { return events_; }
  // Since the last call, what it wants to hear may have changed (Ear, AddWatched).
  bool TakeWishesChanged() { return std::exchange(wishes_changed_, false); }

 private:
  // A second master whose MAC is being asked for.
  struct Unknown {
    IpAddress source;
    std::string answer;
    Time until;
    std::optional<Time> ask_at;  // when its answer can be heard
  };

  void Carry(const vrrp::Actions& actions, Time now);
  void TellOfTakeover(Time now);
  void Note(const vrrp::Transition& transition, Time now);
  void SendAdvert(std::uint8_t priority, Time now);
  void Take(Time now);
  void Release(bool linger, Time now);
  void EndLinger();
  void RefreshLease(Time now);
  void LookWhetherSettled(Time now);
  void Leave();
  void AnnounceAll();
  void Probe();
  void Repair(const Prefix& prefix, Time now);
  void RemoveLeftovers(Time now);
  void UpdateFault(Time now);
  void UpdateOwnAddress(Time now);
  void MakeVirtualLink(Time now);
  void ChangeAddresses(const std::vector<Prefix>& before, Time now);
  void SecondMaster(const vrrp::AdvertReceived& advert, Time now);
  void Report(const IpAddress& address, const std::string& mac, const std::string& answer,
              Time now);
  void Problem(const std::string& text, Time now);
  [[nodiscard]] vrrp::Settings InstanceSettings() const;
  [[nodiscard]] vrrp::Expectation ExpectationOf(const vrrp::Form& form) const;
  [[nodiscard]] vrrp::ChecksumForm ChecksumToSend() const;
  // Among all addresses.
  [[nodiscard]] bool Lists(const Prefix& prefix) const;
  [[nodiscard]] std::string LinkFault() const;
  [[nodiscard]] bool serving() const { return instance_.state() == vrrp::State::kMaster; }
  // Addresses that the node has anyway (the address owner's): never removed, never leased.
  [[nodiscard]] bool IsNative(const Prefix& prefix) const;
  // The interface that has the addresses, and its MAC.
  [[nodiscard]] const LinkFact& home() const { return virtual_link_ ? *virtual_link_ : link_; }

  VrrpInstance settings_;
  bool grouped_ = false;
  Surroundings& around_;
  LinkFact link_;  // index 0: it is not there
  std::optional<LinkFact> virtual_link_;
  std::optional<IpAddress> own_address_;
  VrrpInstance spoken_;  // the settings of the form that is sent
  vrrp::FormBook forms_;
  vrrp::Instance instance_;

  std::string deaf_;
  std::string link_fault_;
  std::string rival_fault_;
  std::string group_fault_;
  std::string told_fault_;
  TrackedState tracked_;

  vrrp::AnnounceSchedule announce_;
  // Addresses were set that the kernel may not take packets for yet.
  struct Settling {
    Time look_at{};
    Time until{};
  };
  std::optional<Settling> settling_;
  vrrp::Repeating lease_;
  vrrp::Repeating probe_;
  std::optional<Time> linger_until_;
  std::optional<Time> rival_fault_until_;
  std::vector<Prefix> on_loopback_;  // that we have put there
  std::vector<Prefix> leaving_;      // on lo already, still on the interface
  std::optional<Time> leave_at_;
  std::vector<Prefix> native_;
  vrrp::RivalLog rivals_;
  std::optional<Unknown> unknown_;
  std::map<IpAddress, int> second_masters_;  // adverts since they were outranked
  std::optional<vrrp::ChecksumForm> peer_checksum_;

  std::string reason_;
  std::optional<IpAddress> told_predecessor_;
  Time since_{};
  std::optional<Time> heard_at_;
  std::string last_problem_;
  std::string unsent_;  // why adverts do not go out; empty: they do
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t transitions_ = 0;
  std::uint64_t repaired_ = 0;
  std::uint64_t checksum_mismatch_ = 0;
  std::array<std::uint64_t, vrrp::kRefusals> refused_{};
  std::vector<SpeakerEvent> events_;
  bool left_behind_ = false;
  bool wishes_changed_ = true;
};

// True when one can become the other in place: same interface, family and kind of link.
bool SameRouter(const VrrpInstance& left, const VrrpInstance& right);

}  // namespace drover
