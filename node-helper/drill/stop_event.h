// Tells a loop in another thread to end.
//
// Any thread may call Stop, as may a signal handler.
#pragma once

#include <sys/eventfd.h>

#include <cerrno>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

class StopEvent {
 public:
  static Result<StopEvent> Create() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return Fail(ErrnoError(errno, "eventfd"));
    return StopEvent(Descriptor(fd));
  }
  void Stop() const { (void)::eventfd_write(fd_.get(), 1); }
  // Readable once Stop was called, and from then on.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit StopEvent(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace drover
