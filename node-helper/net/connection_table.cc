#include "node-helper/net/connection_table.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace drover {
namespace {

constexpr std::size_t kPiece = 65536;  // the kernel gives a page at a time
constexpr std::size_t kFields = 8;     // up to the state; what follows does not matter here

// The next word of `line`, which is cut off from it; empty at the end.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t start = line.find_first_not_of(' ');
  if (start == std::string_view::npos) return {};
  const std::size_t end = std::min(line.find(' ', start), line.size());
  const std::string_view word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

// Exactly `digits` hexadecimal digits.
std::optional<std::uint32_t> Hex(std::string_view text, std::size_t digits) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || text.size() != digits) return std::nullopt;
  return number;
}

// "0A4D0064" or "20010db8:…" in eight groups of four digits (%pI6), never shortened.
std::optional<IpAddress> Address(std::string_view text) {
  if (text.size() == 8) {
    const auto number = Hex(text, 8);
    if (!number) return std::nullopt;
    return IpAddress::V4(
        {static_cast<std::uint8_t>(*number >> 24), static_cast<std::uint8_t>(*number >> 16),
         static_cast<std::uint8_t>(*number >> 8), static_cast<std::uint8_t>(*number)});
  }
  constexpr std::size_t kGroup = 5;  // with its colon
  std::array<std::uint8_t, 16> bytes{};
  if (text.size() != 8 * kGroup - 1) return std::nullopt;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto number = Hex(text.substr(i * kGroup, 4), 4);
    if (!number || (i < 7 && text[i * kGroup + 4] != ':')) return std::nullopt;
    bytes[2 * i] = static_cast<std::uint8_t>(*number >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(*number);
  }
  return IpAddress::V6(bytes);
}

std::optional<Endpoint> EndpointOf(std::string_view address, std::string_view port) {
  const auto parsed = Address(address);
  const auto number = Hex(port, 4);
  if (!parsed || !number) return std::nullopt;
  return Endpoint{*parsed, static_cast<std::uint16_t>(*number)};
}

// ip_vs_proto_name.
std::optional<std::uint8_t> ProtocolOf(std::string_view word) {
  if (word == "TCP") return IPPROTO_TCP;
  if (word == "UDP") return IPPROTO_UDP;
  if (word == "IP") return IPPROTO_IP;
  if (word == "SCTP") return IPPROTO_SCTP;
  if (word == "ICMP") return IPPROTO_ICMP;
  if (word == "ICMPv6") return IPPROTO_ICMPV6;
  constexpr std::string_view kNumbered = "IP_";
  if (word.substr(0, kNumbered.size()) != kNumbered) return std::nullopt;
  word.remove_prefix(kNumbered.size());
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Connection> ParseConnection(std::string_view line) {
  std::array<std::string_view, kFields> words;
  for (std::string_view& word : words) word = TakeWord(line);
  const auto protocol = ProtocolOf(words[0]);
  const auto client = EndpointOf(words[1], words[2]);
  const auto virtual_address = EndpointOf(words[3], words[4]);
  const auto real_server = EndpointOf(words[5], words[6]);
  if (!protocol || !client || !virtual_address || !real_server || words[7].empty()) {
    return std::nullopt;
  }
  return Connection{*protocol, *client, *virtual_address, *real_server,
                    ClassOf(*protocol, client->port, words[7])};
}

void ConnectionLines::Line(std::string_view line, const EachConnection& each) {
  if (const auto connection = ParseConnection(line)) {
    each(*connection);
  } else if (line.substr(0, 4) != "Pro ") {
    ++odd_;
  }
}

void ConnectionLines::Feed(std::string_view piece, const EachConnection& each) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
    if (!skipping_ && rest_.size() + part.size() > kMaxLine) {
      ++odd_;
      skipping_ = true;
      rest_.clear();
    }
    if (end == std::string_view::npos) {
      if (!skipping_) rest_.append(part);
      return;
    }
    if (!skipping_ && rest_.empty()) {
      Line(part, each);
    } else if (!skipping_) {
      rest_.append(part);
      Line(rest_, each);
    }
    rest_.clear();
    skipping_ = false;
  }
}

ConnectionReader::~ConnectionReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<ConnectionReader> ConnectionReader::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT) return Fail(ErrnoError(errno, path));
  return ConnectionReader(fd);
}

Result<bool> ConnectionReader::ReadSome(std::chrono::microseconds slice,
                                        const EachConnection& each) {
  if (fd_ < 0) return true;
  const auto until = std::chrono::steady_clock::now() + slice;
  std::array<char, kPiece> buffer;
  do {
    const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrnoError(errno, "reading the connections of ip_vs"));
    if (got == 0) {
      ::close(std::exchange(fd_, -1));
      return true;
    }
    lines_.Feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)), each);
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

}  // namespace drover
