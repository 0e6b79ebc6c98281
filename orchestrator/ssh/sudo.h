// What sudo says, told apart: its question for the password, a refusal, or nothing of interest.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

// A prompt that nothing else prints.
std::string SudoPrompt(std::string_view random_hex);

// The verdict over what sudo wrote to stderr so far.
enum class SudoState {
  kSilent,     // no word from sudo yet
  kAsks,       // wants the password for the first time
  kAsksAgain,  // the password was wrong
};
SudoState ReadSudo(std::string_view stderr_text, std::string_view prompt);

// When the session ended before the stub's first word: sudo's refusal, if that was the reason.
std::optional<Error> SudoRefusal(std::string_view stderr_text, bool password_given,
                                 const std::string& user, const std::string& host);
Error SudoWrongPassword(const std::string& user, const std::string& host);
Error SudoWantsPassword(const std::string& host);

}  // namespace drover
