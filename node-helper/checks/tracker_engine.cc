#include "node-helper/checks/tracker_engine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "node-helper/checks/exit_status.h"
#include "node-helper/checks/file_state.h"
#include "node-helper/checks/memory.h"
#include "node-helper/checks/process_scan.h"
#include "node-helper/checks/script.h"
#include "node-helper/health/check.h"
#include "protocol/words.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

// Looks at once and then exactly every interval: nobody else is asked, and VRRP waits for it.
health::Timing TimingOf(const Tracker& tracker) {
  return {.interval = tracker.interval,
          .timeout = tracker.timeout,
          .fall = tracker.fall,
          .rise = tracker.rise,
          .jitter_percent = 0};
}

// One tracker that is looked at again and again: process, file or script.
class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  using OnNews = std::function<void(const std::string& name)>;

  Watcher(boost::asio::io_context& loop, const Tracker& tracker, OnNews on_news)
      : tracker_(tracker),
        check_(TimingOf(tracker), 0, Clock::now()),
        timer_(loop),
        on_news_(std::move(on_news)) {
    if (const auto* process = std::get_if<ProcessTracker>(&tracker.target)) {
      scan_.emplace(process->process);
    }
    if (const auto* script = std::get_if<ScriptTracker>(&tracker.target)) {
      script_ = std::make_unique<Script>(loop, script->argv,
                                         Script::Environment{{"DROVER_TRACKER", tracker.name}});
    }
  }

  void Recall(const health::CheckMemory& memory) {
    check_.Recall(memory, Clock::now());
    reason_ = memory.last_failure;
  }
  [[nodiscard]] health::CheckMemory Remember() const { return check_.Remember(); }
  void Begin() { LookAt(Clock::now()); }
  void End() {
    ended_ = true;
    timer_.cancel();
    script_.reset();
  }

  [[nodiscard]] TrackerStatus status() const {
    return {.name = tracker_.name,
            .up = check_.up(),
            .decided = check_.has_verdict(),
            .reason = check_.up() && !check_.in_doubt() ? "" : reason_};
  }

 private:
  void LookAt(Clock::time_point time);
  void Look();
  void RunScript();
  void Found(const CheckAnswer& outcome);
  [[nodiscard]] CheckAnswer CountProcesses();

  const Tracker tracker_;
  health::Check check_;
  boost::asio::steady_timer timer_;  // the next look, or the timeout of a script
  OnNews on_news_;
  std::optional<ProcessScan> scan_;
  std::unique_ptr<Script> script_;
  std::string reason_;
  bool ended_ = false;
};

void Watcher::LookAt(Clock::time_point time) {
  timer_.expires_at(time);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->ended_) self->Look();
  });
}

void Watcher::Look() {
  check_.ProbeStarted(Clock::now());
  if (script_) return RunScript();
  if (scan_) return Found(CountProcesses());
  Found(LookAtFile(std::get<FileTracker>(tracker_.target).path));
}

CheckAnswer Watcher::CountProcesses() {
  const auto& target = std::get<ProcessTracker>(tracker_.target);
  const std::size_t running = scan_->Count(target.quorum);
  if (running >= target.quorum) return CheckAnswer::Ok();
  if (running == 0) return CheckAnswer::Failed(target.process + " does not run");
  return CheckAnswer::Failed(std::to_string(running) + " of " + std::to_string(target.quorum) +
                             " " + target.process + " run");
}

void Watcher::RunScript() {
  const std::string refused =
      script_->Start([this](int status) { Found(JudgeExit(status, false)); });
  if (!refused.empty()) {
    const auto& argv = std::get<ScriptTracker>(tracker_.target).argv;
    return Found(CheckAnswer::Failed(argv.front() + ": " + refused));
  }
  timer_.expires_after(tracker_.timeout);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    // Rearmed in the same moment: the script has ended.
    if (error || self->ended_ || self->timer_.expiry() > Clock::now()) return;
    self->script_->Stop();
    self->Found(
        CheckAnswer::Failed("the script did not end in " + DurationText(self->tracker_.timeout)));
  });
}

void Watcher::Found(const CheckAnswer& outcome) {
  const auto self = shared_from_this();
  if (!outcome.ok()) reason_ = outcome.reason;
  const auto verdict = check_.ProbeEnded({.ok = outcome.ok(), .reason = outcome.reason});
  LookAt(std::max(check_.next_probe(), Clock::now()));
  if (verdict) on_news_(tracker_.name);
}

class Engine final : public TrackerEngine {
 public:
  Engine(boost::asio::io_context& loop, OnChange on_change)
      : loop_(loop), on_change_(std::move(on_change)) {}
  ~Engine() override {
    for (auto& [name, entry] : entries_) End(entry);
  }

  void Configure(const std::vector<Tracker>& trackers) override;
  void SetInterface(const std::string& interface, bool up) override {
    Told(interfaces_, interface, up, [&](const Tracker& tracker) {
      const auto* target = std::get_if<InterfaceTracker>(&tracker.target);
      return target != nullptr && target->interface == interface;
    });
  }
  void SetService(const ServiceKey& service, bool has_quorum) override {
    Told(services_, service, has_quorum, [&](const Tracker& tracker) {
      const auto* target = std::get_if<ServiceTracker>(&tracker.target);
      return target != nullptr && target->service == service;
    });
  }
  [[nodiscard]] std::vector<TrackerStatus> Statuses() const override {
    std::vector<TrackerStatus> statuses;
    for (const auto& [name, entry] : entries_) statuses.push_back(StatusOf(entry));
    return statuses;
  }
  [[nodiscard]] std::string Freeze() const override;
  void Thaw(const std::string& remembered) override;

 private:
  struct Entry {
    Tracker tracker;
    std::shared_ptr<Watcher> watcher;  // null for what we are told
  };

  template <typename Key, typename Concerns>
  void Told(std::map<Key, bool>& known, const Key& key, bool up, const Concerns& concerns) {
    const auto before = known.find(key);
    if (before != known.end() && before->second == up) return;
    known[key] = up;
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
      if (concerns(entry.tracker)) names.push_back(name);
    }
    for (const std::string& name : names) News(name);
  }
  [[nodiscard]] TrackerStatus StatusOf(const Entry& entry) const;
  // The watcher may be the one that speaks: its script must not go while it tells its end.
  void End(Entry& entry) {
    if (!entry.watcher) return;
    entry.watcher->End();
    entry.watcher.reset();
  }
  void News(const std::string& name) {
    const auto found = entries_.find(name);
    if (found != entries_.end() && on_change_) on_change_(StatusOf(found->second));
  }

  boost::asio::io_context& loop_;
  OnChange on_change_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, bool> interfaces_;
  std::map<ServiceKey, bool> services_;
  TrackerMemory thawed_;
};

// A remembered name belongs to interfaces and services, which are told anew but later.
std::string InterfaceName(const std::string& interface) { return "interface " + interface; }
std::string ServiceName(const ServiceKey& service) { return "service " + ToString(service); }

void Engine::Configure(const std::vector<Tracker>& trackers) {
  auto before = std::exchange(entries_, {});
  std::vector<std::string> told;
  for (const Tracker& tracker : trackers) {
    const auto known = before.find(tracker.name);
    if (known != before.end() && known->second.tracker == tracker) {
      entries_[tracker.name] = std::move(known->second);
      before.erase(known);
      continue;
    }
    Entry& entry = entries_[tracker.name];
    entry.tracker = tracker;
    if (const auto* target = std::get_if<InterfaceTracker>(&tracker.target)) {
      const auto memory = thawed_.find(InterfaceName(target->interface));
      if (memory != thawed_.end()) interfaces_.emplace(target->interface, memory->second.up);
      told.push_back(tracker.name);
    } else if (const auto* service = std::get_if<ServiceTracker>(&tracker.target)) {
      const auto memory = thawed_.find(ServiceName(service->service));
      if (memory != thawed_.end()) services_.emplace(service->service, memory->second.up);
      told.push_back(tracker.name);
    } else {
      entry.watcher = std::make_shared<Watcher>(loop_, tracker,
                                                [this](const std::string& name) { News(name); });
      const auto memory = thawed_.find(NameOf(tracker));
      if (memory != thawed_.end()) entry.watcher->Recall(memory->second);
      entry.watcher->Begin();
    }
  }
  for (auto& [name, entry] : before) End(entry);
  thawed_.clear();
  for (const std::string& name : told) {
    if (StatusOf(entries_.at(name)).decided) News(name);
  }
}

TrackerStatus Engine::StatusOf(const Entry& entry) const {
  if (entry.watcher) return entry.watcher->status();
  TrackerStatus status{.name = entry.tracker.name};
  const auto take = [&](const auto& known, const auto& key, const std::string& reason) {
    const auto found = known.find(key);
    status.decided = found != known.end();
    status.up = status.decided && found->second;
    if (status.decided && !status.up) status.reason = reason;
  };
  if (const auto* target = std::get_if<InterfaceTracker>(&entry.tracker.target)) {
    take(interfaces_, target->interface, target->interface + " is down or has no carrier");
  } else if (const auto* service = std::get_if<ServiceTracker>(&entry.tracker.target)) {
    take(services_, service->service, ToString(service->service) + " has lost its quorum");
  }
  return status;
}

std::string Engine::Freeze() const {
  TrackerMemory memory;
  for (const auto& [name, entry] : entries_) {
    if (entry.watcher) memory[NameOf(entry.tracker)] = entry.watcher->Remember();
  }
  for (const auto& [interface, up] : interfaces_) memory[InterfaceName(interface)].up = up;
  for (const auto& [service, up] : services_) memory[ServiceName(service)].up = up;
  return EncodeTrackerMemory(memory);
}

void Engine::Thaw(const std::string& remembered) { thawed_ = DecodeTrackerMemory(remembered); }

}  // namespace

std::unique_ptr<TrackerEngine> TrackerEngine::Create(boost::asio::io_context& loop,
                                                     OnChange on_change) {
  return std::make_unique<Engine>(loop, std::move(on_change));
}

}  // namespace drover
