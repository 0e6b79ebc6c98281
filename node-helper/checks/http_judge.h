// What an HTTP check asks and how it judges the answer (RFC 9112), in whatever pieces it comes.
//
// Pure; the parser of Boost.Beast stays behind it. Of a body at most kMaxJudgedBody bytes are kept;
// what goes on behind them is not waited for, unless its hash is asked.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pattern/pattern.h"
#include "node-helper/checks/probe.h"
#include "protocol/check_settings.h"

namespace drover {

inline constexpr std::size_t kMaxJudgedBody = std::size_t{64} << 10;
inline constexpr std::size_t kMaxHashedBody = std::size_t{16} << 20;

// The whole request. Headers of the check replace ours.
std::string HttpRequestOf(const HttpCheck& check, const Endpoint& server);
// "200-299", "200, 301-302".
std::string StatusText(const std::vector<StatusRange>& wanted);

// Judges one answer.
class HttpJudge {
 public:
  // Both must outlive it; `pattern` is null when no body_regex is asked.
  HttpJudge(const HttpCheck& check, const Pattern* pattern);
  HttpJudge(HttpCheck&& check, const Pattern* pattern) = delete;
  ~HttpJudge();
  HttpJudge(const HttpJudge&) = delete;
  HttpJudge& operator=(const HttpJudge&) = delete;

  void Feed(std::string_view bytes);
  // The server closed the connection.
  void End();
  // Empty while more is needed.
  [[nodiscard]] const std::optional<CheckAnswer>& verdict() const { return verdict_; }
  // Something of an answer has come.
  [[nodiscard]] bool began() const { return seen_ > 0; }

 private:
  struct Parser;

  void Parse();
  void TakeHeader();
  void JudgeBody();
  [[nodiscard]] bool wants_hash() const { return !check_.body_sha256.empty(); }

  const HttpCheck& check_;
  const Pattern* pattern_;
  std::unique_ptr<Parser> parser_;
  std::string pending_;  // bytes that the parser wants to see again with more behind them
  std::size_t seen_ = 0;
  bool header_taken_ = false;
  std::optional<std::uint32_t> weight_;
  std::optional<CheckAnswer> verdict_;
};

}  // namespace drover
