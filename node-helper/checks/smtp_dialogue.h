// The client's side of the shortest SMTP session (RFC 5321): greeting, EHLO (HELO when refused),
// QUIT.
//
// Pure: bytes in, bytes to send and in the end a verdict out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "node-helper/checks/probe.h"

namespace drover {

class SmtpDialogue {
 public:
  explicit SmtpDialogue(std::string helo) : helo_(std::move(helo)) {}

  // What to send now; often empty.
  std::string Feed(std::string_view bytes);
  // The server closed the connection.
  void End();
  // Empty while it goes on.
  [[nodiscard]] const std::optional<CheckAnswer>& verdict() const { return verdict_; }
  // What silence means: after the server took our name only its goodbye is missing.
  [[nodiscard]] CheckAnswer Silence(const std::string& no_answer) const;

 private:
  enum class Wait : std::uint8_t { kGreeting, kEhlo, kHelo, kGoodbye };

  std::string TakeReply(int code, const std::string& line);

  std::string helo_;
  std::string pending_;  // the line that is still coming
  std::size_t seen_ = 0;
  Wait wait_ = Wait::kGreeting;
  std::optional<CheckAnswer> verdict_;
};

}  // namespace drover
