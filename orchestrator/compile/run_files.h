// The files that copy and template name, read once each, and the hash over everything read.
//
// Reads files.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/playbook/playbook.h"
#include "orchestrator/source/diagnostic.h"
#include "protocol/result.h"

namespace drover {

class RunFiles {
 public:
  explicit RunFiles(const Playbook& playbook) : playbook_(playbook) {}

  // Looks for `name` in `folder` beside the playbook, then beside the playbook itself. Any bytes.
  Result<SourceFilePtr> Read(const std::string& name, const std::string& folder);
  // sha256 in hex over the playbook, its vars_files and every file read, each with its length.
  [[nodiscard]] std::string Hash() const;
  // The files that the hash is over.
  [[nodiscard]] std::vector<SourceFilePtr> All() const;

 private:
  const Playbook& playbook_;
  std::map<std::string, SourceFilePtr> read_;  // by path
};

}  // namespace drover
