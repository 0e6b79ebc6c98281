#include "node-helper/daemon/daemon_loop.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "node-helper/daemon/control.h"
#include "node-helper/daemon/metrics.h"
#include "node-helper/daemon/notify.h"
#include "node-helper/daemon/socket_server.h"
#include "node-helper/daemon/sync_meter.h"
#include "node-helper/net/ipvs_stats.h"
#include "node-helper/net/link_monitor.h"
#include "node-helper/store/files.h"
#include "protocol/version.h"

namespace drover {
namespace {

using boost::asio::posix::descriptor_base;
using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLookInterval{500};
constexpr milliseconds kLongestInterval{10000};
constexpr int kLookShare = 10;             // a look may take a tenth of the time
constexpr milliseconds kNewsDelay{20};     // news of links come in bunches
constexpr milliseconds kNewsPause{100};    // not more often
constexpr milliseconds kUpgradeDelay{20};  // the answer goes out first
constexpr milliseconds kSyncInterval{1000};
constexpr milliseconds kRunsInterval{500};
constexpr std::chrono::minutes kLagWindow{1};
constexpr std::size_t kMaxHttpHead = 8192;
constexpr milliseconds kHttpSilence{10000};

// A descriptor of somebody else's that is waited for, again and again.
class Watch {
 public:
  Watch(boost::asio::io_context& loop, int fd, std::function<void()> readable)
      : descriptor_(loop, fd), readable_(std::move(readable)) {
    Wait();
  }
  ~Watch() { descriptor_.release(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void Wait() {
    // It may have become readable before this goes, and be told of it afterwards.
    descriptor_.async_wait(descriptor_base::wait_read,
                           [this, alive = std::weak_ptr(alive_)](const error_code& error) {
                             if (error || alive.expired()) return;
                             readable_();
                             if (!alive.expired()) Wait();
                           });
  }

  stream_descriptor descriptor_;
  std::function<void()> readable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class Loop {
 public:
  Loop(const DaemonParts& parts, StopSignals& signals, const DaemonLog& log, const LoopStart& start)
      : parts_(parts),
        signals_(signals),
        start_(start),
        events_(EventFile{parts.root + "/var/log/drover/events.jsonl"}, log),
        core_(CoreOf(), Clock::now()),
        look_timer_(loop_),
        news_timer_(loop_),
        upgrade_timer_(loop_),
        watchdog_timer_(loop_),
        sync_timer_(loop_),
        runs_timer_(loop_),
        pass_on_timer_(loop_) {}

  Status Run() {
    if (const Status opened = Open(); !opened) return opened;
    const auto& inheritance = start_.inheritance;
    if (!inheritance && parts_.hold_back_overdue_run) {
      if (const Status held = parts_.hold_back_overdue_run(); !held) {
        events_.Add("run", "", held.error().message, true);
      }
    }
    core_.Begin(inheritance ? std::optional(inheritance->core) : std::nullopt, Clock::now());
    events_.Add("daemon", "",
                std::string("node-helper ") + kVersion +
                    (inheritance ? " goes on after an upgrade in place" : " runs"));
    NotifyInit("READY=1");
    start_.ready();
    PlanLook(kLookInterval);
    FeedWatchdog();
    AskSyncMeter();
    LookAfterRuns();
    loop_.run();
    events_.Flush();
    return {};
  }

 private:
  CoreParts CoreOf() {
    CoreParts core;
    core.store = parts_.store;
    core.events = &events_;
    core.open_kernel = parts_.open_kernel;
    core.start_speaker = [](const std::string& remembered) { return Speaker::Start(remembered); };
    core.link_is_up = [this](const std::string& interface) {
      return links_ && links_->IsUp(interface);
    };
    core.listen_to_speaker = [this](int fd) {
      speaker_watch_.reset();
      speaker_watch_ =
          std::make_unique<Watch>(loop_, fd, [this] { core_.SpeakerSpoke(Clock::now()); });
    };
    core.serve_metrics = [this](const std::vector<MetricsListen>& at) { return ServeMetrics(at); };
    core.measure_sync = [this](const std::vector<SyncDaemon>& daemons) {
      sync_meter_.Configure(daemons);
    };
    core.soon = [this] { ApplySoon(); };
    core.pass_on = PassOn;
    core.pass_on_again = [this](Clock::time_point at) {
      pass_on_timer_.expires_at(at);
      pass_on_timer_.async_wait([this](const error_code& error) {
        if (!error) core_.PassOnWhatIsDue(Clock::now());
      });
    };
    core.read_counters = ReadIpvsCounters;
    core.run_holder = parts_.run_holder;
    core.has_run = parts_.has_run;
    core.end_engines = [this] {
      checks_.reset();
      trackers_.reset();
    };
    return core;
  }

  Status Open() {
    auto links = LinkMonitor::Open();
    if (!links) return Fail(links.error());
    links_ = std::move(*links);
    links_watch_ = std::make_unique<Watch>(loop_, links_->fd(), [this] { TakeNews(); });
    signal_watch_ = std::make_unique<Watch>(loop_, signals_.fd(), [this] { TakeSignals(); });
    MakeEngines();
    return OpenControl();
  }

  void MakeEngines() {
    checks_ = CheckEngine::Create(
        loop_, [this](const VerdictChanged& verdict) { core_.VerdictIsIn(verdict); },
        [this](const std::vector<VirtualService>& all) { core_.PrivateServicesAre(all); });
    trackers_ = TrackerEngine::Create(
        loop_, [this](const TrackerStatus& status) { core_.TrackerIsIn(status); });
    core_.SetEngines(checks_.get(), trackers_.get());
  }

  Status OpenControl() {
    Descriptor listening;
    if (start_.inheritance && start_.inheritance->control_fd >= 0) {
      listening.Reset(start_.inheritance->control_fd);
    } else {
      auto opened = ListenUnix(ControlSocket(parts_.root), 0600);
      if (!opened) return Fail(opened.error());
      listening = std::move(*opened);
    }
    ServerRules rules;
    rules.max_request = kMaxControlLine;
    control_ = SocketServer::Serve(
        loop_, std::move(listening), rules,
        [this](std::string& received) -> std::optional<ServerAnswer> {
          const std::size_t newline = received.find('\n');
          if (newline == std::string::npos) return std::nullopt;
          const std::string line = received.substr(0, newline);
          received.erase(0, newline + 1);
          return ServerAnswer{AnswerControl(line, core_, Clock::now(), [this] { UpgradeSoon(); }) +
                              "\n"};
        });
    return {};
  }

  // --- looks at the kernel

  void PlanLook(milliseconds in) {
    look_due_ = Clock::now() + in;
    look_timer_.expires_at(look_due_);
    look_timer_.async_wait([this](const error_code& error) {
      if (!error) Look();
    });
  }
  void Look() {
    const auto began = Clock::now();
    NoteLag(began - look_due_);
    core_.Look(began);
    last_look_ = Clock::now();
    look_cost_ = last_look_ - began;
    const auto cost = std::chrono::duration_cast<milliseconds>(look_cost_);
    PlanLook(std::clamp(cost * kLookShare, kLookInterval, kLongestInterval));
  }
  void TakeNews() {
    const LinkNews news = links_->Read();
    for (const std::string& interface : news.links) core_.LinkChanged(interface);
    if (news.link_came || news.missed) core_.StartAfresh();
    if (news.empty() || std::exchange(news_planned_, true)) return;
    news_timer_.expires_at(std::max(Clock::now() + kNewsDelay, last_look_ + kNewsPause));
    news_timer_.async_wait([this](const error_code& error) {
      news_planned_ = false;
      if (error) return;
      look_due_ = Clock::now();
      Look();
    });
  }
  void ApplySoon() {
    if (std::exchange(apply_planned_, true)) return;
    boost::asio::post(loop_, [this] {
      apply_planned_ = false;
      core_.ApplyHealth(Clock::now());
    });
  }
  void NoteLag(Clock::duration lag) {
    const auto now = Clock::now();
    if (lag >= worst_lag_ || now - worst_lag_at_ > kLagWindow) {
      worst_lag_ = std::max(lag, Clock::duration{0});
      worst_lag_at_ = now;
    }
  }

  // --- signals, end and upgrade

  void TakeSignals() {
    while (const auto signal = signals_.Next()) {
      if (*signal == SIGHUP) {
        core_.StartAfresh();
        [[maybe_unused]] const Status read = core_.Reload(Clock::now());
        core_.Look(Clock::now());
        continue;
      }
      NotifyInit("STOPPING=1");
      events_.Add("daemon", "", "ends, as asked");
      core_.Stop();
      ::unlink(ControlSocket(parts_.root).c_str());
      loop_.stop();
      return;
    }
  }
  void UpgradeSoon() {
    upgrade_timer_.expires_after(kUpgradeDelay);
    upgrade_timer_.async_wait([this](const error_code& error) {
      if (!error) Upgrade();
    });
  }
  void Upgrade() {
    if (::access(parts_.program.c_str(), X_OK) != 0) {
      events_.Add("daemon", "", ErrnoError(errno, "upgrade: " + parts_.program).message, true);
      return;
    }
    events_.Add("daemon", "", "runs " + parts_.program + " anew");
    events_.Flush();
    Inheritance inheritance;
    inheritance.core = core_.Freeze(Clock::now());
    inheritance.lock_fd = start_.lock_fd;
    inheritance.control_fd = control_->listening_fd();
    inheritance.detached = start_.detached;
    const Error error = RunAnew(parts_.program, inheritance);
    MakeEngines();
    core_.Unfreeze(inheritance.core, Clock::now());
    events_.Add("daemon", "", "the upgrade failed, this version goes on: " + error.message, true);
  }
  void FeedWatchdog() {
    const milliseconds interval = WatchdogInterval();
    if (interval.count() == 0) return;
    NotifyInit("WATCHDOG=1");
    watchdog_timer_.expires_after(interval);
    watchdog_timer_.async_wait([this](const error_code& error) {
      if (!error) FeedWatchdog();
    });
  }

  void AskSyncMeter() {
    core_.SyncIs(sync_meter_.Status(), sync_meter_.Converged(), Clock::now());
    sync_timer_.expires_after(kSyncInterval);
    sync_timer_.async_wait([this](const error_code& error) {
      if (!error) AskSyncMeter();
    });
  }

  void LookAfterRuns() {
    if (!parts_.look_after_runs) return;
    if (const std::string news = parts_.look_after_runs(); !news.empty()) {
      events_.Add("run", "", news);
    }
    core_.EndHoldsOfRuns();
    runs_timer_.expires_after(kRunsInterval);
    runs_timer_.async_wait([this](const error_code& error) {
      if (!error) LookAfterRuns();
    });
  }

  // --- metrics

  Status ServeMetrics(const std::vector<MetricsListen>& wanted) {
    if (wanted == metrics_at_ && (metrics_ || wanted.empty())) return {};
    metrics_.reset();
    metrics_at_ = wanted;
    if (wanted.empty()) return {};
    const std::string& at = wanted.front().at;
    const bool is_file = at.starts_with("/");
    auto listening = is_file ? ListenUnix(at, 0660) : Result<Descriptor>(Descriptor());
    if (!is_file) {
      const auto endpoint = Endpoint::Parse(at);
      if (!endpoint) return Fail(endpoint.error().In("metrics"));
      listening = ListenTcp(*endpoint);
    }
    if (!listening) return Fail(listening.error().In("metrics"));
    ServerRules rules;
    rules.root_only = false;
    rules.max_clients = 16;
    rules.max_request = kMaxHttpHead;
    rules.max_silence = kHttpSilence;
    metrics_ = SocketServer::Serve(loop_, std::move(*listening), rules,
                                   [this](std::string& received) { return Scrape(received); });
    return {};
  }
  std::optional<ServerAnswer> Scrape(std::string& received) {
    switch (TakeHttpRequest(received)) {
      case MetricsRequest::kIncomplete:
        return std::nullopt;
      case MetricsRequest::kMetrics:
        return ServerAnswer{HttpResponse(200, "text/plain; version=0.0.4; charset=utf-8",
                                         MetricsText(core_.StatusNow(Clock::now()), Numbers())),
                            true};
      case MetricsRequest::kOther:
        return ServerAnswer{HttpResponse(404, "text/plain", "only /metrics is here\n"), true};
      case MetricsRequest::kBad:
        return ServerAnswer{HttpResponse(400, "text/plain", "GET /metrics\n"), true};
    }
    return std::nullopt;
  }
  ProcessNumbers Numbers() {
    ProcessNumbers numbers;
    if (const auto line = ReadWholeFile("/proc/self/stat")) {
      if (const auto parsed =
              ParseProcStat(*line, ::sysconf(_SC_CLK_TCK), ::sysconf(_SC_PAGESIZE))) {
        numbers.cpu_seconds = parsed->cpu_seconds;
        numbers.resident_bytes = parsed->resident_bytes;
      }
    }
    numbers.loop_lag_seconds = std::chrono::duration<double>(worst_lag_).count();
    numbers.look_seconds = std::chrono::duration<double>(look_cost_).count();
    numbers.events_lost = events_.lost();
    numbers.probes = checks_->Counters();
    return numbers;
  }

  const DaemonParts& parts_;
  StopSignals& signals_;
  const LoopStart& start_;
  boost::asio::io_context loop_{1};
  SyncMeter sync_meter_{loop_};
  EventLog events_;
  std::unique_ptr<LinkMonitor> links_;
  std::unique_ptr<CheckEngine> checks_;
  std::unique_ptr<TrackerEngine> trackers_;
  std::unique_ptr<Watch> speaker_watch_;
  DaemonCore core_;
  std::unique_ptr<SocketServer> control_;
  std::unique_ptr<SocketServer> metrics_;
  std::vector<MetricsListen> metrics_at_;
  std::unique_ptr<Watch> links_watch_;
  std::unique_ptr<Watch> signal_watch_;
  boost::asio::steady_timer look_timer_;
  boost::asio::steady_timer news_timer_;
  boost::asio::steady_timer upgrade_timer_;
  boost::asio::steady_timer watchdog_timer_;
  boost::asio::steady_timer sync_timer_;
  boost::asio::steady_timer runs_timer_;
  boost::asio::steady_timer pass_on_timer_;
  Clock::time_point look_due_{};
  Clock::time_point last_look_{};
  Clock::duration look_cost_{};
  Clock::duration worst_lag_{};
  Clock::time_point worst_lag_at_{};
  bool news_planned_ = false;
  bool apply_planned_ = false;
};

}  // namespace

Status RunDaemonLoop(const DaemonParts& parts, StopSignals& signals, const DaemonLog& log,
                     const LoopStart& start) {
  return Loop(parts, signals, log, start).Run();
}

}  // namespace drover
