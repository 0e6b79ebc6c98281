// The signals that ask the process to end or to look again, as a descriptor that can be polled.
//
// Blocks them for the whole process; make it before any thread. Programs that the helper runs get
// them back (process.cc).
#pragma once

#include <optional>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

// SIGTERM, SIGINT and SIGHUP; ignores SIGPIPE.
class StopSignals {
 public:
  static Result<StopSignals> Watch();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // The next signal that has come, if one has.
  std::optional<int> Next();

 private:
  explicit StopSignals(Descriptor fd) : fd_(std::move(fd)) {}

  Descriptor fd_;
};

}  // namespace drover
