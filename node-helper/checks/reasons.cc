#include "node-helper/checks/reasons.h"

#include <cerrno>
#include <cstring>

#include "protocol/words.h"

namespace drover {

std::string ReasonOf(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
      return "connection reset";
    case EPIPE:
      return "connection closed";
    case EHOSTUNREACH:
      return "host unreachable";
    case ENETUNREACH:
      return "network unreachable";
    case ETIMEDOUT:
      return "no answer";
    case EPERM:
    case EACCES:
      return "forbidden by this node's firewall or rights";
    case EMFILE:
    case ENFILE:
      return "out of file descriptors here";
    case ENOMEM:
    case ENOBUFS:
      return "out of memory here";
    case EADDRNOTAVAIL:
      return "out of local ports here";
    default:
      return std::strerror(error_number);
  }
}

CheckAnswer OutcomeOfErrno(int error_number) {
  switch (error_number) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL:
      return CheckAnswer::NotAsked(ReasonOf(error_number));
    default:
      return CheckAnswer::Failed(ReasonOf(error_number));
  }
}

std::string NoAnswerIn(std::chrono::milliseconds timeout) {
  return "no answer in " + DurationText(timeout);
}

std::string Printable(std::string_view bytes) {
  constexpr std::size_t kMax = 40;
  std::string text(bytes.substr(0, kMax));
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '?';
  }
  while (text.ends_with(' ') || text.ends_with('?')) text.pop_back();
  return text + (bytes.size() > kMax ? "…" : "");
}

}  // namespace drover
