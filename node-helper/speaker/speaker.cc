#include "node-helper/speaker/speaker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <thread>

#include "node-helper/speaker/linux_surroundings.h"
#include "node-helper/speaker/mailbox.h"
#include "node-helper/speaker/station.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using vrrp::Time;

constexpr int kPriority = 20;
// A real-time thread that runs so long without sleeping has gone mad: the kernel ends the process
// (SIGXCPU), and with it the leases, before it stops the node.
constexpr std::chrono::seconds kMadAfter{2};
// So many packets of one socket in one turn; then the timers have their turn, whatever the flood.
constexpr int kPacketsPerTurn = 64;
// A flood may keep us busy; other threads still get the processor now and then.
constexpr milliseconds kBusyAtMost{50};
constexpr timespec kBreath = {0, 200'000};
constexpr std::chrono::seconds kStopAtMost{10};
constexpr std::chrono::seconds kRetryEars{1};

Time Now() { return std::chrono::steady_clock::now(); }

// How much further the clock that runs through a suspend is.
nanoseconds SuspendedSoFar() {
  const auto read = [](clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
  };
  return read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC);
}

class LinuxSpeaker : public Speaker {
 public:
  explicit LinuxSpeaker(std::unique_ptr<LinuxSurroundings> around)
      : around_(std::move(around)), station_(*around_) {}
  ~LinuxSpeaker() override;

  drover::Status Open();
  void Begin(const std::string& remembered);

  drover::Status Configure(const std::vector<VrrpInstance>& instances,
                           const std::vector<VrrpGroup>& groups) override;
  void SettleForms(const std::vector<std::string>& unsettled) override;
  void Track(const std::string& instance, const TrackedState& state) override;
  void AllowPreempt(const std::string& instance, bool allowed) override;
  drover::Status Yield(const std::string& instance) override;
  void Return(const std::string& instance) override;
  [[nodiscard]] std::vector<InstanceStatus> Snapshot() override;
  [[nodiscard]] int event_fd() const override { return mailbox_.event_fd(); }
  std::vector<SpeakerEvent> TakeEvents() override { return mailbox_.TakeEvents(); }
  std::string Freeze() override;
  void Stop(SpeakerStop how) override;

 private:
  void Run();
  void BecomeRealTime();
  void Turn();
  void Arm();
  nanoseconds Lateness(Time now);
  void Await(int fd);
  void Refit();
  void ReadNews(Time now);
  void ReadEars(Time now);
  void ReadClaims(Time now);
  void Breathe(bool slept);
  void Problem(const std::string& text);
  void Join();

  std::unique_ptr<LinuxSurroundings> around_;
  Station station_;
  Mailbox mailbox_;
  int epoll_ = -1;
  int timer_ = -1;
  std::thread thread_;

  // The speaker's thread only.
  bool ended_ = false;
  std::optional<Time> stop_at_;
  std::optional<Time> planned_;
  nanoseconds suspended_{};
  std::vector<EarWish> ears_;
  std::vector<IpAddress> watched_;
  std::optional<Time> busy_since_;
  std::optional<Time> retry_ears_at_;
  std::vector<SpeakerEvent> problems_;
};

LinuxSpeaker::~LinuxSpeaker() {
  if (thread_.joinable()) Stop(SpeakerStop::kAtOnce);
  if (epoll_ >= 0) ::close(epoll_);
  if (timer_ >= 0) ::close(timer_);
}

drover::Status LinuxSpeaker::Open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (epoll_ < 0 || timer_ < 0) return Fail(ErrnoError(errno, "VRRP"));
  for (const int fd : {timer_, mailbox_.call_fd(), around_->news_fd()}) Await(fd);
  return {};
}

void LinuxSpeaker::Begin(const std::string& remembered) {
  if (!remembered.empty()) {
    around_->BeginTurn();
    // Its problem is the next process's to know, not to die of.
    if (const drover::Status resumed = station_.Resume(remembered, Now()); !resumed) {
      Problem(resumed.error().message);
    }
  }
  suspended_ = SuspendedSoFar();
  thread_ = std::thread([this] { Run(); });
}

// --- calls from other threads

drover::Status LinuxSpeaker::Configure(const std::vector<VrrpInstance>& instances,
                                       const std::vector<VrrpGroup>& groups) {
  drover::Status status = Fail(ErrorCode::kInternal, "VRRP has stopped");
  (void)mailbox_.Call([&] { status = station_.Configure(instances, groups, Now()); });
  return status;
}

void LinuxSpeaker::SettleForms(const std::vector<std::string>& unsettled) {
  (void)mailbox_.Call([&] { station_.SettleForms(unsettled, Now()); });
}

void LinuxSpeaker::Track(const std::string& instance, const TrackedState& state) {
  (void)mailbox_.Call([&] { station_.Track(instance, state, Now()); });
}

void LinuxSpeaker::AllowPreempt(const std::string& instance, bool allowed) {
  (void)mailbox_.Call([&] { station_.AllowPreempt(instance, allowed, Now()); });
}

drover::Status LinuxSpeaker::Yield(const std::string& instance) {
  drover::Status status = Fail(ErrorCode::kInternal, "VRRP has stopped");
  (void)mailbox_.Call([&] { status = station_.Yield(instance, Now()); });
  return status;
}

void LinuxSpeaker::Return(const std::string& instance) {
  (void)mailbox_.Call([&] { station_.Return(instance, Now()); });
}

std::vector<InstanceStatus> LinuxSpeaker::Snapshot() {
  std::vector<InstanceStatus> snapshot;
  (void)mailbox_.Call([&] { snapshot = station_.Snapshot(Now()); });
  return snapshot;
}

std::string LinuxSpeaker::Freeze() {
  std::string remembered;
  (void)mailbox_.Call([&] {
    remembered = station_.Freeze(Now());
    ended_ = true;
  });
  Join();
  return remembered;
}

void LinuxSpeaker::Stop(SpeakerStop how) {
  (void)mailbox_.Call([&] {
    const Time now = Now();
    station_.Stop(how == SpeakerStop::kHandOver, now);
    stop_at_ = now + kStopAtMost;
  });
  Join();
}

void LinuxSpeaker::Join() {
  if (thread_.joinable()) thread_.join();
}

// --- the speaker's thread

void LinuxSpeaker::Problem(const std::string& text) {
  problems_.push_back({"", Now(), SpeakerProblem{text}});
}

void LinuxSpeaker::BecomeRealTime() {
  pthread_setname_np(pthread_self(), "vrrp");
  // MCL_ONFAULT: what is not used is not loaded.
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    Problem("memory could not be locked (" + std::string(std::strerror(errno)) +
            "): VRRP may be late when the node swaps");
  }
  const rlimit limit = {
      static_cast<rlim_t>(std::chrono::microseconds(kMadAfter).count()),
      static_cast<rlim_t>(std::chrono::microseconds(kMadAfter).count()),
  };
  (void)::setrlimit(RLIMIT_RTTIME, &limit);
  sched_param parameters{};
  parameters.sched_priority = kPriority;
  // Children (scripts) must not inherit it.
  const int refused =
      pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &parameters);
  if (refused == 0) return;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -20);
  Problem("real-time priority was refused (" + std::string(std::strerror(refused)) +
          "): VRRP may be late when the node is busy");
}

void LinuxSpeaker::Run() {
  BecomeRealTime();
  while (!ended_) Turn();
  mailbox_.Close();
  mailbox_.PutEvents(station_.TakeEvents());
}

// When the next thing is due. 0 would disarm.
void LinuxSpeaker::Arm() {
  planned_ = station_.Deadline();
  for (const std::optional<Time>& other : {stop_at_, retry_ears_at_}) {
    if (other && (!planned_ || *other < *planned_)) planned_ = other;
  }
  itimerspec spec{};
  if (planned_) {
    const nanoseconds at = std::max(nanoseconds(1), nanoseconds(planned_->time_since_epoch()));
    spec.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    spec.it_value.tv_nsec = (at % std::chrono::seconds(1)).count();
  }
  (void)::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

nanoseconds LinuxSpeaker::Lateness(Time now) {
  const nanoseconds suspended = SuspendedSoFar();
  const nanoseconds slept = suspended - std::exchange(suspended_, suspended);
  const nanoseconds late = planned_ ? nanoseconds(now - *planned_) : nanoseconds::zero();
  return std::max(nanoseconds::zero(), late) + std::max(nanoseconds::zero(), slept);
}

void LinuxSpeaker::Turn() {
  Refit();
  Arm();
  std::array<epoll_event, 32> ready;
  const int count = ::epoll_wait(epoll_, ready.data(), ready.size(), 0);
  if (count == 0) (void)::epoll_wait(epoll_, ready.data(), ready.size(), -1);
  Breathe(/*slept=*/count == 0);
  around_->BeginTurn();
  const Time now = Now();
  std::uint64_t expired = 0;
  [[maybe_unused]] const ssize_t got = ::read(timer_, &expired, sizeof expired);
  // Before anything else: were we away for too long, we are not what we think we are.
  station_.Overslept(Lateness(now), now);
  ReadNews(now);
  ReadEars(now);
  ReadClaims(now);
  mailbox_.RunCalls();
  station_.Tick(Now());
  if (stop_at_ && Now() >= *stop_at_) station_.Stop(/*hand_over=*/false, Now());
  if (stop_at_ && station_.Idle()) ended_ = true;
  std::vector<SpeakerEvent> events = station_.TakeEvents();
  events.insert(events.end(), problems_.begin(), problems_.end());
  problems_.clear();
  mailbox_.PutEvents(std::move(events));
}

void LinuxSpeaker::Breathe(bool slept) {
  const Time now = Now();
  if (slept || !busy_since_) {
    busy_since_ = now;
  } else if (now - *busy_since_ > kBusyAtMost) {
    ::nanosleep(&kBreath, nullptr);
    busy_since_.reset();
  }
}

void LinuxSpeaker::Await(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  // EEXIST: known already.
  if (fd >= 0) (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

// Sockets follow what the routers want to hear.
void LinuxSpeaker::Refit() {
  const Time now = Now();
  const bool again = retry_ears_at_ && now >= *retry_ears_at_;
  if (!station_.TakeWishesChanged() && !again) return;
  if (std::vector<EarWish> ears = station_.Ears(); ears != ears_ || again) {
    ears_ = std::move(ears);
    const std::map<EarWish, std::string> deaf = around_->SetEars(ears_);
    station_.SetDeaf(deaf, now);
    retry_ears_at_ = deaf.empty() ? std::nullopt : std::optional(now + kRetryEars);
    for (const auto& [wish, ear] : around_->ears()) Await(ear.fd());
  }
  if (std::vector<IpAddress> watched = station_.Watched(); watched != watched_) {
    watched_ = std::move(watched);
    if (const drover::Status set = around_->tap().Watch(watched_); !set) {
      Problem(set.error().message);
    }
    Await(around_->tap().arp_fd());
    Await(around_->tap().icmp_fd());
  }
}

void LinuxSpeaker::ReadNews(Time now) {
  const LinuxSurroundings::Changes changes = around_->TakeNews();
  if (changes.links) station_.LinksChanged(now);
  for (const KernelAddress& gone : changes.gone) {
    station_.AddressGone(static_cast<int>(gone.interface_index), gone.prefix, now);
  }
}

void LinuxSpeaker::ReadEars(Time now) {
  for (auto& [wish, ear] : around_->ears()) {
    for (int i = 0; i < kPacketsPerTurn; ++i) {
      std::optional<VrrpHeard> heard = ear.Hear();
      if (!heard) break;
      if (wish.family == Family::kIpv6) {
        const vrrp::Received packet{
            std::move(heard->bytes), {heard->source, heard->destination}, heard->hop_limit, {}};
        station_.Hear(wish.index, packet, now);
      } else if (const auto packet = vrrp::SplitIpv4(
                     {reinterpret_cast<const char*>(heard->bytes.data()), heard->bytes.size()})) {
        station_.Hear(wish.index, *packet, now);
      }
    }
  }
}

void LinuxSpeaker::ReadClaims(Time now) {
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    const std::optional<VrrpTap::Claim> claim = around_->tap().Hear();
    if (!claim) return;
    station_.HearClaim(claim->index, claim->claim, now);
  }
}

}  // namespace

Result<std::unique_ptr<Speaker>> Speaker::Start(const std::string& remembered) {
  Result<std::unique_ptr<LinuxSurroundings>> around = LinuxSurroundings::Open();
  if (!around) return Fail(around.error().In("VRRP"));
  auto speaker = std::make_unique<LinuxSpeaker>(std::move(*around));
  if (const drover::Status opened = speaker->Open(); !opened) return Fail(opened.error());
  speaker->Begin(remembered);
  return speaker;
}

}  // namespace drover
