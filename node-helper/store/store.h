// The folder of a node's memory (/var/lib/drover): a document per owner, replaced atomically, so
// that a kill at any moment leaves the old one or the new one.
//
//   owners/<owner>/current.json   what the owner holds
//   owners/<owner>/generations/   confirmed states, see generations.h
//   run_lock.json                 see run_lock.h
//   pending/                      how to go back, see node-helper/transaction
//   maintenance.json              see maintenance.h
//   lock, lock.holder             see session_lock.h
//   node-helper                   the installed binary (node-helper/install)
//   bin/                          uploads of the orchestrator
//
// One writer at a time: the holder of the session lock.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "node-helper/store/generations.h"
#include "node-helper/store/record.h"
#include "protocol/result.h"

namespace drover {

inline constexpr const char* kStateDirectory = "/var/lib/drover";

// Reads and writes the records below one folder.
class Store {
 public:
  explicit Store(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // An empty record when the owner has none.
  [[nodiscard]] Result<OwnerRecord> Load(const std::string& owner) const;
  // Sorted by owner. A document that cannot be read is an error: without it nobody knows whose
  // things are whose.
  [[nodiscard]] Result<std::vector<OwnerRecord>> LoadAll() const;
  // On the disk when it returns.
  [[nodiscard]] Status Save(const OwnerRecord& record) const;
  [[nodiscard]] Status Remove(const std::string& owner) const;
  [[nodiscard]] std::string FolderOf(const std::string& owner) const;
  [[nodiscard]] Generations GenerationsOf(const std::string& owner) const {
    return Generations(FolderOf(owner));
  }

 private:
  std::string directory_;
};

// The owner's name as a file name: what is not a letter, digit, '-', '_' or '.' becomes %XX.
std::string FileNameOfOwner(const std::string& owner);

}  // namespace drover
