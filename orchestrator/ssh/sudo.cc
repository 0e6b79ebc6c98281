#include "orchestrator/ssh/sudo.h"

#include "orchestrator/ssh/line_buffer.h"

namespace drover {
namespace {

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The line of `text` that holds `part`: sudo may print a lecture before it.
std::string LineWith(std::string_view text, std::string_view part) {
  const std::size_t at = text.find(part);
  const std::size_t newline = text.rfind('\n', at);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  return OneLineOf(text.substr(begin, text.find('\n', at) - begin));
}

}  // namespace

std::string SudoPrompt(std::string_view random_hex) {
  return "drover-sudo-" + std::string(random_hex) + ":";
}

SudoState ReadSudo(std::string_view stderr_text, std::string_view prompt) {
  if (prompt.empty()) return SudoState::kSilent;
  const std::size_t first = stderr_text.find(prompt);
  if (first == std::string_view::npos) return SudoState::kSilent;
  const bool again = Has(stderr_text.substr(first + prompt.size()), prompt);
  return again ? SudoState::kAsksAgain : SudoState::kAsks;
}

Error SudoWrongPassword(const std::string& user, const std::string& host) {
  return {ErrorCode::kDenied, "sudo refused the password for " + user + " on " + host};
}

Error SudoWantsPassword(const std::string& host) {
  return {ErrorCode::kDenied,
          "sudo on " + host + " wants a password: give -K or ansible_become_password"};
}

std::optional<Error> SudoRefusal(std::string_view stderr_text, bool password_given,
                                 const std::string& user, const std::string& host) {
  if (Has(stderr_text, "sudo: a password is required") ||
      Has(stderr_text, "sudo: no password was provided")) {
    return password_given ? SudoWrongPassword(user, host) : SudoWantsPassword(host);
  }
  if (Has(stderr_text, "incorrect password attempt") || Has(stderr_text, "Sorry, try again")) {
    return SudoWrongPassword(user, host);
  }
  if (Has(stderr_text, "must have a tty")) {
    return Error{ErrorCode::kDenied,
                 "sudo on " + host + ": " + LineWith(stderr_text, "must have a tty") +
                     "; remove requiretty for " + user + " from its sudoers file"};
  }
  for (const std::string_view words :
       {"is not in the sudoers file", "is not allowed to", "may not run sudo", "account validation",
        "sudo: command not found", "sudo: not found", "sudo’: No such file", "sudo': No such file",
        "env: can't execute"}) {
    if (!Has(stderr_text, words)) continue;
    return Error{ErrorCode::kDenied, "sudo on " + host + ": " + LineWith(stderr_text, words)};
  }
  const std::size_t sudo = stderr_text.find("sudo: ");
  if (sudo == std::string_view::npos) return std::nullopt;
  return Error{ErrorCode::kDenied,
               "sudo on " + host + ": " + LineWith(stderr_text.substr(sudo), "sudo: ").substr(6)};
}

}  // namespace drover
