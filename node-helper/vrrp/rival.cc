#include "node-helper/vrrp/rival.h"

namespace drover::vrrp {

RivalLog::Advice RivalLog::Hear(const std::string& stranger, Time now) {
  ++count_;
  Advice advice;
  const auto known = reported_.find(stranger);
  if (known != reported_.end()) {
    advice.report = now - known->second >= kReportEvery;
  } else {
    if (reported_.size() >= kMaxRivals) {
      std::erase_if(reported_,
                    [&](const auto& entry) { return now - entry.second >= kReportEvery; });
    }
    advice.report = reported_.size() < kMaxRivals;
  }
  if (advice.report) reported_[stranger] = now;
  if (!answered_ || now - *answered_ >= kAnswerEvery) {
    advice.answer = true;
    answered_ = now;
  }
  return advice;
}

}  // namespace drover::vrrp
