#include "node-helper/vrrp/instance.h"

#include <algorithm>
#include <utility>

namespace drover::vrrp {
namespace {

std::string Heard(const AdvertReceived& advert) {
  return advert.source.ToString() + " with priority " + std::to_string(advert.priority);
}

}  // namespace

std::string_view ToString(State state) {
  switch (state) {
    case State::kInitialize:
      return "initialize";
    case State::kBackup:
      return "backup";
    case State::kMaster:
      return "master";
    case State::kFault:
      return "fault";
  }
  return "?";
}

Nanoseconds Instance::SkewTime() const {
  const Nanoseconds base = settings_.version == Version::k2
                               ? Nanoseconds(std::chrono::seconds(1))
                               : Nanoseconds(master_interval_.value_or(settings_.interval));
  return base * (256 - priority_) / 256;
}

Nanoseconds Instance::MasterDownInterval() const {
  return Nanoseconds(master_interval_.value_or(settings_.interval)) * settings_.down_adverts +
         SkewTime();
}

Nanoseconds Instance::HandoverBound() const {
  // Late wake-ups on a busy node weigh much against 10 ms adverts.
  constexpr Nanoseconds kSlack = std::chrono::milliseconds(100);
  const Nanoseconds longest_skew = settings_.version == Version::k2
                                       ? Nanoseconds(std::chrono::seconds(1))
                                       : Nanoseconds(settings_.interval);
  return Nanoseconds(settings_.interval) + longest_skew + kSlack;
}

void Instance::Reconfigure(const Settings& settings, Time now) {
  const bool owner = settings_.priority == kOwnerPriority || settings.priority == kOwnerPriority;
  if (owner || settings.priority != settings_.priority) priority_ = settings.priority;
  if (state_ == State::kMaster && settings.interval > settings_.interval) {
    const Centiseconds before = old_pace_ ? old_pace_->interval : settings_.interval;
    old_pace_ = OldPace{before, settings.down_adverts};
  } else if (old_pace_ && settings.interval <= old_pace_->interval) {
    old_pace_.reset();
  }
  settings_ = settings;
  if (!deadline_) return;
  const Nanoseconds longest =
      state_ == State::kMaster ? Nanoseconds(settings_.interval) : MasterDownInterval();
  if (*deadline_ > now + longest) deadline_ = now + longest;
}

Actions Instance::Step(const InstanceEvent& event, Time now) {
  if (const auto* changed = std::get_if<PriorityChanged>(&event)) {
    if (settings_.priority != kOwnerPriority) priority_ = changed->priority;
    // A running timer keeps its time: the next advert, ours or theirs, sorts it out.
    return {};
  }
  if (const auto* allow = std::get_if<AllowPreempt>(&event)) {
    preempt_allowed_ = allow->allowed;
    if (preempt_allowed_) waits_for_permission_ = false;
    return {};
  }
  if (std::holds_alternative<Return>(event)) {
    held_ = false;
    if (yielding_ != Yielding::kToBackup) return {};
    yielding_ = Yielding::kNo;  // meant otherwise before anybody took over
    deadline_ = now + Nanoseconds(settings_.interval);
    return {SendAdvert{priority_}, AnnounceAgain{}};
  }
  switch (state_) {
    case State::kInitialize:
      return StepInitialize(event, now);
    case State::kBackup:
      return StepBackup(event, now);
    case State::kMaster:
      return yielding() ? StepYielding(event, now) : StepMaster(event, now);
    case State::kFault:
      return StepFault(event, now);
  }
  return {};
}

// Section 6.4.1.
Actions Instance::StepInitialize(const InstanceEvent& event, Time now) {
  if (const auto* faulted = std::get_if<Faulted>(&event)) fault_ = faulted->reason;
  if (std::holds_alternative<FaultCleared>(event)) fault_.clear();
  if (std::holds_alternative<Adopted>(event) && fault_.empty()) {
    return BecomeMaster("went on after an upgrade in place", now);
  }
  if (!std::holds_alternative<Startup>(event)) return {};
  if (!fault_.empty()) return BecomeFault(fault_);
  if (priority_ != kOwnerPriority) return BecomeBackup("started", now);
  if (!settings_.grouped) return BecomeMaster("owner of the addresses", now);
  Actions actions = BecomeBackup("started", now);
  deadline_ = now;
  return actions;
}

// Ours; left as Initialize is by Startup.
Actions Instance::StepFault(const InstanceEvent& event, Time now) {
  if (std::holds_alternative<Shutdown>(event)) return BecomeInitialize("shut down");
  if (const auto* faulted = std::get_if<Faulted>(&event)) fault_ = faulted->reason;
  if (!std::holds_alternative<FaultCleared>(event)) return {};
  fault_.clear();
  if (priority_ == kOwnerPriority && !settings_.grouped && !held_) {
    return BecomeMaster("owner of the addresses", now);
  }
  return BecomeBackup("fault cleared", now);
}

// Section 6.4.2.
Actions Instance::StepBackup(const InstanceEvent& event, Time now) {
  if (std::holds_alternative<Shutdown>(event)) return BecomeInitialize("shut down");
  if (const auto* faulted = std::get_if<Faulted>(&event)) return BecomeFault(faulted->reason);
  if (const auto* advert = std::get_if<AdvertReceived>(&event)) return HearAsBackup(*advert, now);
  if (std::holds_alternative<Yield>(event)) {
    held_ = true;
    return {};
  }
  if (std::holds_alternative<Thawed>(event)) {
    ready_ = false;
    deadline_ = now + MasterDownInterval();  // listen for a whole interval before anything else
    return {};
  }
  if (std::holds_alternative<Promoted>(event)) {
    return BecomeMaster("every member of its group is ready", now);
  }
  if (!std::holds_alternative<TimerFired>(event) || !deadline_ || now < *deadline_) return {};
  if (settings_.grouped) {
    ready_ = true;
    deadline_ = now + MasterDownInterval();
    return {WantsMaster{}};
  }
  return BecomeMaster(WhyMaster(), now);
}

std::string Instance::WhyMaster() const {
  const std::string master = master_ ? "master " + master_->ToString() : "the master";
  if (released_) return master + " let go";
  if (preempt_at_) return "the master has a lower priority";
  return master_ ? master + " fell silent" : "no master was heard";
}

Actions Instance::HearAsBackup(const AdvertReceived& advert, Time now) {
  waits_for_permission_ = false;
  if (advert.priority == kReleasePriority) {
    // Of the interval that this master counts in, section 6.4.2.
    master_interval_ = advert.interval;
    deadline_ = now + SkewTime();
    preempt_at_.reset();
    released_ = true;
    predecessor_ = advert.source;
    return {};
  }
  const bool lower = advert.priority < priority_;
  const bool preempts = settings_.preempt && preempt_allowed_ && !held_;
  if (!lower || !preempts) preempt_at_.reset();
  if (lower && preempts) {
    if (!preempt_at_) preempt_at_ = now + settings_.preempt_delay;
    // Discarded: the running timer brings us up. It was set by an advert we accepted, or at start.
    if (now >= *preempt_at_) {
      predecessor_ = advert.source;
      return {};
    }
  }
  waits_for_permission_ = lower && settings_.preempt && !held_ && !preempt_allowed_;
  Follow(advert, now);
  return {};
}

void Instance::Follow(const AdvertReceived& advert, Time now) {
  ready_ = false;
  released_ = false;
  predecessor_.reset();
  master_ = advert.source;
  // Version 2 refuses other intervals than its own, but for the time of a change from one to
  // another.
  master_interval_ = advert.interval;
  deadline_ = now + MasterDownInterval();
}

// Section 6.4.3.
Actions Instance::StepMaster(const InstanceEvent& event, Time now) {
  if (const auto* shutdown = std::get_if<Shutdown>(&event)) {
    if (shutdown->hand_over) return BeginYield(Yielding::kToInitialize, now);
    Actions actions = BecomeInitialize("shut down");
    // Release first, then say so: the peer must not take addresses that we still hold.
    actions.insert(actions.begin(), {ReleaseAddresses{}, SendAdvert{kReleasePriority}});
    return actions;
  }
  if (const auto* faulted = std::get_if<Faulted>(&event)) {
    fault_ = faulted->reason;
    if (!faulted->at_once) return BeginYield(Yielding::kToFault, now);
    Actions actions = BecomeFault(faulted->reason);
    actions.insert(actions.begin(), {ReleaseAddresses{}, SendAdvert{kReleasePriority}});
    return actions;
  }
  if (std::holds_alternative<Yield>(event)) return BeginYield(Yielding::kToBackup, now);
  if (std::holds_alternative<Thawed>(event)) {
    Actions actions = BecomeBackup("was not running for too long", now);
    actions.insert(actions.begin(), ReleaseAddresses{});
    return actions;
  }
  if (const auto* dragged = std::get_if<Dragged>(&event)) {
    Actions actions = BecomeBackup(dragged->reason, now);
    actions.insert(actions.begin(), ReleaseAddresses{.linger = true});
    return actions;
  }
  if (const auto* advert = std::get_if<AdvertReceived>(&event)) return HearAsMaster(*advert, now);
  if (std::holds_alternative<TimerFired>(event) && deadline_ && now >= *deadline_) {
    return Advertise(now);
  }
  return {};
}

Actions Instance::Advertise(Time now) {
  // From the planned time, so that lateness does not add up; but never a burst for what was missed.
  Nanoseconds interval = settings_.interval;
  if (old_pace_) {
    interval = old_pace_->interval;
    if (--old_pace_->adverts <= 0) old_pace_.reset();
  }
  deadline_ = *deadline_ + interval;
  if (*deadline_ <= now) deadline_ = now + interval;
  return {SendAdvert{priority_}};
}

Actions Instance::HearAsMaster(const AdvertReceived& advert, Time now) {
  if (advert.priority == kReleasePriority) {
    deadline_ = now + Nanoseconds(settings_.interval);
    return {SendAdvert{priority_}};
  }
  if (!Outranks(advert)) {
    // Ours: one advert more. A master that hears a lower priority answers at once and announces its
    // addresses; without it, it may never learn that the neighbours believed us.
    const SendAdvert farewell{priority_};
    Actions actions = BecomeBackup("heard " + Heard(advert), now);
    actions.insert(actions.begin(), {farewell, ReleaseAddresses{.linger = true}});
    Follow(advert, now);
    return actions;
  }
  // RFC 9568 has the winner answer at once, so that the other one yields; the neighbours may have
  // believed it.
  deadline_ = now + Nanoseconds(settings_.interval);
  return {SendAdvert{priority_}, AnnounceAgain{}};
}

// Section 6.4.3: the greater priority wins, then the greater primary address.
bool Instance::Outranks(const AdvertReceived& advert) const {
  if (advert.priority != priority_) return priority_ > advert.priority;
  return settings_.own_address > advert.source;
}

// The RFC has a master release and then say so, which leaves nobody for the skew of the backup. We
// say so first and go on serving.
Actions Instance::BeginYield(Yielding to, Time now) {
  yielding_ = to;
  yield_until_ = now + HandoverBound();
  deadline_ = std::min(yield_until_, now + Nanoseconds(settings_.interval));
  return {SendAdvert{kReleasePriority}};
}

Actions Instance::StepYielding(const InstanceEvent& event, Time now) {
  if (const auto* advert = std::get_if<AdvertReceived>(&event)) {
    if (advert->priority == kReleasePriority) return {};
    Actions actions = EndYield("handed over to " + Heard(*advert), /*linger=*/true, now);
    if (state_ == State::kBackup) Follow(*advert, now);
    return actions;
  }
  if (const auto* dragged = std::get_if<Dragged>(&event)) {
    return EndYield(dragged->reason, /*linger=*/true, now);
  }
  if (const auto* shutdown = std::get_if<Shutdown>(&event)) {
    yielding_ = Yielding::kToInitialize;
    return shutdown->hand_over ? Actions{} : EndYield("shut down", /*linger=*/false, now);
  }
  if (const auto* faulted = std::get_if<Faulted>(&event)) {
    fault_ = faulted->reason;
    if (yielding_ == Yielding::kToBackup) yielding_ = Yielding::kToFault;
    return faulted->at_once ? EndYield(faulted->reason, /*linger=*/false, now) : Actions{};
  }
  if (std::holds_alternative<FaultCleared>(event)) {
    fault_.clear();
    return yielding_ == Yielding::kToFault ? GiveUpYield(now) : Actions{};
  }
  if (std::holds_alternative<Thawed>(event)) {
    return EndYield("was not running for too long", /*linger=*/false, now);
  }
  if (!std::holds_alternative<TimerFired>(event) || !deadline_ || now < *deadline_) return {};
  if (now >= yield_until_) return GiveUpYield(now);
  // Once more after an interval and not earlier: priority 0 starts the skew of a backup anew, which
  // is shorter than that.
  deadline_ = yield_until_;
  return {SendAdvert{kReleasePriority}};
}

Actions Instance::EndYield(const std::string& reason, bool linger, Time now) {
  const Yielding to = std::exchange(yielding_, Yielding::kNo);
  Actions actions;
  switch (to) {
    case Yielding::kToInitialize:
      actions = BecomeInitialize(reason);
      break;
    case Yielding::kToFault:
      actions = BecomeFault(fault_);
      break;
    case Yielding::kToBackup:
    case Yielding::kNo:
      held_ = true;
      actions = BecomeBackup(reason, now);
      break;
  }
  actions.insert(actions.begin(), ReleaseAddresses{linger});
  return actions;
}

// Nobody took over. Without us there would be no owner at all; only who must go, goes.
Actions Instance::GiveUpYield(Time now) {
  if (yielding_ == Yielding::kToInitialize) {
    return EndYield("shut down; nobody took over", /*linger=*/false, now);
  }
  if (yielding_ == Yielding::kToFault && !fault_.empty()) {
    return EndYield(fault_, /*linger=*/false, now);
  }
  const bool wanted = std::exchange(yielding_, Yielding::kNo) == Yielding::kToBackup;
  deadline_ = now + Nanoseconds(settings_.interval);
  Actions actions = {SendAdvert{priority_}, AnnounceAgain{}};
  if (wanted) actions.emplace_back(YieldFailed{});
  return actions;
}

void Instance::Enter(State state) {
  state_ = state;
  old_pace_.reset();
  deadline_.reset();
  master_.reset();
  predecessor_.reset();
  master_interval_.reset();
  preempt_at_.reset();
  yielding_ = Yielding::kNo;
  ready_ = false;
  released_ = false;
  waits_for_permission_ = false;
}

Actions Instance::BecomeInitialize(std::string reason) {
  const State from = state_;
  Enter(State::kInitialize);
  return {Transition{from, state_, std::move(reason)}};
}

Actions Instance::BecomeFault(std::string reason) {
  const State from = state_;
  Enter(State::kFault);
  fault_ = reason;
  return {Transition{from, state_, std::move(reason)}};
}

Actions Instance::BecomeBackup(std::string reason, Time now) {
  const State from = state_;
  Enter(State::kBackup);
  deadline_ = now + MasterDownInterval();
  return {Transition{from, state_, std::move(reason)}};
}

Actions Instance::BecomeMaster(std::string reason, Time now) {
  const State from = state_;
  const bool make_before_break = released_ || preempt_at_.has_value();
  Enter(State::kMaster);
  held_ = false;
  deadline_ = now + Nanoseconds(settings_.interval);
  // Section 6.4.2 has the advert go out first: other backups must hear it. But an old master that
  // still serves lets go when it hears us, and then we must have the addresses already.
  Actions actions = {Transition{from, state_, std::move(reason)}, SendAdvert{priority_},
                     TakeAddresses{}};
  if (make_before_break) std::swap(actions[1], actions[2]);
  return actions;
}

}  // namespace drover::vrrp
