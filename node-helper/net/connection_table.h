// The connections of ip_vs, from /proc/net/ip_vs_conn: the kernel gives them in no other way.
//
// One thread at a time. An entry is handed on and forgotten, so that a million entries take no more
// memory than one. Time is another matter: the kernel gives some 50 entries per read and counts
// from the start of its table to find where it was (ip_vs_conn_array), so that a table ten times as
// long takes up to a hundred times as long. Therefore a pass can be made in slices.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "node-helper/sync/connection.h"
#include "protocol/result.h"

namespace drover {

// One line of the table, without its end; nothing for the headline and for lines that are no
// entries.
std::optional<Connection> ParseConnection(std::string_view line);

using EachConnection = std::function<void(const Connection&)>;

// Cuts text that comes in pieces into lines.
class ConnectionLines {
 public:
  void Feed(std::string_view piece, const EachConnection& each);
  // Lines that were neither headline nor entry; a line longer than kMaxLine is one of them.
  [[nodiscard]] std::size_t odd() const { return odd_; }

  static constexpr std::size_t kMaxLine = 4096;

 private:
  void Line(std::string_view line, const EachConnection& each);

  std::string rest_;
  bool skipping_ = false;  // the rest of a line that is too long
  std::size_t odd_ = 0;
};

// One pass over the table of the network namespace this process is in.
class ConnectionReader {
 public:
  // Without ip_vs the table is empty.
  static Result<ConnectionReader> Open(const std::string& path = "/proc/net/ip_vs_conn");

  ConnectionReader(ConnectionReader&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), lines_(std::move(other.lines_)) {}
  ConnectionReader& operator=(ConnectionReader&&) = delete;
  ~ConnectionReader();

  // Reads on until the end (true) or, when `slice` has passed, at least one piece (false).
  Result<bool> ReadSome(std::chrono::microseconds slice, const EachConnection& each);
  [[nodiscard]] std::size_t odd() const { return lines_.odd(); }

 private:
  explicit ConnectionReader(int fd) : fd_(fd) {}

  int fd_;  // -1: at the end
  ConnectionLines lines_;
};

}  // namespace drover
