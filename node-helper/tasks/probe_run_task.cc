#include "node-helper/tasks/probe_run_task.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "node-helper/drill/prober.h"
#include "node-helper/drill/wire_watch.h"
#include "node-helper/tasks/outcome.h"
#include "protocol/codec.h"

namespace drover {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::uint64_t kMostProbes = 4'000'000;  // about ten bytes each
// Log and capture are sent as base64 in one line.
constexpr std::size_t kMostEvidence = kMaxLineBytes / 4 * 3 - (std::size_t{1} << 20);
static_assert(WireWatch::kMaxCaptureBytes * 2 < kMostEvidence);

ProberSettings SettingsOf(const ProbeRunTask& action) {
  ProberSettings settings;
  settings.name = action.prober;
  settings.series = action.series;
  settings.duration = action.duration;
  settings.markers = action.markers;
  return settings;
}

Status FitsAnAnswer(const ProbeRunTask& action) {
  std::uint64_t planned = 0;
  for (const ProbeRunSeries& series : action.series) {
    planned += static_cast<std::uint64_t>(ProbeTime(action.duration) / series.period) + 1;
  }
  if (planned <= kMostProbes) return {};
  return Fail(ErrorCode::kInvalid, std::to_string(planned) + " probes are planned, more than " +
                                       std::to_string(kMostProbes) + "; probe slower or shorter");
}

// The prober in a thread of its own, so that a slow reader of the session never makes it late.
class ProbeRun {
 public:
  ProbeRun(ProberSettings settings, WireWatch* watch, const StopEvent& stop)
      : settings_(std::move(settings)), watch_(watch) {
    settings_.progress = [this](const ProbeProgress& progress) {
      const std::lock_guard lock(mutex_);
      news_.push_back(progress);
    };
    thread_ = std::thread([this, &stop] {
      auto run = RunProber(settings_, stop);
      const std::lock_guard lock(mutex_);
      run_.emplace(std::move(run));
    });
  }
  ~ProbeRun() { thread_.join(); }
  ProbeRun(const ProbeRun&) = delete;
  ProbeRun& operator=(const ProbeRun&) = delete;

  [[nodiscard]] bool done() {
    const std::lock_guard lock(mutex_);
    return run_.has_value();
  }
  std::vector<ProbeProgress> TakeNews() {
    std::vector<ProbeProgress> news;
    {
      const std::lock_guard lock(mutex_);
      std::swap(news, news_);
    }
    if (!news.empty() && watch_ != nullptr) news.back().owners = watch_->TakeOwners();
    return news;
  }
  // Once it is done.
  Result<ProberRun> TakeRun() { return std::move(*run_); }

 private:
  ProberSettings settings_;
  WireWatch* watch_;
  std::mutex mutex_;
  std::vector<ProbeProgress> news_;       // under mutex_
  std::optional<Result<ProberRun>> run_;  // under mutex_ until it is there
  std::thread thread_;
};

Result<ProberRun> Accompany(const Task& task, const ProbeRunTask& action, WireWatch* watch,
                            const StopEvent& stop, TaskContext& context) {
  ProbeRun run(SettingsOf(action), watch, stop);
  bool stopped = false;
  while (true) {
    const bool done = run.done();
    for (const ProbeProgress& news : run.TakeNews()) context.progress(task.id, news);
    if (done) return run.TakeRun();
    if (!stopped && (context.abandoned() || context.finish_wanted(task.id))) {
      stopped = true;
      stop.Stop();
    }
    std::this_thread::sleep_for(kLook);
  }
}

TaskResult OutcomeOf(ProberRun run, WireWatch::Seen seen, bool capture) {
  ProbeRunOutcome outcome;
  outcome.log.assign(run.log.begin(), run.log.end());
  outcome.lag = std::move(run.lag);
  outcome.void_reason = std::move(run.void_reason);
  if (capture) {
    outcome.capture =
        EncodePcap(seen.frames, run.header.started_wall_us, run.header.started_monotonic_us);
  }
  if (outcome.log.size() + outcome.capture.size() > kMostEvidence) {
    return Failed({ErrorCode::kInvalid, "the log of the probes is too long to be sent"});
  }
  TaskResult result = Succeeded();
  for (const std::string& note : seen.notes) {
    result.message += (result.message.empty() ? "" : "; ") + note;
  }
  result.detail = std::move(outcome);
  return result;
}

}  // namespace

TaskResult RunProbeRunTask(const Task& task, const ProbeRunTask& action, TaskContext& context) {
  if (task.check) return Skipped("probes run for real only");
  if (const Status valid = ValidateProber(SettingsOf(action)); !valid) {
    return Failed(valid.error());
  }
  if (const Status fits = FitsAnAnswer(action); !fits) return Failed(fits.error());
  const auto stop = StopEvent::Create();
  if (!stop) return Failed(stop.error());
  std::unique_ptr<WireWatch> watch;
  WireWatch::Seen seen;
  if (!action.vips.empty()) {
    auto started = WireWatch::Start(
        {.vips = action.vips, .owner_period = action.owner_period, .capture = action.capture});
    if (started) {
      watch = std::move(*started);
    } else {
      seen.notes.push_back("who has the VIPs was not watched: " + started.error().message);
    }
  }
  auto run = Accompany(task, action, watch.get(), *stop, context);
  if (watch) seen = watch->Finish();
  if (!run) return Failed(run.error());
  return OutcomeOf(std::move(*run), std::move(seen), action.capture && watch != nullptr);
}

}  // namespace drover
