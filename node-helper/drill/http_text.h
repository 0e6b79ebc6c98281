// The little HTTP/1.1 (RFC 9112) that probes need: requests on a connection that stays open, and
// replies that follow each other on it, read in whatever pieces they come.
//
// Pure. Replies may be anybody's (nginx as well as our responder); ours name themselves in headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/address.h"
#include "protocol/probe_log.h"

namespace drover {

inline constexpr std::size_t kMaxHttpHead = 8192;
inline constexpr std::uint64_t kMaxHttpBody = 16U << 20;

// GET with the probe's number; `close` asks the server to close behind the reply.
std::string ProbeHttpRequest(const Endpoint& target, std::string_view path, std::uint64_t id,
                             bool close);

// What a reply tells; the body is not kept.
struct HttpReply {
  int status = 0;
  std::string responder;  // empty: no responder of ours
  MacAddress mac{};       // of the director, as the responder saw it
  std::optional<std::uint64_t> id;
  bool closes = false;  // the server closes behind it
  bool operator==(const HttpReply&) const = default;
};

// Replies of one connection, fed in pieces.
class HttpReplyReader {
 public:
  // Takes bytes from the front of `bytes` until one reply is complete, or all are taken.
  enum class Progress : std::uint8_t { kMore, kComplete, kMalformed };
  Progress Feed(std::string_view& bytes);
  // The other side closed: true when that completes a reply whose body ends so.
  bool End();
  [[nodiscard]] const HttpReply& reply() const { return reply_; }
  // True when no byte of a further reply was seen.
  [[nodiscard]] bool idle() const { return state_ == State::kHead && line_.empty() && !begun_; }

 private:
  enum class State : std::uint8_t { kHead, kFixed, kChunkSize, kChunk, kTrailer, kUntilClose };

  Progress FeedLine(std::string_view line);
  Progress EndHead();
  void ReadHeader(std::string_view name, std::string_view value);
  Progress Complete();

  State state_ = State::kHead;
  bool begun_ = false;  // the status line was seen
  bool chunked_ = false;
  bool bad_length_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;
  std::size_t head_bytes_ = 0;
  std::string line_;
  HttpReply reply_;
};

// A request as the responder needs it.
struct HttpRequestHead {
  bool is_get = false;  // or HEAD
  bool is_head = false;
  bool keeps = true;  // the connection
  std::uint64_t id = 0;
  bool malformed = false;
};
// The first request in `buffer`, which is taken from it; nothing while it is not complete. A head
// beyond kMaxHttpHead, or a request with a body, is malformed.
std::optional<HttpRequestHead> TakeProbeRequest(std::string& buffer);

// Our responder's answer to `request`.
std::string ProbeHttpReply(const HttpRequestHead& request, int status, std::string_view responder,
                           const MacAddress& mac);

}  // namespace drover
