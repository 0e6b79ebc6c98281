#include "node-helper/daemon/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "node-helper/store/descriptor.h"
#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr std::size_t kRing = 500;
constexpr std::size_t kMaxWaiting = 2000;
constexpr std::chrono::seconds kLastWords{1};

// One thing to write.
struct Entry {
  std::string file_line;
  std::string log_line;
  bool problem = false;
};

// The file, opened when the first line comes; every failure only loses a line.
class RotatingFile {
 public:
  explicit RotatingFile(EventFile settings) : settings_(std::move(settings)) {}

  bool Append(const std::string& line) {
    if (settings_.path.empty()) return true;
    if (!file_.valid() && !Open()) return false;
    if (size_ + line.size() + 1 > settings_.max_bytes && size_ > 0) {
      Rotate();
      if (!Open()) return false;
    }
    // The first line after a failure must not be glued to half a line.
    if (!WriteAll(file_.get(), (torn_ ? "\n" : "") + line + "\n", settings_.path)) {
      torn_ = true;
      file_.Reset();
      return false;
    }
    torn_ = false;
    size_ += line.size() + 1;
    return true;
  }

 private:
  bool Open() {
    [[maybe_unused]] const Status made = MakeDirectories(ParentOf(settings_.path), 0755);
    file_.Reset(::open(settings_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    struct stat info {};
    if (!file_.valid() || ::fstat(file_.get(), &info) != 0) return false;
    size_ = static_cast<std::uint64_t>(info.st_size);
    return true;
  }
  void Rotate() {
    file_.Reset();
    for (int number = settings_.kept; number > 1; --number) {
      std::rename((settings_.path + "." + std::to_string(number - 1)).c_str(),
                  (settings_.path + "." + std::to_string(number)).c_str());
    }
    std::rename(settings_.path.c_str(), (settings_.path + ".1").c_str());
  }

  EventFile settings_;
  Descriptor file_;
  std::uint64_t size_ = 0;
  bool torn_ = false;
};

std::int64_t Microseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::string WallText(std::int64_t wall_us) {
  const std::time_t seconds = static_cast<std::time_t>(wall_us / 1'000'000);
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &broken_down);
  std::string micro = std::to_string(1'000'000 + wall_us % 1'000'000);
  return std::string(text.data()) + "." + micro.substr(1) + "Z";
}

}  // namespace

// The thread that may wait for disks and syslog. What it works on lives as long as it does, because
// one that hangs in a write is left behind.
class EventLog::Writer {
 public:
  Writer(EventFile file, const DaemonLog& log)
      : shared_(std::make_shared<Shared>(std::move(file), log)),
        thread_([shared = shared_] { Run(*shared); }) {}
  ~Writer() {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->ends = true;
    }
    shared_->came.notify_all();
    if (Drained()) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

  void Put(Entry entry) {
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->waiting.size() >= kMaxWaiting) {
        ++shared_->lost;
        return;
      }
      shared_->waiting.push_back(std::move(entry));
    }
    shared_->came.notify_all();
  }
  bool Drained() {
    std::unique_lock lock(shared_->mutex);
    return shared_->written.wait_for(lock, kLastWords,
                                     [this] { return shared_->waiting.empty() && !shared_->busy; });
  }
  [[nodiscard]] std::uint64_t lost() const { return shared_->lost; }

 private:
  struct Shared {
    Shared(EventFile settings, const DaemonLog& lines) : file(std::move(settings)), log(lines) {}
    std::mutex mutex;
    std::condition_variable came;
    std::condition_variable written;
    std::deque<Entry> waiting;
    bool busy = false;
    bool ends = false;
    std::atomic<std::uint64_t> lost = 0;
    RotatingFile file;
    const DaemonLog& log;
  };

  static void Run(Shared& shared) {
    std::unique_lock lock(shared.mutex);
    for (;;) {
      shared.came.wait(lock, [&] { return shared.ends || !shared.waiting.empty(); });
      if (shared.waiting.empty()) return;
      const Entry entry = std::move(shared.waiting.front());
      shared.waiting.pop_front();
      shared.busy = true;
      lock.unlock();
      if (!shared.file.Append(entry.file_line)) ++shared.lost;
      if (entry.problem) {
        shared.log.Problem(entry.log_line);
      } else {
        shared.log.Line(entry.log_line);
      }
      lock.lock();
      shared.busy = false;
      shared.written.notify_all();
    }
  }

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

EventLog::EventLog(EventFile file, const DaemonLog& log)
    : writer_(std::make_unique<Writer>(std::move(file), log)) {}
EventLog::~EventLog() = default;

void EventLog::Add(const std::string& kind, const std::string& subject, const std::string& text,
                   bool problem) {
  LoggedEvent event;
  event.wall_us = Microseconds(CLOCK_REALTIME);
  event.monotonic_us = Microseconds(CLOCK_MONOTONIC);
  event.kind = kind;
  event.subject = subject;
  event.text = text;
  writer_->Put({EncodeEventLine(event),
                kind + ": " + (subject.empty() ? "" : subject + ": ") + text, problem});
  ring_.push_back(std::move(event));
  if (ring_.size() > kRing) ring_.pop_front();
}

std::vector<LoggedEvent> EventLog::Newest(std::size_t count) const {
  return {ring_.end() - static_cast<std::ptrdiff_t>(std::min(count, ring_.size())), ring_.end()};
}

void EventLog::Remember(std::vector<LoggedEvent> events) {
  ring_.insert(ring_.begin(), events.begin(), events.end());
}

void EventLog::Flush() { [[maybe_unused]] const bool drained = writer_->Drained(); }

std::uint64_t EventLog::lost() const { return writer_->lost(); }

std::string EncodeEventLine(const LoggedEvent& event) {
  const nlohmann::ordered_json line{{"time", WallText(event.wall_us)},
                                    {"monotonic_us", event.monotonic_us},
                                    {"kind", event.kind},
                                    {"subject", event.subject},
                                    {"text", event.text}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace drover
