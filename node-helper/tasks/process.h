// Runs a program of the node, without a shell, and brings back what it said.
//
// The child gets a process group of its own, the umask and limits the helper was started with, and
// none of the helper's descriptors. One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/codec.h"
#include "protocol/event.h"
#include "protocol/result.h"

namespace drover {

// What to run and within which bounds.
struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] without a slash is looked up in kProgramPath
  std::string chdir = "/";
  std::string stdin_text;
  std::vector<std::pair<std::string, std::string>> environment;  // added to the helper's own
  std::chrono::milliseconds timeout{0};                          // 0: none
  std::size_t max_output = kMaxOutputBytes;  // of each stream; the rest is read and dropped
  // Asked now and then: true when nobody waits for the result any more. The program then has
  // kAbandonedGrace to end, because half a package installation is worse than a late one.
  std::function<bool()> abandoned;
  // Asked as often: true when it must end at once.
  std::function<bool()> must_end;
};

struct ProcessOutcome {
  CommandOutcome command;
  bool timed_out = false;  // it was ended by us
};

inline constexpr std::chrono::minutes kAbandonedGrace{10};
inline constexpr const char* kProgramPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// kNotFound: no such program or directory. A program that fails is a result, not an error.
Result<ProcessOutcome> RunProcess(const ProcessSpec& spec);

// For tests of what only looks at results.
using ProcessRunner = std::function<Result<ProcessOutcome>(const ProcessSpec&)>;

// Remembers umask, core limit and what the OOM killer thinks of us for the programs to be run, then
// takes the helper's own: umask 077, no core dumps. Once, at the start of the process.
void HardenProcess();

// UTF-8 with every other byte replaced by U+FFFD.
std::string ToUtf8(std::string_view bytes);

}  // namespace drover
