#include "node-helper/vrrp/instance.h"

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

Actions Instance::Step(const InstanceEvent& event, Time now) {
  if (const auto* changed = std::get_if<PriorityChanged>(&event)) {
    if (settings_.priority != kOwnerPriority) priority_ = changed->priority;
    // A running timer keeps its time: the next advert, ours or theirs, sorts it out.
    return {};
  }
  switch (state_) {
    case State::kInitialize:
      return StepInitialize(event, now);
    case State::kBackup:
      return StepBackup(event, now);
    case State::kMaster:
      return StepMaster(event, now);
  }
  return {};
}

// Section 6.4.1.
Actions Instance::StepInitialize(const InstanceEvent& event, Time now) {
  if (!std::holds_alternative<Startup>(event)) return {};
  if (priority_ == kOwnerPriority) return BecomeMaster("owner of the addresses", now);
  return BecomeBackup("started", now);
}

// Section 6.4.2.
Actions Instance::StepBackup(const InstanceEvent& event, Time now) {
  if (std::holds_alternative<Shutdown>(event)) return BecomeInitialize("shut down");
  if (const auto* advert = std::get_if<AdvertReceived>(&event)) return HearAsBackup(*advert, now);
  if (std::holds_alternative<Thawed>(event)) {
    deadline_ = now + MasterDownInterval();  // listen for a whole interval before anything else
    return {};
  }
  if (std::holds_alternative<TimerFired>(event) && deadline_ && now >= *deadline_) {
    return BecomeMaster(
        master_ ? "master " + master_->ToString() + " fell silent" : "no master was heard", now);
  }
  return {};
}

Actions Instance::HearAsBackup(const AdvertReceived& advert, Time now) {
  if (advert.priority == kReleasePriority) {
    deadline_ = now + SkewTime();
    preempt_at_.reset();
    return {};
  }
  const bool lower = advert.priority < priority_;
  if (!lower || !settings_.preempt) preempt_at_.reset();
  if (lower && settings_.preempt) {
    if (!preempt_at_) preempt_at_ = now + settings_.preempt_delay;
    // Discarded: the running timer brings us up. It was set by an advert we accepted, or at start.
    if (now >= *preempt_at_) return {};
  }
  master_ = advert.source;
  if (settings_.version == Version::k3) master_interval_ = advert.interval;
  deadline_ = now + MasterDownInterval();
  return {};
}

// Section 6.4.3.
Actions Instance::StepMaster(const InstanceEvent& event, Time now) {
  if (std::holds_alternative<Shutdown>(event)) {
    Actions actions = BecomeInitialize("shut down");
    // Release first, then say so: the peer must not take addresses that we still hold.
    actions.insert(actions.begin(), {ReleaseAddresses{}, SendAdvert{kReleasePriority}});
    return actions;
  }
  if (std::holds_alternative<Thawed>(event)) {
    Actions actions = BecomeBackup("was not running for too long", now);
    actions.insert(actions.begin(), ReleaseAddresses{});
    return actions;
  }
  if (const auto* advert = std::get_if<AdvertReceived>(&event)) return HearAsMaster(*advert, now);
  if (std::holds_alternative<TimerFired>(event) && deadline_ && now >= *deadline_) {
    // From the planned time, so that lateness does not add up; but never a burst for what was
    // missed.
    deadline_ = *deadline_ + Nanoseconds(settings_.interval);
    if (*deadline_ <= now) deadline_ = now + Nanoseconds(settings_.interval);
    return {SendAdvert{priority_}};
  }
  return {};
}

Actions Instance::HearAsMaster(const AdvertReceived& advert, Time now) {
  if (advert.priority == kReleasePriority) {
    deadline_ = now + Nanoseconds(settings_.interval);
    return {SendAdvert{priority_}};
  }
  if (!Outranks(advert)) {
    Actions actions = BecomeBackup("heard " + Heard(advert), now);
    actions.insert(actions.begin(), ReleaseAddresses{});
    master_ = advert.source;
    if (settings_.version == Version::k3) master_interval_ = advert.interval;
    deadline_ = now + MasterDownInterval();
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

Actions Instance::BecomeInitialize(std::string reason) {
  const State from = std::exchange(state_, State::kInitialize);
  deadline_.reset();
  master_.reset();
  master_interval_.reset();
  preempt_at_.reset();
  return {Transition{from, state_, std::move(reason)}};
}

Actions Instance::BecomeBackup(std::string reason, Time now) {
  const State from = std::exchange(state_, State::kBackup);
  master_.reset();
  master_interval_.reset();
  preempt_at_.reset();
  deadline_ = now + MasterDownInterval();
  return {Transition{from, state_, std::move(reason)}};
}

Actions Instance::BecomeMaster(std::string reason, Time now) {
  const State from = std::exchange(state_, State::kMaster);
  master_.reset();
  master_interval_.reset();
  preempt_at_.reset();
  deadline_ = now + Nanoseconds(settings_.interval);
  // The advert goes out first, so that an old master lets go before we take the addresses.
  return {Transition{from, state_, std::move(reason)}, SendAdvert{priority_}, TakeAddresses{}};
}

}  // namespace drover::vrrp
