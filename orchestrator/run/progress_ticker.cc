#include "orchestrator/run/progress_ticker.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "orchestrator/run/command_line.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kTick{500};
constexpr int kMaxRows = 12;

}  // namespace

ProgressTicker::ProgressTicker(const CompiledRun& run) : progress_(run, Clock::now()) {
  try {
    thread_ = std::thread([this] { Tick(); });
  } catch (const std::system_error&) {
    // No thread is left: the run goes on, and the lines move only when something happens.
  }
}

ProgressTicker::~ProgressTicker() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  ShowFooter({});
}

void ProgressTicker::Add(const Shown& shown) {
  const std::lock_guard lock(mutex_);
  progress_.Add(shown, Clock::now());
  // A question to the operator must find the lines gone; a run that is over in a moment has none.
  if (drawn_ && std::holds_alternative<StageReached>(shown)) Draw();
}

void ProgressTicker::Tick() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kTick, [this] { return over_; })) Draw();
}

void ProgressTicker::Draw() {
  drawn_ = true;
  const ScreenLook look = LookOfScreen(ProcessEnvironment);
  ShowFooter(progress_.Lines(Clock::now(), std::min(look.rows / 2, kMaxRows), look.columns - 1));
}

}  // namespace drover
