// The HTTP side of a probe: the request for one page, and the reading of its answer as the bytes
// come in. No sockets here; Boost.Beast does the parsing and stays in the .cc file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

inline constexpr std::size_t kMaxProbeAnswer = std::size_t{16} << 20;  // of one page

// HTTP/1.1 GET that asks the server to close behind its answer. With a body (RFC 9110 9.3.1: it has
// no meaning, servers read and drop it) so many bytes follow.
std::string HttpRequest(const Endpoint& service, std::string_view path, std::size_t body_bytes = 0);

// One answer, fed in pieces. Only the start of the body is kept.
class HttpAnswer {
 public:
  HttpAnswer();
  ~HttpAnswer();
  HttpAnswer(const HttpAnswer&) = delete;
  HttpAnswer& operator=(const HttpAnswer&) = delete;

  // True when the answer is complete. The error says what is wrong with it.
  Result<bool> Feed(std::string_view bytes);
  // The server closed: fine where the body ends by that, else the answer is cut short.
  Status End();

  [[nodiscard]] int status() const;
  // At most kMaxProbeBody bytes, control characters as blanks, stripped of blanks at both ends.
  [[nodiscard]] std::string BodyStart() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drover
