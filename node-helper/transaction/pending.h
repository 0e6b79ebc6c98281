// What is needed to go back, on the disk before the first change of a run:
//
//   pending/pending.json   the run, the record before it, a list of what was captured; as long as
//   it
//                          is there, the run is neither confirmed nor taken back
//   pending/1, 2, …        captured texts (undo_part.h); written before pending.json names them
//   pending/reserve       bytes that a full disk still has when the node goes back
//   pending/undone.json    the record of the run, once the node goes back: what has to be removed
//
// Every file is replaced atomically and flushed, so that a kill at any moment leaves the step
// before or the step after. One writer at a time: the holder of the session lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// A text that was captured, and where it lies.
struct CapturedText {
  std::string part;     // name of its UndoPart or UndoSubjects
  std::string subject;  // of UndoSubjects: path or service
  std::string file;     // in the folder
  bool operator==(const CapturedText&) const = default;
};

struct Pending {
  RunInfo run;
  std::int64_t since = 0;               // seconds since 1970
  std::optional<OwnerRecord> previous;  // none: the owner had nothing on this node
  bool had_service = true;              // the helper's service was installed before the run
  std::vector<CapturedText> captured;   // in the order of capturing
  // Set once the node goes back; from then on nothing can stop it.
  bool going_back = false;
  std::string reason;
  std::uint32_t attempts = 0;
  std::vector<std::string> left;  // what the last attempt could not put back, one sentence each
  bool operator==(const Pending&) const = default;
};

class PendingJournal {
 public:
  explicit PendingJournal(const std::string& directory) : folder_(directory + "/pending") {}

  [[nodiscard]] bool exists() const;
  [[nodiscard]] Result<std::optional<Pending>> Load() const;
  [[nodiscard]] Status Save(const Pending& pending) const;
  // Keeps room on the disk for what going back has to write; FreeReserve gives it away.
  [[nodiscard]] Status Reserve(const Pending& pending) const;
  void FreeReserve() const;
  // Puts `text` aside as the next of `pending`'s captured texts; Save makes it count.
  [[nodiscard]] Status Capture(Pending& pending, const std::string& part,
                               const std::string& subject, const std::string& text) const;
  [[nodiscard]] Result<std::string> TextOf(const CapturedText& captured) const;
  [[nodiscard]] Status SaveUndone(const OwnerRecord& record) const;
  [[nodiscard]] Result<std::optional<OwnerRecord>> LoadUndone() const;
  // pending.json goes first: then the transaction is over.
  [[nodiscard]] Status Drop() const;

 private:
  std::string folder_;
};

}  // namespace drover
