#include "node-helper/tasks/probe_http.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <limits>

#include "protocol/codec.h"

namespace drover {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMaxHeaderBytes = 64 << 10;

bool IsBlank(char c) { return c == ' '; }

}  // namespace

struct HttpAnswer::State {
  http::response_parser<http::string_body> parser;
  std::string pending;  // bytes that the parser wants to see again with more behind them
  std::string body;
  std::size_t seen = 0;

  // Beast gathers the whole body; we keep its start and drop the rest as it comes.
  void KeepStartOfBody() {
    std::string& arrived = parser.get().body();
    body.append(arrived, 0, kMaxProbeBody - std::min(kMaxProbeBody, body.size()));
    arrived.clear();
  }
};

std::string HttpRequest(const Endpoint& service, std::string_view path, std::size_t body_bytes) {
  const std::string body =
      body_bytes == 0 ? "" : "Content-Length: " + std::to_string(body_bytes) + "\r\n";
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + service.ToString() +
         "\r\nUser-Agent: drover\r\nAccept: */*\r\nConnection: close\r\n" + body + "\r\n" +
         std::string(body_bytes, '.');
}

HttpAnswer::HttpAnswer() : state_(std::make_unique<State>()) {
  state_->parser.eager(true);  // header and body in one go
  state_->parser.header_limit(kMaxHeaderBytes);
  // Beast makes room for the whole announced length at once, so a limit must stand before that.
  state_->parser.body_limit(kMaxProbeAnswer);
}

HttpAnswer::~HttpAnswer() = default;

Result<bool> HttpAnswer::Feed(std::string_view bytes) {
  State& state = *state_;
  state.seen += bytes.size();
  if (state.seen > kMaxProbeAnswer) {
    return Fail(ErrorCode::kInvalid, "the HTTP answer is longer than 16 MiB");
  }
  state.pending.append(bytes);
  try {
    boost::system::error_code error;
    while (!state.pending.empty() && !state.parser.is_done()) {
      const std::size_t used = state.parser.put(boost::asio::buffer(state.pending), error);
      state.pending.erase(0, used);
      state.KeepStartOfBody();
      if (error == http::error::need_more) break;
      if (error) return Fail(ErrorCode::kInvalid, "not a good HTTP answer: " + error.message());
      if (used == 0) break;
    }
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kInternal, std::string("HTTP answer: ") + exception.what());
  }
  return state.parser.is_done();
}

Status HttpAnswer::End() {
  if (state_->parser.is_done()) return {};
  if (!state_->parser.got_some()) {
    return Fail(ErrorCode::kUnreachable, "the server closed the connection without an answer");
  }
  boost::system::error_code error;
  try {
    state_->parser.put_eof(error);
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kInternal, std::string("HTTP answer: ") + exception.what());
  }
  if (error) return Fail(ErrorCode::kUnreachable, "the server cut its HTTP answer short");
  return {};
}

int HttpAnswer::status() const {
  return state_->parser.is_header_done() ? static_cast<int>(state_->parser.get().result_int()) : 0;
}

std::string HttpAnswer::BodyStart() const {
  std::string body = state_->body;
  for (char& c : body) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  body.erase(body.begin(), std::find_if_not(body.begin(), body.end(), IsBlank));
  body.erase(std::find_if_not(body.rbegin(), body.rend(), IsBlank).base(), body.end());
  return body;
}

}  // namespace drover
