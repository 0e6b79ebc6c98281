// The VRRP speaker: one thread with real-time priority and locked memory that runs all instances of
// the node (vrrp/), sends and receives adverts, and holds the virtual addresses with a lifetime in
// the kernel.
//
// Every function may be called by one other thread (the daemon's loop); none waits for the network.
// The speaker's thread never touches a disk or a lock that is held for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node-helper/vrrp/tracking.h"
#include "protocol/node_status.h"
#include "protocol/result.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// What the speaker tells, in the order in which it happened.
struct InstanceMoved {
  std::string from;
  std::string to;
  std::string reason;
  bool operator==(const InstanceMoved&) const = default;
};
// Somebody else answered ARP/ND for a virtual address of ours, or sends adverts as a second master.
struct RivalSeen {
  IpAddress address;  // the virtual address, or the advert's source
  std::string mac;
  std::string answer;  // "announced again", "yielded"
  bool operator==(const RivalSeen&) const = default;
};
// A virtual address of a master was gone and was set again.
struct AddressRepaired {
  std::string resource;  // "address 10.0.0.100/32 on eth0"
  bool operator==(const AddressRepaired&) const = default;
};
// A backup takes over soon, from a master that lives: `master` is the source of its adverts.
struct TakeoverAhead {
  IpAddress master;
  std::string interface;
  bool operator==(const TakeoverAhead&) const = default;
};
struct SpeakerProblem {
  std::string text;
  bool over = false;  // it was told before, and is no more
  bool operator==(const SpeakerProblem&) const = default;
};
struct SpeakerEvent {
  std::string instance;
  std::chrono::steady_clock::time_point at;
  std::variant<InstanceMoved, RivalSeen, AddressRepaired, TakeoverAhead, SpeakerProblem> what;
};

// How a stop treats instances that are master. kHandOver: priority 0 goes out first, the addresses
// stay until a successor is heard (bounded by the skew of the lowest priority), then linger.
enum class SpeakerStop : std::uint8_t { kHandOver, kAtOnce };

class Speaker {
 public:
  // `remembered`: what Freeze gave in the process that was here before (an upgrade in place);
  // masters go on as masters. Empty: all start as the RFC says, and virtual addresses that an
  // earlier process left on the node are removed by Configure.
  static Result<std::unique_ptr<Speaker>> Start(const std::string& remembered);
  virtual ~Speaker() = default;

  // The whole list; an instance that is not named any more hands over and stops. One that is as
  // before goes on untouched; of others what can change in place does (addresses, priority, timers,
  // announcements, trackers). Settings that peers would not understand (SpeaksDifferently) are
  // taken for receiving at once, for sending when SettleForms comes.
  virtual Status Configure(const std::vector<VrrpInstance>& instances,
                           const std::vector<VrrpGroup>& groups) = 0;
  // All instances but these send in their new form from now on.
  virtual void SettleForms(const std::vector<std::string>& unsettled) = 0;
  virtual void Track(const std::string& instance, const TrackedState& state) = 0;
  // False: a backup does not take over from a living master for now (its connection table is not
  // filled yet).
  virtual void AllowPreempt(const std::string& instance, bool allowed) = 0;
  // See HandoverTask; members of a group yield together. Returns at once; Snapshot tells how far it
  // is: yielded and master: it waits for a successor; yielded and not master: done; master and not
  // yielded: nobody took over (a SpeakerProblem says so, too).
  virtual Status Yield(const std::string& instance) = 0;
  virtual void Return(const std::string& instance) = 0;

  [[nodiscard]] virtual std::vector<InstanceStatus> Snapshot() = 0;
  // Becomes readable when events wait.
  [[nodiscard]] virtual int event_fd() const = 0;
  virtual std::vector<SpeakerEvent> TakeEvents() = 0;

  // Ends the thread but leaves addresses and roles as they are, and gives what the next process
  // needs to go on. Adverts go out right before.
  virtual std::string Freeze() = 0;
  // Waits until it is done: at most some seconds.
  virtual void Stop(SpeakerStop how) = 0;
};

}  // namespace drover
