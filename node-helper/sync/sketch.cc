#include "node-helper/sync/sketch.h"

#include <algorithm>
#include <iterator>

namespace drover {

void Sketch::Add(std::uint64_t fingerprint) {
  if (sample_.size() == limit_ && (limit_ == 0 || fingerprint >= sample_.back())) return;
  const auto place = std::lower_bound(sample_.begin(), sample_.end(), fingerprint);
  if (place != sample_.end() && *place == fingerprint) return;
  sample_.insert(place, fingerprint);
  if (sample_.size() > limit_) sample_.pop_back();
}

std::vector<std::uint64_t> InBoth(const std::vector<std::uint64_t>& left,
                                  const std::vector<std::uint64_t>& right, std::size_t limit) {
  std::vector<std::uint64_t> both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::back_inserter(both));
  if (both.size() > limit) both.resize(limit);
  return both;
}

Search::Search(const std::vector<std::vector<std::uint64_t>>& samples) {
  for (const std::vector<std::uint64_t>& sample : samples) {
    wanted_.insert(wanted_.end(), sample.begin(), sample.end());
  }
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  met_.resize(wanted_.size());
}

void Search::Meet(std::uint64_t fingerprint) {
  // Samples are small fingerprints, so that most entries of a large table end here.
  if (wanted_.empty() || fingerprint > wanted_.back()) return;
  const auto place = std::lower_bound(wanted_.begin(), wanted_.end(), fingerprint);
  if (*place == fingerprint) met_[static_cast<std::size_t>(place - wanted_.begin())] = true;
}

double Search::ShareOf(const std::vector<std::uint64_t>& sample) const {
  if (sample.empty()) return 1;
  std::size_t met = 0;
  for (const std::uint64_t fingerprint : sample) {
    const auto place = std::lower_bound(wanted_.begin(), wanted_.end(), fingerprint);
    if (place == wanted_.end() || *place != fingerprint) continue;
    met += met_[static_cast<std::size_t>(place - wanted_.begin())] ? 1 : 0;
  }
  return static_cast<double>(met) / static_cast<double>(sample.size());
}

}  // namespace drover
