// What has to be remembered of a node before a run changes it, and how it is put back: one part per
// kind of thing (network, firewall, sysctls of interfaces, a file, a system service).
//
// The transaction (transaction.h) decides when: it captures before the first change, keeps the text
// on the disk, and restores in its order of going back. The parts themselves are in
// node-helper/undo. Addresses of VRRP instances (of any record of the store, before the run or now)
// belong to the speaker: no part adds or removes one. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/change.h"
#include "protocol/result.h"

namespace drover {

// A part of the node as a whole, captured once, before the first change of a run.
class UndoPart {
 public:
  virtual ~UndoPart() = default;

  // The same in every version of the helper: what was captured is kept under it. Letters, digits
  // and '-' only ("network", "firewall").
  [[nodiscard]] virtual std::string name() const = 0;
  // The part as it is now, any bytes; an empty text when there is nothing to remember (no such
  // tool or feature on this node). An error: the run changes nothing.
  virtual Result<std::string> Capture() = 0;
  // Makes the part what it was; `done` gets what had to be changed (nothing when it is still the
  // same), also when it fails half way. Goes on with the rest after a step that fails and gives the
  // first error. May be called again after a failure or a kill, in another process, after a reboot.
  virtual Status Restore(const std::string& captured, std::vector<ChangeText>& done) = 0;
};

// Things of one kind that tasks change one by one; each is captured before its first change in the
// run. `subject` is the path of a file or the name of a service.
class UndoSubjects {
 public:
  virtual ~UndoSubjects() = default;

  // Rules as for UndoPart. "file", "service".
  [[nodiscard]] virtual std::string name() const = 0;
  virtual Result<std::string> Capture(const std::string& subject) = 0;
  virtual Status Restore(const std::string& subject, const std::string& captured,
                         std::vector<ChangeText>& done) = 0;
};

// All of them, in the order of going back.
struct UndoKit {
  std::vector<std::unique_ptr<UndoPart>> parts;  // firewall, network, sysctls
  std::unique_ptr<UndoSubjects> files;           // may be null: none are remembered
  std::unique_ptr<UndoSubjects> services;        // restored after the files
};

}  // namespace drover
