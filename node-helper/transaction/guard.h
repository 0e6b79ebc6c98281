// The guard: a process of its own that watches the deadline of a pending run and takes the node
// back when it is over. It lives on when the session, sshd or the daemon ends; the daemon starts
// another one when it is gone (GuardIsAtWork). A lock on a file sees to it that there is one.
//
// One thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "node-helper/store/descriptor.h"
#include "node-helper/transaction/go_back.h"

namespace drover {

// What a guard is made of; main wires it.
struct GuardParts {
  const Store* store = nullptr;
  std::string run_directory = kRunDirectory;
  NodeClock clock = NodeClock::OfThisNode();
  // Made anew for each attempt; empty when something that it needs cannot be opened now.
  std::function<Result<GoBackParts>()> go_back;
  std::function<void(const std::string& line, bool problem)> log;
};

// What there is to do now.
struct GuardDuty {
  enum class Kind : std::uint8_t { kNothing, kWait, kGoBack };
  Kind kind = Kind::kNothing;
  std::string reason;  // for kGoBack
  bool operator==(const GuardDuty&) const = default;
};

// `left` as of DeadlineFile::Left, of whoever renewed it.
GuardDuty DutyOf(const std::optional<Pending>& pending,
                 const std::optional<std::chrono::milliseconds>& left);
// How long to wait after so many attempts that did not put everything back.
std::chrono::milliseconds RetryPause(std::uint32_t attempts);

bool GuardIsAtWork(const std::string& run_directory);

// Guards until no run is pending, in this process; the exit code. 0 at once when another one does.
int RunGuard(const GuardParts& parts);
// The same in a process of its own that has left session and terminal; returns when it is at work.
Status DetachGuard(const GuardParts& parts);

// For a daemon that starts: a pending run whose deadline is over, or that is of an earlier boot,
// is carried out no longer. True when it was so: a guard is to do the rest.
Result<bool> HoldBackOverdueRun(const GuardParts& parts);

}  // namespace drover
