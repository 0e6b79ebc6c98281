// Keeps the kernel at what was recorded: one look compares all of it and sets again what is not as
// it should be. What cannot be set does not keep the rest from being set and is tried again later,
// ever less often.
//
// One thread at a time. Whose turn it is to touch the kernel (a session's or ours) is the caller's
// to know.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "protocol/change.h"

namespace drover {

// What one look did.
struct LookReport {
  std::vector<Change> done;
  std::vector<std::string> failures;  // all that is not set now, one sentence each
};

// How long to wait after the `failures`th failure in a row: 1 s, doubling to 60 s.
std::chrono::seconds RetryDelay(int failures);

class Reconciler {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Filter = std::function<bool(const Change&)>;

  // Observes, plans and applies what `may_do` lets pass (empty: everything), again until nothing is
  // left to do, at most three times because some settings change others.
  LookReport Look(Kernel& kernel, const DesiredState& wanted, const Filter& may_do, Time now);
  // The same against what the last look saw, without observing: for changes that must be quick. A
  // refusal means that somebody else was there; the next look sees.
  LookReport ApplyQuickly(Kernel& kernel, const DesiredState& wanted, const Filter& may_do);

  // What the kernel had at the end of the last look, with what was done since.
  [[nodiscard]] const DesiredState& observed() const { return observed_; }
  // Tries everything again at the next look, however often it failed.
  void StartAfresh() { failing_.clear(); }

 private:
  struct Failing {
    int times = 0;
    Time next_try;
    std::string sentence;
  };
  bool Pass(Kernel& kernel, const DesiredState& wanted, const Filter& may_do, Time now,
            LookReport& report);
  void NoteFailure(const std::string& resource, const std::string& sentence, Time now);

  DesiredState observed_;
  std::map<std::string, Failing> failing_;  // by resource
};

}  // namespace drover
