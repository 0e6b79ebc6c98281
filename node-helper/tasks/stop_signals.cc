#include "node-helper/tasks/stop_signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace drover {

Result<StopSignals> StopSignals::Watch() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, number);
  if (::sigprocmask(SIG_BLOCK, &watched, nullptr) != 0) return Fail(ErrnoError(errno, "signals"));
  Descriptor fd(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.valid()) return Fail(ErrnoError(errno, "signals"));
  return StopSignals(std::move(fd));
}

std::optional<int> StopSignals::Next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  return static_cast<int>(info.ssi_signo);
}

}  // namespace drover
