// The outcome of a verify task as an indented block for people: who served, how fast, who owns the
// VIP, what is wrong and what to do about it.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/verify/judge.h"

namespace drover {

std::string VerifyText(const VerifyReport& report, bool colours);

// "rs1 rs2 rs3, 10 times" for a sequence that repeats, else its beginning.
std::string SequenceText(const std::vector<std::string>& sequence);

}  // namespace drover
