#include "node-helper/daemon/supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace drover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstDelay{200};
constexpr milliseconds kLongestDelay{10000};
constexpr std::chrono::seconds kHealthy{60};  // a worker that lived so long starts a new row

// The signals that the supervisor waits for instead of being interrupted.
sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

bool EndsIt(int signal) { return signal == SIGTERM || signal == SIGINT; }

// Waits until the worker is gone; passes signals on. True when it was asked to end.
bool Accompany(pid_t worker, int& status) {
  const sigset_t watched = Watched();
  bool asked_to_end = false;
  for (;;) {
    const pid_t gone = ::waitpid(worker, &status, WNOHANG);
    if (gone == worker || (gone < 0 && errno != EINTR)) return asked_to_end;
    const int signal = ::sigwaitinfo(&watched, nullptr);
    if (signal <= 0 || signal == SIGCHLD) continue;
    asked_to_end |= EndsIt(signal);
    ::kill(worker, signal);
  }
}

// False when it was asked to end meanwhile.
bool Pause(milliseconds delay) {
  const sigset_t watched = Watched();
  const auto deadline = Clock::now() + delay;
  for (;;) {
    const auto left = deadline - Clock::now();
    if (left.count() <= 0) return true;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec wait{static_cast<time_t>(seconds.count()),
                        static_cast<long>(std::chrono::nanoseconds(left - seconds).count())};
    const int signal = ::sigtimedwait(&watched, nullptr, &wait);
    if (EndsIt(signal)) return false;
  }
}

}  // namespace

milliseconds RestartDelay(int crashes) {
  milliseconds delay = kFirstDelay;
  for (int i = 1; i < crashes && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

int Supervise(const SupervisedWorker& worker) {
  const sigset_t watched = Watched();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  for (int crashes = 0;;) {
    const auto began = Clock::now();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::sigprocmask(SIG_SETMASK, &before, nullptr);
      ::_exit(worker.run());
    }
    int status = 0;
    bool asked_to_end = false;
    if (pid > 0) {
      worker.started(pid);
      asked_to_end = Accompany(pid, status);
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
      const bool ended = WIFEXITED(status) && (code == 0 || code == kCannotBegin);
      if (asked_to_end || ended) return code;
      worker.started(0);
    }
    crashes = Clock::now() - began > kHealthy ? 1 : crashes + 1;
    if (!Pause(RestartDelay(crashes))) return 0;
  }
}

}  // namespace drover
