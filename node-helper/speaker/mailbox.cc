#include "node-helper/speaker/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <semaphore>
#include <utility>

namespace drover {
namespace {

// Events that nobody fetches must not eat memory.
constexpr std::size_t kMaxEvents = 10000;

}  // namespace

PriorityMutex::PriorityMutex() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}
PriorityMutex::~PriorityMutex() { pthread_mutex_destroy(&mutex_); }

WakeUp::WakeUp() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
WakeUp::~WakeUp() {
  if (fd_ >= 0) ::close(fd_);
}
void WakeUp::Raise() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}
void WakeUp::Clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
}

struct Mailbox::Letter {
  const std::function<void()>& call;
  std::binary_semaphore done{0};
};

bool Mailbox::Call(const std::function<void()>& call) {
  Letter letter{call};
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    letters_.push_back(&letter);
  }
  calls_wait_.Raise();
  letter.done.acquire();
  return true;
}

void Mailbox::RunCalls() {
  calls_wait_.Clear();
  std::vector<Letter*> letters;
  {
    const std::lock_guard lock(mutex_);
    letters = std::exchange(letters_, {});
  }
  for (Letter* letter : letters) {
    letter->call();
    letter->done.release();
  }
}

void Mailbox::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  RunCalls();
}

void Mailbox::PutEvents(std::vector<SpeakerEvent> events) {
  if (events.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (SpeakerEvent& event : events) {
      if (events_.size() < kMaxEvents) events_.push_back(std::move(event));
    }
  }
  events_wait_.Raise();
}

std::vector<SpeakerEvent> Mailbox::TakeEvents() {
  events_wait_.Clear();
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

}  // namespace drover
