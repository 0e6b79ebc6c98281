// What became of the connections that were open when a fault was injected.
//
//   Survival = connections whose next request after takeover succeeds on the same RS / connections
//   open at injection.
//
// Pure. One long-lived series is one class of activity; age is told apart here. A connection that
// has not asked anything before the injection does not show in the log and is not counted.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "protocol/probe_log.h"

namespace drover {

enum class ConnectionAge : std::uint8_t {
  kNew,    // one request: about three packets of the client, where ip_vs begins to sync by default
  kYoung,  // less than three seconds: what waits in the sync daemon at most
  kOlder,
};
inline constexpr std::size_t kConnectionAges = 3;
inline constexpr ProbeTime kYoungConnection = std::chrono::seconds(3);
std::string_view ToString(ConnectionAge age);  // "one request", "younger than 3 s", "older"

struct SurvivalCount {
  std::uint64_t open = 0;      // at injection
  std::uint64_t survived = 0;  // next request after takeover answered by the same real server
  std::uint64_t stalled = 0;   // of the survivors: that answer was late
  std::uint64_t reset = 0;     // ended by an error
  std::uint64_t wrong = 0;     // answered by another real server
  std::uint64_t silent = 0;    // no answer
  std::uint64_t unknown = 0;   // no request after the takeover: nothing can be said
  bool operator==(const SurvivalCount&) const = default;
};

struct Survival {
  std::array<SurvivalCount, kConnectionAges> by_age;
  [[nodiscard]] SurvivalCount total() const;
  // Of those about which something can be said; 1 when there is none.
  [[nodiscard]] double share() const;
};

// `takeover` is t_ok+ of the path probes, or the injection for a fault without an outage.
Survival SurvivalOf(const ProbeLog& log, std::size_t series, ProbeTime injection,
                    ProbeTime takeover);

}  // namespace drover
