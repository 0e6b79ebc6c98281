#include "node-helper/tasks/wait_task.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "node-helper/store/descriptor.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kConnectPatience{2000};
constexpr milliseconds kLook{100};  // how often it is asked whether somebody still waits

// What one look found, with the reason in words ("Connection refused").
struct Sight {
  bool there = false;
  std::string reason;
};

socklen_t FillAddress(const Endpoint& endpoint, sockaddr_storage& storage) {
  storage = {};
  if (endpoint.address.is_v4()) {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(endpoint.port);
    std::memcpy(&address->sin_addr, endpoint.address.data(), endpoint.address.size());
    return sizeof(sockaddr_in);
  }
  auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
  address->sin6_family = AF_INET6;
  address->sin6_port = htons(endpoint.port);
  std::memcpy(&address->sin6_addr, endpoint.address.data(), endpoint.address.size());
  return sizeof(sockaddr_in6);
}

Sight Refused(int error) { return Sight{false, std::strerror(error)}; }

Sight TryConnect(const Endpoint& endpoint, milliseconds patience) {
  sockaddr_storage storage;
  const socklen_t size = FillAddress(endpoint, storage);
  const Descriptor socket(
      ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Refused(errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0) {
    return Sight{true, ""};
  }
  if (errno != EINPROGRESS) return Refused(errno);
  pollfd waiting{socket.get(), POLLOUT, 0};
  if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return Refused(ETIMEDOUT);
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  return error == 0 ? Sight{true, ""} : Refused(error);
}

Sight LookFor(const WaitForTask& wait, milliseconds patience) {
  if (wait.endpoint) return TryConnect(*wait.endpoint, patience);
  struct stat info {};
  if (::stat(wait.path.c_str(), &info) == 0) return Sight{true, ""};
  return Refused(errno);
}

std::string WhatFor(const WaitForTask& wait) {
  if (wait.endpoint) return wait.endpoint->ToString() + (wait.present ? " to open" : " to close");
  return wait.path + (wait.present ? " to appear" : " to vanish");
}

std::string Seconds(milliseconds time) {
  if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
  return std::to_string(time.count()) + " ms";
}

// False when nobody waits any more.
bool Pause(milliseconds time, const TaskContext& context) {
  const auto end = Clock::now() + time;
  for (;;) {
    if (context.abandoned()) return false;
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0) return true;
    std::this_thread::sleep_for(std::min(left, kLook));
  }
}

TaskResult GaveUp(const WaitForTask& wait) {
  return Failed({ErrorCode::kTimeout, "gave up waiting for " + WhatFor(wait) +
                                          ": the other side of the session has gone"});
}

}  // namespace

TaskResult RunWaitForTask(const Task& task, const WaitForTask& wait, TaskContext& context) {
  if (!wait.endpoint && wait.path.empty()) {
    return Failed({ErrorCode::kInvalid, "wait_for: neither a port nor a path to wait for"});
  }
  if (task.check) {
    if (LookFor(wait, kConnectPatience).there == wait.present) return Succeeded();
    return Skipped("would wait for " + WhatFor(wait));
  }
  milliseconds limit = wait.timeout;
  if (task.timeout.count() > 0) limit = std::min(limit, task.timeout);
  const auto deadline = Clock::now() + limit;
  if (!Pause(wait.delay, context)) return GaveUp(wait);
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    // Looks once even when the delay has used up the time.
    const Sight sight = LookFor(wait, std::clamp(left, milliseconds{1}, kConnectPatience));
    if (sight.there == wait.present) return Succeeded();
    const auto rest = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (rest.count() <= 0) {
      return Failed(
          {ErrorCode::kTimeout, "waited " + Seconds(limit) + " for " + WhatFor(wait) +
                                    (sight.reason.empty() ? std::string() : ": " + sight.reason)});
    }
    if (!Pause(std::min(std::max(wait.interval, milliseconds{10}), rest), context)) {
      return GaveUp(wait);
    }
  }
}

}  // namespace drover
