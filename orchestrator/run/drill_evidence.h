// The folder of a drill's evidence on the control host, and the folder of all drills.
//
// Touches the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/drill/journal.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// $XDG_STATE_HOME/drover/drills, or ~/.local/state/drover/drills.
std::string DrillsFolder(const Environment& environment);

class EvidenceFolder {
 public:
  // Makes it (0700), and holds a lock on it as long as the drill runs.
  static Result<std::unique_ptr<EvidenceFolder>> Make(const std::string& path);
  ~EvidenceFolder();
  EvidenceFolder(const EvidenceFolder&) = delete;
  EvidenceFolder& operator=(const EvidenceFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Whole or not at all, on the disk when it returns.
  Status Write(const std::string& name, std::string_view bytes) const;

 private:
  EvidenceFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

// A drill whose orchestrator died before it was judged.
struct InterruptedDrill {
  std::string path;  // of its folder
  DrillJournal journal;
};
std::vector<InterruptedDrill> FindInterrupted(const std::string& folder);

// The reason of the control host's no-drill flag, /run/drover/no-drill or no-drill in
// $XDG_CONFIG_HOME/drover; empty: there is none.
std::string NoDrillHere(const Environment& environment);

}  // namespace drover
