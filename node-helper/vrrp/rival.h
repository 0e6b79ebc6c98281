// Bookkeeping about strangers that claim what a master owns: how often each is reported and
// answered, so that neither the log nor the network is flooded.
//
// Pure. Who is a stranger is told by the caller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "node-helper/vrrp/instance.h"

namespace drover::vrrp {

// One report about the same stranger in so long a time.
inline constexpr std::chrono::seconds kReportEvery{10};
// Answers (announcing again) in a row; more would only be a quarrel (RFC 5227, section 2.4).
inline constexpr std::chrono::seconds kAnswerEvery{1};
// How long an instance whose rule is to yield stays away before it tries again.
inline constexpr std::chrono::seconds kYieldFor{30};
// Strangers remembered at once; a flood of invented ones must not eat memory.
inline constexpr std::size_t kMaxRivals = 256;

class RivalLog {
 public:
  // What to do about a claim that was heard now.
  struct Advice {
    bool report = false;
    bool answer = false;
    bool operator==(const Advice&) const = default;
  };
  Advice Hear(const std::string& stranger, Time now);

  // All claims heard.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::map<std::string, Time> reported_;
  std::optional<Time> answered_;
  std::uint64_t count_ = 0;
};

}  // namespace drover::vrrp
