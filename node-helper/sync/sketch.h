// A sample of a set that is too large to send: its smallest fingerprints (bottom-k sketch). As
// fingerprints are spread evenly, the smallest ones are a fair sample, and every director takes the
// same sample of the same connections.
//
// Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace drover {

// Of the fingerprints that were added, the `limit` smallest, each once.
class Sketch {
 public:
  explicit Sketch(std::size_t limit) : limit_(limit) {}

  void Add(std::uint64_t fingerprint);
  // Ascending.
  [[nodiscard]] const std::vector<std::uint64_t>& sample() const { return sample_; }

 private:
  std::size_t limit_;
  std::vector<std::uint64_t> sample_;
};

// Those that are in both, the `limit` smallest of them. When each side is the sketch of a whole
// table, this is a fair sample of the connections that were in both tables.
std::vector<std::uint64_t> InBoth(const std::vector<std::uint64_t>& left,
                                  const std::vector<std::uint64_t>& right, std::size_t limit);

// Which fingerprints of some samples are met in a table that passes by one entry at a time.
class Search {
 public:
  Search() = default;
  // Ascending samples, in any order and overlapping.
  explicit Search(const std::vector<std::vector<std::uint64_t>>& samples);

  void Meet(std::uint64_t fingerprint);
  // The share of `sample`, one of those searched for, that was met; 1 for an empty one.
  [[nodiscard]] double ShareOf(const std::vector<std::uint64_t>& sample) const;

 private:
  std::vector<std::uint64_t> wanted_;  // ascending, each once
  std::vector<bool> met_;
};

}  // namespace drover
