// A POST of JSON. Certificates are verified by the system's authorities, redirections are not
// followed. libcurl shows in the .cc only.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "protocol/result.h"

namespace drover {

// kInvalid for an answer of 400 and above, kUnreachable, kTimeout. Messages do not hold the URL.
Status PostFacts(const std::string& url, const std::map<std::string, std::string>& facts,
                 std::chrono::milliseconds timeout);

}  // namespace drover
