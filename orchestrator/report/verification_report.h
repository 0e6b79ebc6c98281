// What `drover verify` found, in the forms that it can be asked for.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/verify/verification.h"

namespace drover {

// For people: each probe, the hosts, every finding, and a last line that sums up. With `all` also
// the checks that held.
std::string VerificationText(const Verification& verification, bool all, bool colours);
// One document.
std::string VerificationJson(const Verification& verification);
// One object per line: a "check" for each, a "note" for each, and a "verdict" at the end.
std::string VerificationLines(const Verification& verification);
// One suite per probe and one for the hosts; one case per law and service, VIP or host.
std::string VerificationJunit(const Verification& verification);

}  // namespace drover
