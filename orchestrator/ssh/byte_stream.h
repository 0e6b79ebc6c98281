// The two-way street to a helper: what is written goes to its stdin, what it says comes from its
// stdout and stderr. An SSH channel and a child process look the same from here.
//
// A stream belongs to one thread; it ends its waits when the session's bell rings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

// How the process at the other end ended.
struct ProcessEnd {
  std::optional<int> exit_code;  // none: unknown or by signal
  std::string signal;            // "KILL"; empty: none

  bool operator==(const ProcessEnd&) const = default;
};

// What came in at once.
struct Arrival {
  std::string out;
  std::string err;
  std::optional<ProcessEnd> end;  // set: nothing will follow
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Waits for bytes or for the end. kTimeout: nothing came; kUnreachable: the way is broken, or the
  // bell rang.
  virtual Result<Arrival> Receive(Deadline deadline) = 0;
  // Sends a first part of `data` and returns its size. 0: something came in that has to be received
  // first, lest both sides wait for each other.
  virtual Result<std::size_t> Write(std::string_view data, Deadline deadline) = 0;
  // The helper sees the end of its stdin.
  virtual void CloseInput() = 0;
  // Starts another command in place of one that ended.
  virtual Status Restart(const std::string& command, Deadline deadline) = 0;
};

}  // namespace drover
