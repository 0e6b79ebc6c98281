// Changes of the user's inventory files on the disk: shown as they are made, whole or not at all,
// and taken back when what they were for did not come about.
//
// Touches the disk; called from one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/inventory/edit.h"
#include "protocol/result.h"

namespace drover {

class InventoryChange {
 public:
  // `show` gets the difference of each file.
  explicit InventoryChange(std::function<void(const std::string& text)> show)
      : show_(std::move(show)) {}

  // kInvalid when the file is no longer what was read.
  Status Apply(const InventoryEdit& edit);
  // The files as they were before the first Apply.
  Status TakeBack();
  [[nodiscard]] bool any() const { return !done_.empty(); }

 private:
  std::function<void(const std::string&)> show_;
  std::vector<InventoryEdit> done_;
};

}  // namespace drover
