#include "node-helper/checks/asker.h"

#include <utility>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

health::Timing TimingOf(const Target& target) {
  const CheckSettings& settings = target.settings;
  return {.interval = settings.interval,
          .fast_interval = settings.fast_interval,
          .timeout = settings.timeout,
          .fall = settings.fall,
          .rise = settings.rise,
          .jitter_percent = settings.jitter_percent,
          .initially_up = target.initially_up};
}

}  // namespace

struct Asker::State : std::enable_shared_from_this<Asker::State> {
  State(AlarmClock& clock, Target its_target, std::unique_ptr<Probe> its_probe, std::uint64_t seed,
        ProbeCounts& its_counts)
      : target(std::move(its_target)),
        probe(std::move(its_probe)),
        check(TimingOf(target), seed, Clock::now()),
        alarm(clock, [this] { Ring(); }),
        counts(its_counts) {}

  void Ring();
  void Ask();
  void Ended(const CheckAnswer& outcome);
  void Judge(const CheckAnswer& outcome);

  Target target;
  std::unique_ptr<Probe> probe;
  health::Check check;
  AlarmClock::Alarm alarm;  // the next probe, or the timeout of the one that runs
  ProbeCounts& counts;
  OnNews on_news;
  Asker* asker = nullptr;  // null: destroyed
  bool running = false;
  Clock::time_point started{};
  std::optional<std::uint32_t> weight;
  std::string obstacle;  // why it could not be asked the last time
};

void Asker::State::Ring() {
  const auto self = shared_from_this();
  if (running) {
    Ended(probe->TimedOut());
  } else {
    Ask();
  }
}

void Asker::State::Ask() {
  started = Clock::now();
  check.ProbeStarted(started);
  ++counts.started;
  running = true;
  const auto known = probe->Start([this](const CheckAnswer& outcome) { Ended(outcome); });
  if (known) return Ended(*known);
  alarm.Set(started + target.settings.timeout);
}

void Asker::State::Ended(const CheckAnswer& outcome) {
  const auto self = shared_from_this();
  running = false;
  Judge(outcome);
  if (asker != nullptr) alarm.Set(check.next_probe());
}

void Asker::State::Judge(const CheckAnswer& outcome) {
  if (outcome.kind == CheckAnswer::Kind::kNotAsked) {
    ++counts.not_asked;
    const bool is_news = obstacle != outcome.reason;
    obstacle = outcome.reason;
    if (is_news) on_news(*asker, "cannot be asked: " + outcome.reason);
    return;
  }
  obstacle.clear();
  if (!outcome.ok()) ++counts.failed;
  health::ProbeResult result{.ok = outcome.ok(), .reason = outcome.reason};
  result.latency = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
  const auto verdict = check.ProbeEnded(result);
  const bool new_weight = outcome.ok() && weight != outcome.weight;
  if (outcome.ok()) weight = outcome.weight;
  if (verdict) {
    on_news(*asker, verdict->reason);
  } else if (new_weight && check.up()) {
    on_news(*asker, weight ? "weight " + std::to_string(*weight) : "no weight of its own any more");
  }
}

Asker::Asker(AlarmClock& clock, Target target, std::unique_ptr<Probe> probe, std::uint64_t seed,
             ProbeCounts& counts, OnNews on_news)
    : state_(std::make_shared<State>(clock, std::move(target), std::move(probe), seed, counts)) {
  state_->on_news = std::move(on_news);
  state_->asker = this;
}

Asker::~Asker() {
  state_->asker = nullptr;
  state_->probe.reset();
  state_->alarm.Cancel();
}

void Asker::Recall(const AskerMemory& memory) {
  state_->check.Recall(memory.check, Clock::now());
  state_->weight = memory.weight;
}

AskerMemory Asker::Remember() const { return {state_->check.Remember(), state_->weight}; }

void Asker::Begin() { state_->alarm.Set(state_->check.next_probe()); }

const Target& Asker::target() const { return state_->target; }

void Asker::SetUsers(std::vector<ServerKey> users) { state_->target.users = std::move(users); }

bool Asker::up() const { return state_->check.up(); }

bool Asker::decided() const { return state_->check.has_verdict() || !state_->obstacle.empty(); }

std::optional<std::uint32_t> Asker::weight() const { return state_->weight; }

CheckStatus Asker::status() const {
  return {.kind = std::string(KindWord(state_->target.settings.kind)),
          .up = up(),
          .decided = decided(),
          .reason = state_->obstacle.empty() ? state_->check.last_failure() : state_->obstacle,
          .latency = state_->check.latency()};
}

}  // namespace drover
