// One virtual router on one node as a state machine: RFC 9568, section 6.4 (version 2: RFC 3768,
// section 6.4).
//
// Pure: Step takes an event and the time and returns what is to be done; no socket, no clock, no
// thread. The speaker (speaker/) receives packets, has them judged by Accept (packet.h), and
// carries the actions out in their order.
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
  bool grouped = false;   // member of a sync group: becomes master only with the others (group.h)

  bool operator==(const Settings&) const = default;
};

// kFault is Initialize with a reason: something that the instance needs is missing.
enum class State : std::uint8_t { kInitialize, kBackup, kMaster, kFault };
std::string_view ToString(State state);  // "initialize", "backup", "master", "fault"

// --- events

// The instance is to take part: section 6.4.1.
struct Startup {};
// The instance is to stop. With `hand_over` a master goes on serving until a successor is heard, or
// for HandoverBound().
struct Shutdown {
  bool hand_over = false;
};
// Something that the instance needs is missing. With `at_once` the addresses go now (no link, a
// stranger holds them); else a master hands over first.
struct Faulted {
  std::string reason;
  bool at_once = true;
};
struct FaultCleared {};
// Hand over on purpose: ours. Priority 0 goes out, but the addresses stay until a successor is
// heard; if none comes within HandoverBound(), the master goes on. After that the instance does not
// preempt until Return.
struct Yield {};
struct Return {};
// False: a lower master is left alone for now (the connection table is not filled yet).
struct AllowPreempt {
  bool allowed = true;
};
// Sync groups: every member is ready (WantsMaster), or another member has become a backup.
struct Promoted {};
struct Dragged {
  std::string reason;
};
// A process that was here before was master a moment ago (upgrade in place): go on as it did.
struct Adopted {};
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
    std::variant<Startup, Shutdown, AdvertReceived, TimerFired, PriorityChanged, Thawed, Faulted,
                 FaultCleared, Yield, Return, AllowPreempt, Promoted, Dragged, Adopted>;

// --- actions, to be carried out in the order given

struct SendAdvert {
  std::uint8_t priority = 0;
  bool operator==(const SendAdvert&) const = default;
};
// Set the virtual addresses and tell the neighbours (gratuitous ARP, unsolicited NA).
struct TakeAddresses {
  bool operator==(const TakeAddresses&) const = default;
};
// With `linger` a successor announces them already, but packets that are on their way to us are
// still taken for a moment; without, they go at once.
struct ReleaseAddresses {
  bool linger = false;
  bool operator==(const ReleaseAddresses&) const = default;
};
// Tell the neighbours again: somebody else may have claimed the addresses meanwhile.
struct AnnounceAgain {
  bool operator==(const AnnounceAgain&) const = default;
};
// A member of a sync group would become master now; Promoted tells when it may.
struct WantsMaster {
  bool operator==(const WantsMaster&) const = default;
};
// A yield found no successor: the master goes on.
struct YieldFailed {
  bool operator==(const YieldFailed&) const = default;
};
// For the event log: what happened and why.
struct Transition {
  State from = State::kInitialize;
  State to = State::kInitialize;
  std::string reason;
  bool operator==(const Transition&) const = default;
};

using InstanceAction = std::variant<SendAdvert, TakeAddresses, ReleaseAddresses, AnnounceAgain,
                                    WantsMaster, YieldFailed, Transition>;
using Actions = std::vector<InstanceAction>;

class Instance {
 public:
  explicit Instance(const Settings& settings) : settings_(settings), priority_(settings.priority) {}

  // An event that means nothing in the current state does nothing.
  Actions Step(const InstanceEvent& event, Time now);
  // Other settings for a running instance: priority, timers and preemption count from the next
  // event on. A running timer keeps its time unless the interval got shorter. A master whose
  // interval got longer tells it a few times at the old pace: a backup that missed the first advert
  // would otherwise wait for the next one only as long as it did before.
  void Reconfigure(const Settings& settings, Time now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::uint8_t priority() const { return priority_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  // When TimerFired is due; none in Initialize and Fault.
  [[nodiscard]] std::optional<Time> Deadline() const { return deadline_; }
  // The master that a backup listens to.
  [[nodiscard]] const std::optional<IpAddress>& master() const { return master_; }
  // Handed over on purpose; see Yield.
  [[nodiscard]] bool held() const { return held_; }
  // A master that has sent priority 0 and still serves.
  [[nodiscard]] bool yielding() const { return yielding_ != Yielding::kNo; }
  // A member of a group that waits for the others.
  [[nodiscard]] bool ready() const { return ready_; }
  // Hears a lower master that it would replace, were it allowed (AllowPreempt).
  [[nodiscard]] bool waits_for_permission() const { return waits_for_permission_; }
  // The living master that a backup is about to follow: it has let go, or has a lower priority.
  [[nodiscard]] const std::optional<IpAddress>& predecessor() const { return predecessor_; }
  // Hears a lower master and replaces it when its timer or the preempt delay is over.
  [[nodiscard]] bool preempts() const { return preempt_at_.has_value(); }
  // Section 6.1. Version 2 counts the skew in seconds whatever the interval is (RFC 3768,
  // section 6.1).
  [[nodiscard]] Nanoseconds SkewTime() const;
  [[nodiscard]] Nanoseconds MasterDownInterval() const;
  // The longest that a living backup needs after priority 0, twice: one packet may be lost.
  [[nodiscard]] Nanoseconds HandoverBound() const;

 private:
  // What a yielding master becomes when a successor is heard.
  enum class Yielding : std::uint8_t { kNo, kToBackup, kToFault, kToInitialize };
  // A master goes on with the old interval for so many adverts.
  struct OldPace {
    Centiseconds interval{0};
    int adverts = 0;
  };

  Actions StepInitialize(const InstanceEvent& event, Time now);
  Actions StepFault(const InstanceEvent& event, Time now);
  Actions StepBackup(const InstanceEvent& event, Time now);
  Actions StepMaster(const InstanceEvent& event, Time now);
  Actions StepYielding(const InstanceEvent& event, Time now);
  Actions HearAsBackup(const AdvertReceived& advert, Time now);
  Actions HearAsMaster(const AdvertReceived& advert, Time now);
  Actions Advertise(Time now);
  Actions BeginYield(Yielding to, Time now);
  Actions EndYield(const std::string& reason, bool linger, Time now);
  Actions GiveUpYield(Time now);
  Actions BecomeInitialize(std::string reason);
  Actions BecomeFault(std::string reason);
  Actions BecomeBackup(std::string reason, Time now);
  Actions BecomeMaster(std::string reason, Time now);
  void Enter(State state);
  [[nodiscard]] std::string WhyMaster() const;
  void Follow(const AdvertReceived& advert, Time now);
  [[nodiscard]] bool Outranks(const AdvertReceived& advert) const;

  Settings settings_;
  std::uint8_t priority_;
  State state_ = State::kInitialize;
  std::optional<Time> deadline_;
  std::optional<IpAddress> master_;
  std::optional<IpAddress> predecessor_;
  std::optional<Centiseconds> master_interval_;  // learnt from adverts
  std::optional<OldPace> old_pace_;
  std::optional<Time> preempt_at_;  // since then a lower master has been heard long enough
  std::string fault_;               // empty: none; kept in Initialize too
  Yielding yielding_ = Yielding::kNo;
  Time yield_until_{};
  bool held_ = false;
  bool ready_ = false;
  bool released_ = false;  // the last that was heard of the master is priority 0
  bool preempt_allowed_ = true;
  bool waits_for_permission_ = false;
};

}  // namespace drover::vrrp
