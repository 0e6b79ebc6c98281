// The catalogue of faults that a drill can inject: what each does, and what a healthy cluster makes
// of it.
//
// Values only. What exactly should be measured is prediction.h's, injecting is the helper's.
#pragma once

#include <span>
#include <string_view>

#include "protocol/fault.h"

namespace drover {

struct FaultText {
  Fault fault;
  std::string_view what;    // it does, as half a sentence
  std::string_view should;  // happen
};

// In the order of the enum.
std::span<const FaultText> FaultCatalogue();
const FaultText& TextOf(Fault fault);

}  // namespace drover
