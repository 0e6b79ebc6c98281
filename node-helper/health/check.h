// One health check as a rise/fall machine: when the next probe is due, and when a run of results
// means up or down.
//
// Pure: no socket, no clock, no random numbers of its own. Probing is checks' business; what a
// verdict does to ip_vs is pool.h's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace drover::health {

using Time = std::chrono::steady_clock::time_point;

// When a target is asked and how many answers make a verdict.
struct Timing {
  std::chrono::milliseconds interval{2000};  // from the start of one probe to the start of the next
  std::chrono::milliseconds fast_interval{
      0};  // while in doubt (a run has begun, no verdict yet); 0: as `interval`
  std::chrono::milliseconds timeout{1000};  // no answer by then is a failure; at most the interval
  int fall = 3;                             // failures in a row that bring a target down
  int rise = 2;                             // successes in a row that bring it up
  int jitter_percent = 5;  // the first probe and each interval vary by so much, so that a thousand
                           // checks do not fire at once
  bool initially_up = false;  // what holds before the first verdict
};

struct ProbeResult {
  bool ok = false;
  std::string reason;  // of a failure, in words: "connection refused"
  std::chrono::microseconds latency{0};
};

// A target came up or went down.
struct Verdict {
  bool up = false;
  std::string reason;

  bool operator==(const Verdict&) const = default;
};

// What a check knows, for the process that comes after an upgrade in place.
struct CheckMemory {
  bool up = false;
  bool has_verdict = false;
  int run = 0;
  Time next_probe{};
  std::chrono::microseconds latency{0};
  std::string last_failure;

  bool operator==(const CheckMemory&) const = default;
};

class Check {
 public:
  // `seed` spreads the checks; two checks with the same seed fire together.
  Check(const Timing& timing, std::uint64_t seed, Time now);

  // Call when a probe is started; the next one is due an interval from now.
  void ProbeStarted(Time now);
  // Call with each result; an answer when the verdict changed. A doubt brings the next probe
  // nearer.
  std::optional<Verdict> ProbeEnded(const ProbeResult& result);

  [[nodiscard]] Time next_probe() const { return next_probe_; }
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool has_verdict() const { return has_verdict_; }
  [[nodiscard]] bool in_doubt() const { return run_ > 0; }
  [[nodiscard]] std::chrono::microseconds latency() const { return latency_; }
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

  [[nodiscard]] CheckMemory Remember() const;
  // Goes on where another one was; a next probe that is further away than an interval is not
  // believed.
  void Recall(const CheckMemory& memory, Time now);

  // The longest time from a target's death until Verdict down: what the settings promise.
  static std::chrono::milliseconds WorstDetection(const Timing& timing);

 private:
  std::optional<Verdict> Count(const ProbeResult& result);
  [[nodiscard]] std::chrono::milliseconds Spread(std::chrono::milliseconds interval);

  Timing timing_;
  std::uint64_t random_;
  Time started_{};  // the last probe
  Time next_probe_;
  bool up_;
  bool has_verdict_ = false;
  int run_ = 0;  // results in a row that speak against the verdict
  std::chrono::microseconds latency_{0};
  std::string last_failure_;
};

}  // namespace drover::health
