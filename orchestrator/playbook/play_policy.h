// In which portions a play goes over its hosts, what is waited for between them, and how many may
// fail.
//
// Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace drover {

// So many hosts, or so many percent of the play's hosts; 0 hosts: all that are left.
struct BatchSize {
  std::size_t count = 0;
  bool percent = false;
  bool operator==(const BatchSize&) const = default;
};

// A rolling update; names and meanings as in Nomad, times are waited only behind batches that
// changed something.
struct UpdatePolicy {
  BatchSize max_parallel{1, false};
  std::size_t canary = 0;  // hosts of the first batch; 0: no batch of its own
  std::optional<std::chrono::milliseconds> hold;  // behind the canary; none: no pause
  bool hold_for_operator = false;                 // behind the canary somebody is asked
  std::chrono::milliseconds min_healthy_time{10000};
  std::chrono::milliseconds healthy_deadline{300000};
  std::chrono::milliseconds stagger{0};  // pause between batches
  bool operator==(const UpdatePolicy&) const = default;
};

struct PlayPolicy {
  std::vector<BatchSize> serial;  // one after the other, the last repeats; empty: all at once
  std::optional<double> max_fail_percentage;  // of a batch; more failed hosts end the run
  bool any_errors_fatal = false;
  std::optional<UpdatePolicy> update;

  [[nodiscard]] bool in_batches() const { return !serial.empty() || update.has_value(); }
  bool operator==(const PlayPolicy&) const = default;
};

}  // namespace drover
