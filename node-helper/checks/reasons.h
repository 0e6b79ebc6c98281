// Why a probe failed, in words that an operator understands.
//
// Pure.
#pragma once

#include <chrono>
#include <string>

#include "node-helper/checks/probe.h"

namespace drover {

// "connection refused", "no route to host", …; the system's own words for the rest.
std::string ReasonOf(int error_number);
// A failure, unless the error says that this node lacks the means.
CheckAnswer OutcomeOfErrno(int error_number);
// "no answer in 1s".
std::string NoAnswerIn(std::chrono::milliseconds timeout);
// Bytes of a stranger for a message: at most 40, without control characters.
std::string Printable(std::string_view bytes);

}  // namespace drover
