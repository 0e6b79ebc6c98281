// Telling somebody else about a drill: a command, or a webhook.
//
// A command gets its words without a shell, the facts in its environment, and a time limit. A
// webhook is a POST of the facts as JSON; https is verified. Neither ever shows a URL in full: it
// may hold a key.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace drover {

inline constexpr std::chrono::seconds kHookTimeout{30};

using HookFacts = std::map<std::string, std::string>;  // "schedule", "verdict", …

// Words parted by blanks; quotes and backslashes as in a shell, and nothing else of it.
Result<std::vector<std::string>> SplitWords(std::string_view text);
bool IsUrl(std::string_view text);
// "https://chat.example/…"; a command as it is.
std::string ShownHook(const std::string& hook);
// "DROVER_VERDICT" for "verdict".
std::string VariableOf(const std::string& fact);

// `hook` is a command or a URL. kTimeout, or what went wrong.
Status RunHook(const std::string& hook, const HookFacts& facts,
               std::chrono::milliseconds timeout = kHookTimeout);

}  // namespace drover
