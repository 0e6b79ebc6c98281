// Gathers what is wrong over all hosts of a task, so that the same error is said once and names the
// hosts.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/source/diagnostic.h"

namespace drover {

class Findings {
 public:
  void Add(const std::string& host, const Diagnostics& diagnostics);
  // Of `looked_at` hosts: an error that all of them have names none.
  void MoveInto(Diagnostics& all, std::size_t looked_at);

 private:
  struct Finding {
    Diagnostic diagnostic;
    std::vector<std::string> hosts;
  };
  std::vector<Finding> findings_;
};

}  // namespace drover
