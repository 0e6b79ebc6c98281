#include "orchestrator/drill/course.h"

#include <algorithm>

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{250};
constexpr milliseconds kTick{100};
constexpr milliseconds kAskAgain{1000};
constexpr milliseconds kArmPatience{20000};
constexpr milliseconds kEndPatience{30000};
// The VIP is somewhere else so long though all is well: nobody is going to move it.
constexpr milliseconds kStrayed{3000};
constexpr int kBaselineTries = 5;
// What one report of the prober blurs.
constexpr ProbeTime kReport = milliseconds(250);
constexpr std::uint64_t kControlMayLose = 3;
constexpr std::size_t kUnsent = static_cast<std::size_t>(ProbeFate::kUnsent);

struct Sum {
  std::uint64_t ok = 0;
  std::uint64_t bad = 0;
};

Sum SumOf(const std::array<std::uint64_t, 6>& fates) {
  Sum sum{.ok = fates.at(static_cast<std::size_t>(ProbeFate::kOk))};
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (i != static_cast<std::size_t>(ProbeFate::kOk) && i != kUnsent) sum.bad += fates.at(i);
  }
  return sum;
}

}  // namespace

std::string_view ToString(CourseState state) {
  switch (state) {
    case CourseState::kBaseline:
      return "baseline";
    case CourseState::kArming:
      return "arming";
    case CourseState::kWaiting:
      return "armed";
    case CourseState::kInjecting:
      return "injecting";
    case CourseState::kFaulty:
      return "fault";
    case CourseState::kUndoing:
      return "undoing";
    case CourseState::kHealing:
      return "healing";
    case CourseState::kTail:
    case CourseState::kEnding:
      return "last probes";
    case CourseState::kOver:
      return "over";
  }
  return "?";
}

DrillCourse::DrillCourse(CourseSettings settings, Time now)
    : settings_(std::move(settings)), since_(now), began_(now), next_look_(now) {}

std::vector<CourseAction> DrillCourse::Step(const CourseEvent& event, Time now) {
  Actions actions;
  std::visit([&](const auto& one) { On(one, now, actions); }, event);
  return actions;
}

DrillCourse::Time DrillCourse::WakeAt(Time now) const {
  const Time tick = now + kTick;
  // The phase is what makes drills sample the protocol's whole law.
  if (state_ == CourseState::kWaiting) return std::min(tick, since_ + settings_.phase);
  if (state_ == CourseState::kFaulty) return std::min(tick, *injected_at_ + settings_.duration);
  return tick;
}

void DrillCourse::Become(CourseState state, Time now) {
  state_ = state;
  since_ = now;
  ask_again_.reset();
}

bool DrillCourse::under_fault() const {
  return state_ == CourseState::kInjecting || state_ == CourseState::kFaulty;
}

std::optional<double> DrillCourse::Limit(Quantity quantity) const {
  const Envelope* envelope = settings_.prediction.Find(quantity);
  return envelope == nullptr ? std::nullopt : AbortAbove(*envelope);
}

void DrillCourse::BecomeFaulty(Time now) {
  if (!injected_at_) injected_at_ = now;
  Become(CourseState::kFaulty, now);
}

void DrillCourse::Undo(Time now, Actions& actions) {
  Become(CourseState::kUndoing, now);
  actions.push_back(CourseAction::kUndo);
}

void DrillCourse::Abort(std::string why, Time now, Actions& actions) {
  if (!aborted_) aborted_ = std::move(why);
  switch (state_) {
    case CourseState::kBaseline:
      Become(CourseState::kEnding, now);
      actions.push_back(CourseAction::kEndProbes);
      return;
    case CourseState::kArming:
    case CourseState::kWaiting:
    case CourseState::kInjecting:
    case CourseState::kFaulty:
      // Armed is undone as well: the node lets its guards go.
      Undo(now, actions);
      return;
    case CourseState::kUndoing:
    case CourseState::kHealing:
    case CourseState::kTail:
    case CourseState::kEnding:
    case CourseState::kOver:
      return;
  }
}

void DrillCourse::On(const ProbesSaid& event, Time now, Actions& actions) {
  const ProbeProgress& progress = event.progress;
  if (state_ == CourseState::kBaseline) {
    std::uint64_t bad = 0;
    for (const auto& fates : progress.fates) bad += SumOf(fates).bad;
    if (bad > 0 || !last_progress_) since_ = now;  // it begins with the first clean report
    if (now - began_ > settings_.baseline * kBaselineTries) {
      last_progress_ = progress.at;
      return Abort("the probes were not clean for " +
                       std::to_string(settings_.baseline.count() / 1000) +
                       " s before the fault: something is wrong already",
                   now, actions);
    }
  }
  Guard(progress, now, actions);
  last_progress_ = progress.at;
  On(TimePassed{}, now, actions);
}

void DrillCourse::Guard(const ProbeProgress& progress, Time now, Actions& actions) {
  const ProbeTime step = last_progress_ ? progress.at - *last_progress_ : ProbeTime(0);
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < progress.fates.size() && i < settings_.series.size(); ++i) {
    const Sum sum = SumOf(progress.fates[i]);
    const bool gap = settings_.series[i] == CourseSettings::Role::kGap;
    if (gap && (sum.ok > 0 || !last_ok_)) last_ok_ = progress.at;
    if (!under_fault()) continue;
    if (settings_.series[i] == CourseSettings::Role::kControl) {
      control_bad_ += sum.bad;
      continue;
    }
    lost += sum.bad;
    sent_ += sum.ok + sum.bad;
  }
  bad_ += lost;
  if (!under_fault()) return;
  shared_ = progress.owners.size() > 1 ? shared_ + step : ProbeTime(0);
  if (control_bad_ >= kControlMayLose) {
    return Abort("the control probe, which does not pass the cluster, fails too", now, actions);
  }
  const auto outage = Limit(Quantity::kOutage);
  const Milliseconds gap = last_ok_ ? Milliseconds(progress.at - *last_ok_) : Milliseconds(0);
  const Milliseconds decided = settings_.deadline + kReport;
  if (outage && gap.count() > *outage + decided.count()) {
    return Abort("nothing has been answered for " +
                     QuantityText(Quantity::kOutage, (gap - decided).count()) +
                     ", twice what was predicted",
                 now, actions);
  }
  const auto bad = Limit(Quantity::kBadProbes);
  if (bad && static_cast<double>(bad_) > *bad) {
    return Abort(std::to_string(bad_) + " probes failed where none was to", now, actions);
  }
  const auto owners = Limit(Quantity::kDoubleOwner);
  if (owners && Milliseconds(shared_).count() > *owners + Milliseconds(2 * kReport).count()) {
    Abort("two nodes have had the VIP for " +
              QuantityText(Quantity::kDoubleOwner, Milliseconds(shared_).count()),
          now, actions);
  }
}

void DrillCourse::On(const ProbesEnded& event, Time now, Actions& actions) {
  if (state_ == CourseState::kEnding) return Become(CourseState::kOver, now);
  const std::string why = event.why.empty() ? "" : ": " + event.why;
  if (state_ == CourseState::kBaseline) {
    aborted_ = "the probes ended too early" + why;
    return Become(CourseState::kOver, now);
  }
  Abort("the probes ended too early" + why, now, actions);
}

void DrillCourse::On(const OrderDone& /*event*/, Time now, Actions& /*actions*/) {
  if (state_ == CourseState::kArming) return Become(CourseState::kWaiting, now);
  if (state_ == CourseState::kInjecting) {
    injected_at_ = now;  // it may have taken its time
    return BecomeFaulty(now);
  }
  if (state_ == CourseState::kUndoing) Become(CourseState::kHealing, now);
}

void DrillCourse::On(const OrderFailed& event, Time now, Actions& actions) {
  if (state_ == CourseState::kArming || state_ == CourseState::kInjecting) {
    return Abort(event.why, now, actions);
  }
  if (state_ != CourseState::kUndoing) return;
  const Time limit = std::max(since_, injected_at_.value_or(since_) + settings_.duration) +
                     settings_.undo_patience;
  if (!event.final && now < limit) {
    ask_again_ = now + kAskAgain;
    return;
  }
  unhealed_.push_back("the target did not say that the fault is undone: " + event.why);
  Become(CourseState::kHealing, now);
}

void DrillCourse::On(const ClusterSeen& event, Time now, Actions& actions) {
  if (state_ != CourseState::kHealing) return;
  if (!event.sample.redundant()) {
    whole_since_.reset();
    strayed_since_.reset();
  } else if (event.home) {
    strayed_since_.reset();
    if (!whole_since_) whole_since_ = now;
    if (now - *whole_since_ >= settings_.calm) Become(CourseState::kTail, now);
  } else {
    whole_since_.reset();
    if (!strayed_since_) strayed_since_ = now;
    if (now - *strayed_since_ >= kStrayed && !brought_home_) {
      brought_home_ = true;
      actions.push_back(CourseAction::kBringHome);
    }
  }
}

void DrillCourse::On(const DrillStopped& event, Time now, Actions& actions) {
  Abort(event.why, now, actions);
}

void DrillCourse::On(const TimePassed& /*event*/, Time now, Actions& actions) {
  const auto passed = now - since_;
  switch (state_) {
    case CourseState::kBaseline:
      if (!last_progress_ || passed < settings_.baseline) break;
      Become(settings_.arms ? CourseState::kArming : CourseState::kWaiting, now);
      if (settings_.arms) actions.push_back(CourseAction::kArm);
      break;
    case CourseState::kArming:
      if (passed > kArmPatience) Abort("the target does not answer", now, actions);
      break;
    case CourseState::kWaiting:
      if (passed < settings_.phase) break;
      Become(CourseState::kInjecting, now);
      injected_at_ = now;
      actions.push_back(CourseAction::kInject);
      break;
    case CourseState::kInjecting:
      if (passed > settings_.inject_patience) BecomeFaulty(now);
      break;
    case CourseState::kFaulty:
      if (now - *injected_at_ >= settings_.duration) Undo(now, actions);
      break;
    case CourseState::kUndoing:
      if (!ask_again_ || now < *ask_again_) break;
      ask_again_.reset();
      actions.push_back(CourseAction::kUndo);
      break;
    case CourseState::kHealing:
      if (passed <= settings_.heal_patience) break;
      unhealed_.push_back("the cluster was not as before within " +
                          std::to_string(settings_.heal_patience.count() / 1000) + " s");
      Become(CourseState::kTail, now);
      break;
    case CourseState::kTail:
      if (passed < settings_.tail) break;
      Become(CourseState::kEnding, now);
      actions.push_back(CourseAction::kEndProbes);
      break;
    case CourseState::kEnding:
      if (passed > kEndPatience) Become(CourseState::kOver, now);
      break;
    case CourseState::kOver:
      break;
  }
  const bool looks = state_ >= CourseState::kInjecting && state_ <= CourseState::kTail;
  if (looks && now >= next_look_) {
    next_look_ = now + kLookEvery;
    actions.push_back(CourseAction::kLook);
  }
}

}  // namespace drover
