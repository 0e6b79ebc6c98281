#include "node-helper/drill/http_text.h"

#include <algorithm>
#include <charconv>

namespace drover {
namespace {

constexpr std::string_view kIdHeader = "X-Drover-Request";
constexpr std::string_view kResponderHeader = "X-Drover-Responder";
constexpr std::string_view kDirectorHeader = "X-Drover-Director";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameWord(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return Lower(a) == Lower(b); });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename Integer>
bool ReadNumber(std::string_view text, Integer& out, int base = 10) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool ReadMac(std::string_view text, MacAddress& out) {
  MacAddress mac;
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    if (i > 0 && text[3 * i - 1] != ':') return false;
    if (!ReadNumber(text.substr(3 * i, 2), mac[i], 16)) return false;
  }
  out = mac;
  return true;
}

// One of the words of a list like "keep-alive, Upgrade".
bool Lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (SameWord(Trim(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Calls `each(name, value)` for every header line; false when a line is none.
template <typename Each>
bool ForEachHeader(std::string_view head, Each&& each) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    each(line.substr(0, colon), Trim(line.substr(colon + 1)));
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return true;
}

HttpRequestHead Malformed() { return {.keeps = false, .malformed = true}; }

HttpRequestHead ReadRequest(std::string_view head) {
  const std::size_t end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(end + 2, head.size()));
  HttpRequestHead request;
  request.is_head = line.starts_with("HEAD ");
  request.is_get = line.starts_with("GET ") || request.is_head;
  if (!line.ends_with(" HTTP/1.1") && !line.ends_with(" HTTP/1.0")) return Malformed();
  request.keeps = line.ends_with(" HTTP/1.1");
  bool has_body = false;
  const bool fine = ForEachHeader(head, [&](std::string_view name, std::string_view value) {
    if (SameWord(name, "Connection") && Lists(value, "close")) request.keeps = false;
    if (SameWord(name, "Transfer-Encoding")) has_body = true;
    if (SameWord(name, "Content-Length") && value != "0") has_body = true;
    if (SameWord(name, kIdHeader)) (void)ReadNumber(value, request.id);
  });
  return fine && !has_body ? request : Malformed();
}

std::string_view ReasonOf(int status) {
  if (status < 300) return "OK";
  return status < 500 ? "Bad Request" : "Service Unavailable";
}

}  // namespace

std::string ProbeHttpRequest(const Endpoint& target, std::string_view path, std::uint64_t id,
                             bool close) {
  std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + target.ToString() +
                     "\r\nUser-Agent: drover\r\n" + std::string(kIdHeader) + ": " +
                     std::to_string(id) + "\r\n";
  if (close) text += "Connection: close\r\n";
  return text + "\r\n";
}

HttpReplyReader::Progress HttpReplyReader::Feed(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kUntilClose) {
      bytes = {};
      return Progress::kMore;
    }
    if (state_ == State::kFixed || state_ == State::kChunk) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      bytes.remove_prefix(taken);
      left_ -= taken;
      if (left_ > 0) continue;
      if (state_ == State::kFixed) return Complete();
      state_ = State::kChunkSize;
      continue;
    }
    const char next = bytes.front();
    bytes.remove_prefix(1);
    if (++head_bytes_ > kMaxHttpHead) return Progress::kMalformed;
    if (next != '\n') {
      line_ += next;
      continue;
    }
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    const std::string line = std::move(line_);
    line_.clear();
    const Progress progress = FeedLine(line);
    if (progress != Progress::kMore) return progress;
  }
  return Progress::kMore;
}

HttpReplyReader::Progress HttpReplyReader::FeedLine(std::string_view line) {
  if (state_ == State::kTrailer) return line.empty() ? Complete() : Progress::kMore;
  if (state_ == State::kChunkSize) {
    head_bytes_ = 0;
    const std::string_view size = Trim(line.substr(0, line.find(';')));
    std::uint64_t chunk = 0;
    if (!ReadNumber(size, chunk, 16) || chunk > kMaxHttpBody) return Progress::kMalformed;
    state_ = chunk == 0 ? State::kTrailer : State::kChunk;
    left_ = chunk + 2;  // with the line's end behind it
    return Progress::kMore;
  }
  if (!begun_) {
    const bool fine = line.starts_with("HTTP/1.") && line.size() >= 12 && line[8] == ' ';
    reply_ = HttpReply{};
    if (!fine || !ReadNumber(line.substr(9, 3), reply_.status) || reply_.status < 100) {
      return Progress::kMalformed;
    }
    reply_.closes = line.starts_with("HTTP/1.0");
    begun_ = true;
    return Progress::kMore;
  }
  if (line.empty()) return EndHead();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Progress::kMalformed;
  ReadHeader(line.substr(0, colon), Trim(line.substr(colon + 1)));
  return Progress::kMore;
}

void HttpReplyReader::ReadHeader(std::string_view name, std::string_view value) {
  if (SameWord(name, "Connection") && Lists(value, "close")) reply_.closes = true;
  if (SameWord(name, "Transfer-Encoding")) chunked_ = Lists(value, "chunked");
  if (SameWord(name, "Content-Length")) {
    length_ = 0;
    bad_length_ = !ReadNumber(value, *length_) || *length_ > kMaxHttpBody;
  }
  if (SameWord(name, kResponderHeader)) reply_.responder = value.substr(0, kMaxProbeName);
  if (SameWord(name, kDirectorHeader)) (void)ReadMac(value, reply_.mac);
  std::uint64_t id = 0;
  if (SameWord(name, kIdHeader) && ReadNumber(value, id)) reply_.id = id;
}

HttpReplyReader::Progress HttpReplyReader::EndHead() {
  if (bad_length_) return Progress::kMalformed;
  const bool interim = reply_.status < 200;  // 100 Continue: the reply is still to come
  if (interim || reply_.status == 204 || reply_.status == 304) {
    if (!interim) return Complete();
    begun_ = false;
    head_bytes_ = 0;
    return Progress::kMore;
  }
  if (chunked_) {
    state_ = State::kChunkSize;
  } else if (length_) {
    if (*length_ == 0) return Complete();
    left_ = *length_;
    state_ = State::kFixed;
  } else {
    reply_.closes = true;
    state_ = State::kUntilClose;
  }
  return Progress::kMore;
}

HttpReplyReader::Progress HttpReplyReader::Complete() {
  state_ = State::kHead;
  begun_ = false;
  chunked_ = false;
  length_.reset();
  left_ = 0;
  head_bytes_ = 0;
  return Progress::kComplete;
}

bool HttpReplyReader::End() {
  if (state_ != State::kUntilClose) return false;
  Complete();
  return true;
}

std::optional<HttpRequestHead> TakeProbeRequest(std::string& buffer) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer.size() <= kMaxHttpHead) return std::nullopt;
    buffer.clear();
    return Malformed();
  }
  if (end > kMaxHttpHead) return Malformed();
  const HttpRequestHead request = ReadRequest(std::string_view(buffer).substr(0, end));
  buffer.erase(0, end + 4);
  return request;
}

std::string ProbeHttpReply(const HttpRequestHead& request, int status, std::string_view responder,
                           const MacAddress& mac) {
  if (request.malformed || !request.is_get) status = 400;
  const std::string body = std::string(responder) + "\n";
  std::string text =
      "HTTP/1.1 " + std::to_string(status) + " " + std::string(ReasonOf(status)) +
      "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
      std::string(kResponderHeader) + ": " + std::string(responder) + "\r\n" +
      std::string(kIdHeader) + ": " + std::to_string(request.id) + "\r\n";
  if (mac != MacAddress{}) {
    text += std::string(kDirectorHeader) + ": " + MacText(mac) + "\r\n";
  }
  if (!request.keeps) text += "Connection: close\r\n";
  text += "\r\n";
  return request.is_head ? text : text + body;
}

}  // namespace drover
