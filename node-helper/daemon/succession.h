// What a director that takes over from a living one does with connections that it does not know
// yet: for a while their segments go to the one before (net/pass_on), which has the addresses on lo
// as long (`linger`) and tells of its connections meanwhile.
//
// Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/pass_on.h"
#include "node-helper/speaker/speaker.h"
#include "protocol/desired_state.h"

namespace drover {

// How long ip_vs may keep what it has to tell of a connection, and some: see net/pass_on.
inline constexpr std::chrono::milliseconds kUntilTold{4000};

// The instances as the speaker is to run them: where connections are synchronised a master lingers
// until it has told of all of them. One that does not linger at all is left so.
std::vector<VrrpInstance> LingeringUntilTold(const DesiredState& wants);

class Succession {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void Ahead(const std::string& instance, const TakeoverAhead& takeover, Time now);
  void Moved(const std::string& instance, const InstanceMoved& moved, Time at);
  // For the TCP services on the addresses of instances that follow somebody. Nothing where
  // connections are not synchronised: their director of before would have to stay for ever.
  [[nodiscard]] std::vector<PassedOn> Wanted(const DesiredState& wants, Time now) const;
  // When Wanted will have less in it, after `now`.
  [[nodiscard]] std::optional<Time> Deadline(Time now) const;

 private:
  struct Course {
    TakeoverAhead takeover;
    Time until;
  };
  std::map<std::string, Course> courses_;  // by instance
};

}  // namespace drover
