// What is needed to undo a drill's fault, on the disk before anything is done:
// <directory>/drill/ID.json, until it is undone.
//
// One writer at a time (the drill's board is locked).
#pragma once

#include <string>
#include <vector>

#include "node-helper/fault/fault_step.h"
#include "protocol/drill.h"

namespace drover {

struct DrillJournal {
  std::string boot_id;  // the fault is gone with it, but for what is persistent
  DrillArmTask task;
  std::vector<std::string> guards;
  std::vector<FaultStep> steps;
  bool operator==(const DrillJournal&) const = default;
};

class DrillJournals {
 public:
  explicit DrillJournals(const std::string& directory) : folder_(directory + "/drill") {}

  // Flushed to the disk.
  [[nodiscard]] Status Save(const DrillJournal& journal) const;
  // kNotFound when there is none.
  [[nodiscard]] Result<DrillJournal> Load(const std::string& id) const;
  [[nodiscard]] Status Remove(const std::string& id) const;
  [[nodiscard]] std::vector<std::string> Ids() const;  // sorted

 private:
  [[nodiscard]] std::string PathOf(const std::string& id) const;
  std::string folder_;
};

std::string EncodeJournal(const DrillJournal& journal);
Result<DrillJournal> DecodeJournal(std::string_view text);

}  // namespace drover
