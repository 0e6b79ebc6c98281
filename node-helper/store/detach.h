// A process that lives on when who started it ends: out of its session, without a terminal, a child
// of init. The starter hears from it whether it is at work.
//
// Called from a process with one thread, because the child goes on from a fork.
#pragma once

#include <functional>
#include <string_view>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

// The child's word to its starter, said once.
class StartReport {
 public:
  explicit StartReport(Descriptor to) : to_(std::move(to)) {}
  void Ready();
  void Failed(std::string_view why);
  // Leaves the word to another process that has this report, too.
  void Drop() { to_.Reset(); }
  [[nodiscard]] bool open() const { return to_.valid(); }

 private:
  void Say(std::string_view word);
  Descriptor to_;
};

// Runs `live` in the detached process, whose exit code it returns; Detach itself returns when the
// report is made. kInternal with the child's reason, which is empty when it ended without one.
Status Detach(const std::function<int(StartReport& report)>& live);

// Standard input and output become /dev/null; who waits for their end is let go.
void CloseTheTerminal();

}  // namespace drover
