#include "node-helper/vrrp/schedule.h"

#include <algorithm>
#include <array>

#include "node-helper/vrrp/rival.h"

namespace drover::vrrp {

void AnnounceSchedule::Begin(const VrrpAnnounce& settings, Time now) {
  settings_ = settings;
  next_ = now;
  left_ = settings.count;
  second_.reset();
  refresh_.reset();
  if (settings.delay.count() > 0) second_ = now + settings.delay;
  if (settings.refresh.count() > 0) refresh_ = now + settings.refresh;
}

void AnnounceSchedule::Again(Time now) {
  next_ = now;
  left_ = settings_.count;
}

void AnnounceSchedule::Answer(Time now) {
  if (!answered_ || now - *answered_ >= kAnswerEvery) {
    answered_ = now;
    Again(now);
  } else if (!next_) {
    next_ = spoke_ ? std::max<Time>(now, *spoke_ + kAnswerGap) : now;
    left_ = 1;
  }
}

std::optional<Time> AnnounceSchedule::Deadline() const {
  std::optional<Time> earliest;
  for (const std::optional<Time>& time : std::array{next_, second_, refresh_}) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  }
  return earliest;
}

bool AnnounceSchedule::Due(Time now) {
  const auto begin_burst = [&](int count) {
    // A burst that runs already goes on and is long enough for both.
    if (!next_) next_ = now;
    left_ = std::max(left_, count);
  };
  if (second_ && now >= *second_) {
    second_.reset();
    begin_burst(settings_.count);
  }
  if (refresh_ && now >= *refresh_) {
    *refresh_ += settings_.refresh;
    if (*refresh_ <= now) refresh_ = now + settings_.refresh;
    begin_burst(settings_.refresh_count);
  }
  if (!next_ || now < *next_) return false;
  spoke_ = now;
  --left_;
  if (left_ > 0) {
    next_ = now + kAnnounceGap;
  } else {
    next_.reset();
  }
  return true;
}

bool Repeating::Due(Time now) {
  if (!next_ || now < *next_) return false;
  *next_ += std::chrono::duration_cast<Time::duration>(period_);
  if (*next_ <= now) next_ = now + std::chrono::duration_cast<Time::duration>(period_);
  return true;
}

std::optional<Nanoseconds> RefreshPeriod(std::chrono::milliseconds lease) {
  if (lease.count() <= 0) return std::nullopt;
  return Nanoseconds(lease) / kRefreshesPerLease;
}

bool Overslept(Nanoseconds late, std::chrono::milliseconds lease, Nanoseconds master_down) {
  if (late >= master_down) return true;
  return lease.count() > 0 && late >= Nanoseconds(lease);
}

}  // namespace drover::vrrp
