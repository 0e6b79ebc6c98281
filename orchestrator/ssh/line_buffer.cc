#include "orchestrator/ssh/line_buffer.h"

namespace drover {

void LineBuffer::Add(std::string_view bytes) {
  // Lines taken out are dropped here and not one by one, so that many short lines cost no copies.
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_ += bytes;
}

Result<std::optional<std::string>> LineBuffer::Next() {
  const std::size_t newline = buffer_.find('\n', scanned_);
  const bool whole = newline != std::string::npos;
  if ((whole ? newline : buffer_.size()) - start_ > limit_) {
    return Fail(ErrorCode::kInvalid, "a line of more than " + std::to_string(limit_) + " bytes");
  }
  if (!whole) {
    scanned_ = buffer_.size();
    return std::optional<std::string>();
  }
  std::optional<std::string> line = buffer_.substr(start_, newline - start_);
  start_ = newline + 1;
  scanned_ = start_;
  return line;
}

void Tail::Add(std::string_view bytes) {
  text_ += bytes;
  if (text_.size() > limit_) text_.erase(0, text_.size() - limit_);
}

std::string OneLineOf(std::string_view text, std::size_t limit) {
  std::string line;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
      blank = !line.empty();
      continue;
    }
    if (line.size() >= limit) return line + "…";
    if (blank) line += ' ';
    blank = false;
    line += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return line;
}

}  // namespace drover
