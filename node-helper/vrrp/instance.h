// One virtual router on one node as a state machine: RFC 9568, section 6.4 (version 2: RFC 3768,
// section 6.4).
//
// Pure: Step takes an event and the time and returns what is to be done; no socket, no clock, no
// thread. The speaker (net/) receives packets, has them judged by Accept (packet.h), and carries
// the actions out in their order.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node-helper/vrrp/packet.h"
#include "protocol/address.h"

namespace drover::vrrp {

using Time = std::chrono::steady_clock::time_point;
using Nanoseconds = std::chrono::nanoseconds;

// What an instance is set to. Limits are the playbook's business; see packet.h for those of the
// wire.
struct Settings {
  std::string name;
  Version version = Version::k3;
  std::uint8_t vrid = 1;
  std::uint8_t priority = 100;  // 1 to 254, or 255 for the address owner
  Centiseconds interval{100};
  bool preempt = true;  // section 6.1, Preempt_Mode
  std::chrono::milliseconds preempt_delay{
      0};                 // ours: wait so long before taking over from a lower priority
  int down_adverts = 3;   // section 6.1: Active_Down_Interval counts three
  IpAddress own_address;  // the primary address, or link-local (IPv6)
};

enum class State : std::uint8_t { kInitialize, kBackup, kMaster };
std::string_view ToString(State state);

// --- events

// The interface and everything that the instance needs are there: section 6.4.1.
struct Startup {};
// The instance is to stop, or what it needs is gone (link down, tracker in fault).
struct Shutdown {};
// An advertisement that passed all receive checks.
struct AdvertReceived {
  IpAddress source;
  std::uint8_t priority = 0;
  Centiseconds interval{100};
};
// The time that Deadline() named has come.
struct TimerFired {};
// Trackers or an operator moved the priority; 1 to 254 (an owner's stays 255).
struct PriorityChanged {
  std::uint8_t priority = 100;
};
// The process did not run for so long that another node must have taken over (SIGSTOP, a paused
// machine): section 6.4 knows no such thing. We are not the master any more, whatever we believed,
// and say nothing before we have listened.
struct Thawed {};

using InstanceEvent =
    std::variant<Startup, Shutdown, AdvertReceived, TimerFired, PriorityChanged, Thawed>;

// --- actions, to be carried out in the order given

struct SendAdvert {
  std::uint8_t priority = 0;
  bool operator==(const SendAdvert&) const = default;
};
// Set the virtual addresses and tell the neighbours (gratuitous ARP, unsolicited NA).
struct TakeAddresses {
  bool operator==(const TakeAddresses&) const = default;
};
struct ReleaseAddresses {
  bool operator==(const ReleaseAddresses&) const = default;
};
// Tell the neighbours again: somebody else may have claimed the addresses meanwhile.
struct AnnounceAgain {
  bool operator==(const AnnounceAgain&) const = default;
};
// For the event log: what happened and why.
struct Transition {
  State from = State::kInitialize;
  State to = State::kInitialize;
  std::string reason;
  bool operator==(const Transition&) const = default;
};

using InstanceAction =
    std::variant<SendAdvert, TakeAddresses, ReleaseAddresses, AnnounceAgain, Transition>;
using Actions = std::vector<InstanceAction>;

class Instance {
 public:
  explicit Instance(const Settings& settings) : settings_(settings), priority_(settings.priority) {}

  // An event that means nothing in the current state does nothing.
  Actions Step(const InstanceEvent& event, Time now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::uint8_t priority() const { return priority_; }
  // When TimerFired is due; none in Initialize.
  [[nodiscard]] std::optional<Time> Deadline() const { return deadline_; }
  // The master that a backup listens to.
  [[nodiscard]] const std::optional<IpAddress>& master() const { return master_; }
  // Section 6.1. Version 2 counts the skew in seconds whatever the interval is (RFC 3768,
  // section 6.1).
  [[nodiscard]] Nanoseconds SkewTime() const;
  [[nodiscard]] Nanoseconds MasterDownInterval() const;

 private:
  Actions StepInitialize(const InstanceEvent& event, Time now);
  Actions StepBackup(const InstanceEvent& event, Time now);
  Actions StepMaster(const InstanceEvent& event, Time now);
  Actions HearAsBackup(const AdvertReceived& advert, Time now);
  Actions HearAsMaster(const AdvertReceived& advert, Time now);
  Actions BecomeInitialize(std::string reason);
  Actions BecomeBackup(std::string reason, Time now);
  Actions BecomeMaster(std::string reason, Time now);
  [[nodiscard]] bool Outranks(const AdvertReceived& advert) const;

  Settings settings_;
  std::uint8_t priority_;
  State state_ = State::kInitialize;
  std::optional<Time> deadline_;
  std::optional<IpAddress> master_;
  std::optional<Centiseconds> master_interval_;  // learnt from adverts, version 3 only
  std::optional<Time> preempt_at_;  // since then a lower master has been heard long enough
};

}  // namespace drover::vrrp
