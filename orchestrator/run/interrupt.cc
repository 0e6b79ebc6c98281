#include "orchestrator/run/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

namespace drover {
namespace {

// Where the handler writes to; a handler has no other way to know.
std::atomic<int> signal_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void OnSignal(int /*number*/) {
  const int saved = errno;
  const char byte = 'i';
  // A full pipe means that the listener has been told often enough.
  [[maybe_unused]] const ssize_t written = write(signal_pipe.load(), &byte, 1);
  errno = saved;
}

void Nothing(int /*number*/) {}

}  // namespace

Result<std::unique_ptr<InterruptWatch>> InterruptWatch::Start(
    std::function<void(int count)> interrupted) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(ErrnoError(errno, "pipe for signals"));
  }
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  std::unique_ptr<InterruptWatch> watch(new InterruptWatch);
  watch->interrupted_ = std::move(interrupted);
  watch->read_end_ = ends[0];
  watch->write_end_ = ends[1];
  signal_pipe = ends[1];
  watch->thread_ = std::thread([raw = watch.get()] { raw->Listen(); });
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_IGN) {
      continue;  // nohup, or a shell's background job: it stays so
    }
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
    watch->before_.emplace_back(number, before);
  }
  return watch;
}

InterruptWatch::~InterruptWatch() {
  for (const auto& [number, before] : before_) {
    sigaction(number, &before, nullptr);
  }
  signal_pipe = -1;
  const char byte = 'q';
  while (write(write_end_, &byte, 1) < 0 && (errno == EINTR || errno == EAGAIN)) {
  }
  thread_.join();
  close(read_end_);
  close(write_end_);
}

void InterruptWatch::Listen() {
  int count = 0;
  while (true) {
    char byte = 0;
    const ssize_t got = read(read_end_, &byte, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got != 1 || byte == 'q') {
      return;
    }
    interrupted_(++count);
  }
}

void SurviveBrokenPipes() {
  struct sigaction action = {};
  action.sa_handler = Nothing;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace drover
