// How outcomes look in the messages of failed tests.
#pragma once

#include <ostream>

#include "node-helper/checks/probe.h"

namespace drover {

inline void PrintTo(const CheckAnswer& outcome, std::ostream* out) {
  *out << (outcome.ok()                                 ? "ok"
           : outcome.kind == CheckAnswer::Kind::kFailed ? "failed"
                                                        : "not asked");
  if (outcome.weight) *out << " weight " << *outcome.weight;
  if (!outcome.reason.empty()) *out << ": " << outcome.reason;
}

}  // namespace drover
