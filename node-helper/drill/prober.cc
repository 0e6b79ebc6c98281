#include "node-helper/drill/prober.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/probe_packet.h"
#include "node-helper/drill/series_driver.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kEventsAtOnce = 512;
constexpr ProbeTime kWarmUp = std::chrono::seconds(5);
constexpr ProbeTime kLeadIn = std::chrono::milliseconds(20);
constexpr std::size_t kChunkBytes = 1 << 20;
// Numbers of drivers are below kMaxProbeSeries; these are for the loop's own descriptors.
constexpr std::uint8_t kTimer = 0xff;
constexpr std::uint8_t kStop = 0xfe;
constexpr std::uint8_t kMarkerSocket = 0xfd;

Error Offence(std::string what) { return {ErrorCode::kInvalid, "prober: " + std::move(what)}; }

Status ValidateSeries(const ProbeRunSeries& series) {
  const std::string name = "series " + series.name + ": ";
  if (series.target.port == 0) return Fail(Offence(name + "the target has no port"));
  if (series.source && series.source->family() != series.target.address.family()) {
    return Fail(Offence(name + "source and target are of different families"));
  }
  if (series.connections == 0 || series.connections > kMaxPopulation) {
    return Fail(Offence(name + "connections must be 1 to " + std::to_string(kMaxPopulation)));
  }
  if (series.give_up < ProbeTime(0) || series.give_up > kMaxProbeTime) {
    return Fail(Offence(name + "giving up must come within 24 hours"));
  }
  const bool asks = series.kind == ProbeKind::kLongLived || !series.path.empty();
  const bool bad_path = series.path.find_first_of(" \r\n") != std::string::npos ||
                        (asks && !series.path.starts_with('/'));
  if (series.kind != ProbeKind::kPath && bad_path) {
    return Fail(Offence(name + "the path must start with / and have no blanks"));
  }
  return {};
}

std::vector<ProbeSeries> LogSeries(const ProberSettings& settings) {
  std::vector<ProbeSeries> all;
  for (const ProbeRunSeries& series : settings.series) {
    all.push_back({.kind = series.kind,
                   .name = series.name,
                   .target = series.target.ToString(),
                   .source = series.source ? series.source->ToString() : "",
                   .period = series.period,
                   .deadline = series.deadline});
  }
  return all;
}

// Every connection of an outage holds a descriptor until it is given up.
void AllowManyDescriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::unique_ptr<SeriesDriver> MakeDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                         ProberContext& context) {
  switch (settings.kind) {
    case ProbeKind::kPath:
      return settings.path.empty() ? MakeSynDriver(number, settings, context)
                                   : MakePathDriver(number, settings, context);
    case ProbeKind::kConnect:
    case ProbeKind::kConnectDefaults:
      return MakeConnectDriver(number, settings, context);
    case ProbeKind::kLongLived:
      return MakePopulationDriver(number, settings, context);
  }
  return nullptr;
}

// Real-time priority for the calling thread as long as this lives. Round robin, so that a prober
// that is asked for too much shares with others of its kind; the kernel leaves the rest of the host
// its five percent.
class RealTimeScope {
 public:
  explicit RealTimeScope(int priority) {
    if (priority <= 0 || ::sched_getparam(0, &before_) != 0) return;
    policy_ = ::sched_getscheduler(0);
    const sched_param param{.sched_priority = priority};
    raised_ = ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0;
  }
  ~RealTimeScope() {
    if (raised_) (void)::sched_setscheduler(0, policy_, &before_);
  }
  RealTimeScope(const RealTimeScope&) = delete;
  RealTimeScope& operator=(const RealTimeScope&) = delete;

 private:
  sched_param before_{};
  int policy_ = SCHED_OTHER;
  bool raised_ = false;
};

class ProberLoop {
 public:
  ProberLoop(const ProberSettings& settings, std::uint64_t run)
      : settings_(settings),
        context_{.run = run,
                 .start = Clock::now(),
                 .ports = PortRing(settings.first_port, settings.last_port, run),
                 .syn_ports = PortRing(settings.first_syn_port, settings.last_syn_port, run)} {}

  Status Open(const StopEvent& stop);
  Result<ProberRun> Run();

 private:
  // One series with the time of its next probe.
  struct Paced {
    std::unique_ptr<SeriesDriver> driver;
    ProbeTime offset{0};
    std::uint64_t sent = 0;

    [[nodiscard]] ProbeTime Next() const {
      return offset + driver->settings().period * static_cast<std::int64_t>(sent);
    }
  };

  Status WatchOwn(int fd, std::uint8_t number);
  Status OpenMarkers();
  void WarmUp();
  void Begin();
  void SendDue();
  void Expire(ProbeTime now);
  void Report(ProbeTime now);
  void Wait(ProbeTime until);
  void ReadMarkers();
  [[nodiscard]] ProbeTime NextTime() const;
  [[nodiscard]] bool Done() const;
  void SaveChunk(std::size_t at_least);
  ProberRun Finish();

  const ProberSettings& settings_;
  ProberContext context_;
  Descriptor epoll_;
  Descriptor timer_;
  Descriptor markers_;
  int stop_fd_ = -1;
  std::vector<Paced> paced_;
  ProbeLogHeader header_;
  std::optional<ProbeLogWriter> log_;
  std::vector<std::vector<std::uint8_t>> chunks_;
  ProbeTime end_{0};
  ProbeTime next_report_ = kProgressEvery;
  bool begun_ = false;
  bool stopped_ = false;
};

Status ProberLoop::Open(const StopEvent& stop) {
  AllowManyDescriptors();
  stop_fd_ = stop.fd();
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  timer_.Reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll_.valid() || !timer_.valid()) return Fail(ErrnoError(errno, "prober"));
  context_.epoll = epoll_.get();
  if (const Status watched = WatchOwn(timer_.get(), kTimer); !watched) return watched;
  if (const Status watched = WatchOwn(stop.fd(), kStop); !watched) return watched;
  if (const Status opened = OpenMarkers(); !opened) return opened;
  for (std::size_t i = 0; i < settings_.series.size(); ++i) {
    const ProbeRunSeries& series = settings_.series[i];
    Paced paced{.driver = MakeDriver(static_cast<std::uint8_t>(i), series, context_)};
    // Spread over a period, so that they do not wait for each other.
    paced.offset = series.period * static_cast<std::int64_t>(i) /
                   static_cast<std::int64_t>(settings_.series.size());
    if (const Status opened = paced.driver->Open(); !opened) return opened;
    paced_.push_back(std::move(paced));
  }
  return {};
}

Status ProberLoop::WatchOwn(int fd, std::uint8_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = EventKey{.driver = number}.Pack();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return Fail(ErrnoError(errno, "epoll"));
}

Status ProberLoop::OpenMarkers() {
  if (!settings_.markers) return {};
  const Endpoint& at = *settings_.markers;
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  markers_.Reset(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const ProbeAddress address = ProbeAddressOf(at.address, at.port);
  if (!markers_.valid() || ::bind(markers_.get(), address.get(), address.length) != 0) {
    return Fail(ErrnoError(errno, "markers on " + at.ToString()));
  }
  return WatchOwn(markers_.get(), kMarkerSocket);
}

Result<ProberRun> ProberLoop::Run() {
  WarmUp();
  Begin();
  while (!Done()) {
    SendDue();
    const ProbeTime now = context_.Now();
    Expire(now);
    if (now >= next_report_) Report(now);
    Wait(NextTime());
  }
  Report(context_.Now());
  return Finish();
}

// Populations are there when the run begins; who cannot connect by then tries again when asked.
void ProberLoop::WarmUp() {
  const auto warm = [this] {
    bool all = true;
    for (Paced& paced : paced_) all = paced.driver->Warm() && all;
    return all;
  };
  while (!warm() && !stopped_ && context_.Now() < kWarmUp) Wait(context_.Now() + kLeadIn);
}

void ProberLoop::Begin() {
  // The first probe is planned a little ahead, so that nothing of this makes it late.
  context_.start = Clock::now() + kLeadIn;
  const auto wall = std::chrono::system_clock::now() + kLeadIn;
  const auto us = [](auto span) {
    return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  };
  const std::vector<ProbeSeries> series = LogSeries(settings_);
  header_ = {.prober = settings_.name,
             .started_wall_us = us(wall.time_since_epoch()),
             .started_monotonic_us = us(context_.start.time_since_epoch()),
             .series = series};
  log_.emplace(header_);
  for (std::size_t i = 0; i < paced_.size(); ++i) paced_[i].driver->Begin(series[i], *log_);
  end_ = stopped_ ? ProbeTime(0) : settings_.duration;
  begun_ = true;
}

// Everything that is due, in the order of planning. What is later than its own deadline is not
// sent any more: it would say nothing.
void ProberLoop::SendDue() {
  while (true) {
    const auto first =
        std::min_element(paced_.begin(), paced_.end(),
                         [](const Paced& a, const Paced& b) { return a.Next() < b.Next(); });
    const ProbeTime planned = first->Next();
    const ProbeTime now = context_.Now();
    if (planned > now || planned >= end_) return;
    ++first->sent;
    if (now - planned > first->driver->settings().deadline) {
      first->driver->book().Unsent(planned);
    } else {
      first->driver->Send(planned);
    }
  }
}

void ProberLoop::Expire(ProbeTime now) {
  for (Paced& paced : paced_) paced.driver->Expire(now);
  SaveChunk(kChunkBytes);
}

void ProberLoop::Report(ProbeTime now) {
  next_report_ = now + kProgressEvery;
  if (!settings_.progress) return;
  ProbeProgress progress{.at = now};
  for (Paced& paced : paced_) progress.fates.push_back(paced.driver->book().TakeTally());
  settings_.progress(progress);
}

ProbeTime ProberLoop::NextTime() const {
  ProbeTime next = next_report_;
  for (const Paced& paced : paced_) {
    if (paced.Next() < end_) next = std::min(next, paced.Next());
    next = std::min(next, paced.driver->book().NextExpiry());
  }
  return next;
}

bool ProberLoop::Done() const {
  return std::all_of(paced_.begin(), paced_.end(), [this](const Paced& paced) {
    return paced.Next() >= end_ && paced.driver->book().pending() == 0;
  });
}

void ProberLoop::Wait(ProbeTime until) {
  const auto at = (context_.start + until).time_since_epoch();
  const auto ns =
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::nanoseconds>(at).count());
  itimerspec when{};
  when.it_value.tv_sec = ns / 1'000'000'000;
  when.it_value.tv_nsec = ns % 1'000'000'000;
  (void)::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, -1);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const EventKey key = EventKey::Unpack(event.data.u64);
    if (key.driver < paced_.size()) {
      paced_[key.driver].driver->Handle(key, event.events);
    } else if (key.driver == kMarkerSocket) {
      ReadMarkers();
    } else if (key.driver == kStop && !stopped_) {
      stopped_ = true;
      end_ = std::min(end_, context_.Now());
      // It stays readable, and has said what it had to.
      (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stop_fd_, nullptr);
    }
  }
}

void ProberLoop::ReadMarkers() {
  std::array<std::uint8_t, kMaxProbePacketBytes> bytes;
  while (true) {
    const ssize_t size = ::recv(markers_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0) return;
    const ProbeTime now = context_.Now();
    const auto marker = DecodeProbeMarker(std::span(bytes).first(static_cast<std::size_t>(size)));
    if (marker && begun_ && now >= ProbeTime(0)) log_->Add(ProbeMarker{now, marker->text});
  }
}

// One growing block would be copied again and again, and sending would wait for it.
void ProberLoop::SaveChunk(std::size_t at_least) {
  if (log_->bytes().size() >= at_least) chunks_.push_back(log_->TakeBytes());
}

ProberRun ProberLoop::Finish() {
  ProberRun run;
  run.header = header_;
  log_->Finish();
  SaveChunk(1);
  for (const auto& chunk : chunks_) run.log.insert(run.log.end(), chunk.begin(), chunk.end());
  for (Paced& paced : paced_) {
    const LagHistogram& lag = paced.driver->book().lag();
    const ProbeRunSeries& series = paced.driver->settings();
    SeriesLag summary{.series = series.name,
                      .planned = lag.count(),
                      .unsent = lag.unsent(),
                      .p50 = lag.Quantile(0.5),
                      .p99 = lag.Quantile(0.99),
                      .max = lag.max()};
    if (summary.p99 > series.period / kVoidLagDivisor && run.void_reason.empty()) {
      run.void_reason = "series " + series.name + ": " +
                        (summary.p99 == ProbeTime::max()
                             ? std::to_string(summary.unsent) + " of " +
                                   std::to_string(summary.planned) + " probes were not sent"
                             : "probes were sent " + std::to_string(summary.p99.count()) +
                                   " us late at the 99th percentile, more than half the period");
    }
    run.lag.push_back(std::move(summary));
  }
  return run;
}

}  // namespace

Status ValidateProber(const ProberSettings& settings) {
  const ProbeLogHeader header{.prober = settings.name, .series = LogSeries(settings)};
  if (const Status fine = ValidateProbeLogHeader(header); !fine) return fine;
  if (settings.series.empty()) return Fail(Offence("there is nothing to probe"));
  if (settings.duration <= ProbeTime(0) || settings.duration > std::chrono::hours(12)) {
    return Fail(Offence("the duration must be up to 12 hours"));
  }
  if (settings.real_time_priority < 0 || settings.real_time_priority > 99) {
    return Fail(Offence("the real-time priority must be 0 to 99"));
  }
  if (settings.first_port < 1024 || settings.first_port > settings.last_port ||
      settings.first_syn_port < 1024 || settings.first_syn_port > settings.last_syn_port) {
    return Fail(Offence("source ports must be a range above 1023"));
  }
  std::uint64_t planned = 0;
  for (const ProbeRunSeries& series : settings.series) {
    if (const Status fine = ValidateSeries(series); !fine) return fine;
    planned += static_cast<std::uint64_t>(settings.duration / series.period) + 1;
  }
  if (planned > kMaxPlannedProbes) {
    return Fail(Offence(std::to_string(planned) + " probes are planned, more than " +
                        std::to_string(kMaxPlannedProbes) + "; probe slower or shorter"));
  }
  return {};
}

Result<ProberRun> RunProber(const ProberSettings& settings, const StopEvent& stop) {
  if (const Status fine = ValidateProber(settings); !fine) return Fail(fine.error());
  std::random_device random;
  const std::uint64_t run = std::uint64_t{random()} << 32 | random();
  ProberLoop loop(settings, run);
  if (const Status opened = loop.Open(stop); !opened) return Fail(opened.error());
  const RealTimeScope real_time(settings.real_time_priority);
  return loop.Run();
}

}  // namespace drover
