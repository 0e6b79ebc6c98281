// Bytes in, whole lines out; a line that is too long is an error and not a hole in memory.
//
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t limit) : limit_(limit) {}
  void Add(std::string_view bytes);
  // The next line without its newline, nothing if none is complete. kInvalid: a line longer than
  // the limit; the buffer is of no use after that.
  Result<std::optional<std::string>> Next();
  // What came after the last newline.
  [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(start_); }

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the current line
  std::size_t scanned_ = 0;  // no newline before this position
};

// Keeps the end of a text: what a process said last is what matters when it dies.
class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}
  void Add(std::string_view bytes);
  [[nodiscard]] const std::string& text() const { return text_; }
  void Clear() { text_.clear(); }

 private:
  std::size_t limit_;
  std::string text_;
};

// Text of a foreign process for one line of a message: white space folded, control bytes replaced,
// cut at `limit`.
std::string OneLineOf(std::string_view text, std::size_t limit = 400);

}  // namespace drover
