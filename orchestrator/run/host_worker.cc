#include "orchestrator/run/host_worker.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kHandshakeRetries = 2;
constexpr std::chrono::milliseconds kRetryDelay{300};
constexpr std::chrono::milliseconds kLeastPoll{50};
constexpr std::chrono::milliseconds kPoll{5000};  // a silent helper is fine; see whether we abort

std::chrono::milliseconds Jitter(int attempt) {
  std::random_device device;
  const int base = static_cast<int>(kRetryDelay.count()) * (attempt + 1);
  return std::chrono::milliseconds(std::uniform_int_distribution<int>(base, 3 * base)(device));
}

}  // namespace

bool IsHandshakeReset(const Error& error) {
  if (error.code != ErrorCode::kUnreachable) {
    return false;
  }
  std::string text = error.message;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  // In the words of ssh/: only while keys are exchanged, nobody has logged in yet.
  constexpr std::array<std::string_view, 4> kSigns = {"connection reset", "closed the connection",
                                                      "connection was closed", "disconnected"};
  return text.find("key exchange") != std::string::npos &&
         std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) != std::string::npos; });
}

bool IsNoConnection(const Error& error) {
  // In the words of ssh/tcp_dial.
  return error.code == ErrorCode::kUnreachable &&
         error.message.find("connecting to ") != std::string::npos &&
         error.message.find(" port ") != std::string::npos;
}

// A program to be sent.
struct HostWorker::Order {
  Program program;
  bool fresh = false;
};

// What the loop and the thread have in common. It outlives a worker whose thread hangs.
struct HostWorker::Shared {
  HostConnection connection;
  SessionOpener open;
  std::shared_ptr<EventQueue> queue;
  Heartbeat heartbeat;
  int number = 0;

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Order> orders;
  bool closed = false;
  bool aborted = false;
  std::optional<std::uint32_t> finish;     // task that is to end, not told yet
  bool done = false;                       // the thread has nothing left to do
  std::unique_ptr<HelperSession> session;  // replaced only under the mutex

  Clock::time_point next_pulse;  // the thread's own

  void Lost(Error error) { queue->Push(HostLost{connection.host, std::move(error), number}); }
  void Spoke(Event event) { queue->Push(HostSpoke{connection.host, std::move(event), number}); }
  bool IsAborted() {
    const std::lock_guard lock(mutex);
    return aborted;
  }
};

HostWorker::HostWorker(HostConnection connection, SessionOpener open,
                       std::shared_ptr<EventQueue> queue, Heartbeat heartbeat, int number)
    : shared_(std::make_shared<Shared>()) {
  shared_->connection = std::move(connection);
  shared_->open = std::move(open);
  shared_->queue = std::move(queue);
  shared_->heartbeat = std::move(heartbeat);
  shared_->number = number;
  thread_ = std::thread([shared = shared_] { Work(shared); });
}

HostWorker::~HostWorker() {
  if (thread_.joinable()) {
    Abort();
    thread_.detach();
  }
}

void HostWorker::Send(Program program, bool fresh) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->orders.push_back({std::move(program), fresh});
  }
  shared_->wake.notify_all();
}

void HostWorker::Finish(std::uint32_t task) {
  const std::lock_guard lock(shared_->mutex);
  shared_->finish = task;
}

void HostWorker::Close() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closed = true;
  }
  shared_->wake.notify_all();
}

void HostWorker::Abort() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->aborted = true;
    if (shared_->session) {
      shared_->session->Abort();
    }
  }
  shared_->wake.notify_all();
}

bool HostWorker::Join(std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(shared_->mutex);
    if (!shared_->wake.wait_for(lock, limit, [this] { return shared_->done; })) {
      lock.unlock();
      thread_.detach();
      return false;
    }
  }
  thread_.join();
  return true;
}

// Nothing: the worker is to end. Pulses go out meanwhile.
std::optional<HostWorker::Order> HostWorker::NextOrder(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  const auto ready = [&] { return shared.aborted || shared.closed || !shared.orders.empty(); };
  while (!ready()) {
    if (shared.session == nullptr || shared.heartbeat.interval.count() == 0) {
      shared.wake.wait(lock, ready);
    } else if (!shared.wake.wait_until(lock, shared.next_pulse, ready)) {
      lock.unlock();
      Pulsate(shared);
      lock.lock();
    }
  }
  if (shared.aborted || shared.orders.empty()) {
    return std::nullopt;
  }
  Order order = std::move(shared.orders.front());
  shared.orders.pop_front();
  return order;
}

// A session that takes no pulse is gone; the next program finds out, or opens another.
void HostWorker::Pulsate(Shared& shared) {
  if (shared.heartbeat.interval.count() == 0 || Clock::now() < shared.next_pulse) {
    return;
  }
  shared.next_pulse = Clock::now() + shared.heartbeat.interval;
  if (!shared.session->SendPulse(Pulse{shared.heartbeat.run_id})) {
    EndSession(shared);
  }
}

// Whoever cannot be told is found out by the next event.
void HostWorker::PassFinish(Shared& shared) {
  std::optional<std::uint32_t> task;
  {
    const std::lock_guard lock(shared.mutex);
    task = std::exchange(shared.finish, std::nullopt);
  }
  if (!task) return;
  [[maybe_unused]] const Status told = shared.session->SendFinish({*task});
}

void HostWorker::EndSession(Shared& shared) {
  std::unique_ptr<HelperSession> session;
  {
    const std::lock_guard lock(shared.mutex);
    session = std::move(shared.session);
  }
}

void HostWorker::Work(const std::shared_ptr<Shared>& shared) {
  for (bool well = true; well;) {
    const std::optional<Order> order = NextOrder(*shared);
    if (!order) {
      break;
    }
    if (order->fresh) {
      EndSession(*shared);
    }
    well = (shared->session || Open(*shared)) && RunProgram(*shared, order->program);
  }
  EndSession(*shared);
  {
    const std::lock_guard lock(shared->mutex);
    shared->done = true;
  }
  shared->wake.notify_all();
}

bool HostWorker::Open(Shared& shared) {
  Result<std::unique_ptr<HelperSession>> session = shared.open(shared.connection);
  const int retries = shared.connection.connect_retries;
  for (int attempt = 0; !session; ++attempt) {
    const bool again = IsHandshakeReset(session.error())
                           ? attempt < std::max(retries, kHandshakeRetries)
                           : IsNoConnection(session.error()) && attempt < retries;
    if (!again) {
      break;
    }
    std::unique_lock lock(shared.mutex);
    if (shared.wake.wait_for(lock, Jitter(attempt), [&] { return shared.aborted; })) {
      break;
    }
    lock.unlock();
    session = shared.open(shared.connection);
  }
  if (!session) {
    shared.Lost(session.error());
    return false;
  }
  const Hello hello = (*session)->hello();
  {
    const std::lock_guard lock(shared.mutex);
    if (shared.aborted) {
      return false;
    }
    shared.session = std::move(*session);
  }
  shared.next_pulse = Clock::now() + shared.heartbeat.interval;
  shared.Spoke(hello);
  return true;
}

// Sends `program` and listens to its end. False: the session is of no more use.
bool HostWorker::RunProgram(Shared& shared, const Program& program) {
  if (const Status sent = shared.session->Send(program); !sent) {
    shared.Lost(sent.error());
    return false;
  }
  const bool beats = shared.heartbeat.interval.count() > 0;
  while (true) {
    Result<Event> event = shared.session->Next(
        beats ? std::min(kPoll, std::max(shared.heartbeat.interval, kLeastPoll)) : kPoll);
    PassFinish(shared);
    if (!event && event.error().code == ErrorCode::kTimeout && !shared.IsAborted()) {
      Pulsate(shared);
      if (shared.session) continue;
      event = Fail(ErrorCode::kUnreachable, "the connection is gone");
    }
    if (!event) {
      shared.Lost(event.error());
      return false;
    }
    const bool done = std::holds_alternative<ProgramDone>(*event);
    const bool broken = std::holds_alternative<SessionError>(*event);
    shared.Spoke(std::move(*event));
    if (done || broken) {
      return done;
    }
    Pulsate(shared);
    if (!shared.session) {
      shared.Lost(Error{ErrorCode::kUnreachable, "the connection is gone"});
      return false;
    }
  }
}

}  // namespace drover
