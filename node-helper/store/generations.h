// The confirmed states that a node keeps of an owner, the newest kKeptGenerations of them:
//
//   owners/<owner>/generations/<number>.json   a record as it was when its run was confirmed
//   owners/<owner>/generations/first           the number of the first that there ever was
//
// Numbers are those of the group: a run has one number for all its nodes, and a node where nothing
// changed makes no generation. So the state at N is the newest that is not newer than N. One writer
// at a time: the holder of the session lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "protocol/transaction.h"

namespace drover {

class Generations {
 public:
  // `folder`: owners/<owner> of the store (Store::FolderOf).
  explicit Generations(const std::string& folder) : folder_(folder + "/generations") {}

  // Keeps `record` under its own generation; the oldest go when there are too many.
  [[nodiscard]] Status Keep(const OwnerRecord& record) const;
  // The newest first.
  [[nodiscard]] Result<std::vector<std::uint64_t>> Numbers() const;
  [[nodiscard]] Result<OwnerRecord> Load(std::uint64_t number) const;
  // The state at `number`; none: the owner had nothing on this node then. kNotFound: no longer
  // kept.
  [[nodiscard]] Result<std::optional<OwnerRecord>> At(std::uint64_t number) const;
  // Whether the run `run_id` kept one.
  [[nodiscard]] Result<bool> Has(const std::string& run_id) const;
  // Forgets what the run `run_id` kept: it was not confirmed after all.
  [[nodiscard]] Status ForgetRun(const std::string& run_id) const;

 private:
  [[nodiscard]] std::string PathOf(std::uint64_t number) const;
  [[nodiscard]] Result<std::uint64_t> First() const;

  std::string folder_;
};

}  // namespace drover
