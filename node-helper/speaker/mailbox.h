// What two threads give each other: calls into the speaker's thread, and the speaker's events out
// of it. Each end has a descriptor that is readable when something waits.
//
// The lock is held for moments only and inherits priority, so that the real-time thread never waits
// for a thread that does not get to run.
#pragma once

#include <pthread.h>

#include <functional>
#include <vector>

#include "node-helper/speaker/speaker.h"

namespace drover {

class PriorityMutex {
 public:
  PriorityMutex();
  ~PriorityMutex();
  PriorityMutex(const PriorityMutex&) = delete;
  PriorityMutex& operator=(const PriorityMutex&) = delete;
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

// A counter in the kernel that can be waited for.
class WakeUp {
 public:
  WakeUp();
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  void Raise();
  void Clear();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

class Mailbox {
 public:
  // Any thread: runs `call` in the speaker's thread and waits until it is done. False when that
  // thread has ended.
  bool Call(const std::function<void()>& call);
  // The speaker's thread: runs what waits.
  void RunCalls();
  // The speaker's thread is about to end: no call is taken any more.
  void Close();

  void PutEvents(std::vector<SpeakerEvent> events);
  std::vector<SpeakerEvent> TakeEvents();

  [[nodiscard]] int call_fd() const { return calls_wait_.fd(); }
  [[nodiscard]] int event_fd() const { return events_wait_.fd(); }

 private:
  struct Letter;

  PriorityMutex mutex_;
  std::vector<Letter*> letters_;
  std::vector<SpeakerEvent> events_;
  bool closed_ = false;
  WakeUp calls_wait_;
  WakeUp events_wait_;
};

}  // namespace drover
