#include "orchestrator/ssh/agent_relay.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

namespace drover {
namespace {

constexpr char kRequestIdentities = 11;
constexpr char kIdentitiesAnswer = 12;
constexpr std::size_t kMaxMessage = 256 * 1024;
// A key may want to be touched, or its use to be confirmed.
constexpr std::chrono::seconds kSignTime{60};

std::string U32(std::size_t value) {
  std::string bytes(4, '\0');
  for (int i = 0; i < 4; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i));
  return bytes;
}

std::optional<std::size_t> TakeU32(std::string_view& text) {
  if (text.size() < 4) return std::nullopt;
  std::size_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
  text.remove_prefix(4);
  return value;
}

std::optional<std::string> TakeString(std::string_view& text) {
  const auto size = TakeU32(text);
  if (!size || *size > text.size()) return std::nullopt;
  std::string taken(text.substr(0, *size));
  text.remove_prefix(*size);
  return taken;
}

// The waits of the relay end with any of two bells.
struct Ends {
  const Bell& session;
  const Bell* stop;
};

bool WaitForOne(int fd, short events, const Ends& ends, Deadline deadline) {
  std::array<pollfd, 2> fds{
      {{fd, events, 0}, {ends.stop == nullptr ? -1 : ends.stop->fd(), POLLIN, 0}}};
  return WaitFor(fds, ends.session, deadline) == Woken::kReady && fds[1].revents == 0;
}

std::optional<std::string> ReadExactly(int fd, std::size_t size, const Ends& ends,
                                       Deadline deadline) {
  std::string bytes(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    if (!WaitForOne(fd, POLLIN, ends, deadline)) return std::nullopt;
    const ssize_t got = ::recv(fd, bytes.data() + at, size - at, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return std::nullopt;
    if (got > 0) at += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::optional<std::string> ReadMessage(int fd, const Ends& ends, Deadline deadline) {
  const auto head = ReadExactly(fd, 4, ends, deadline);
  if (!head) return std::nullopt;
  std::string_view view = *head;
  const auto size = TakeU32(view);
  if (!size || *size == 0 || *size > kMaxMessage) return std::nullopt;
  return ReadExactly(fd, *size, ends, deadline);
}

bool WriteMessage(int fd, std::string_view message, const Ends& ends, Deadline deadline) {
  const std::string bytes = U32(message.size()) + std::string(message);
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (!WaitForOne(fd, POLLOUT, ends, deadline)) return false;
    const ssize_t sent =
        ::send(fd, bytes.data() + at, bytes.size() - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) at += static_cast<std::size_t>(sent);
  }
  return true;
}

std::optional<std::string> Ask(int agent, std::string_view request, const Ends& ends,
                               Deadline deadline) {
  if (!WriteMessage(agent, request, ends, deadline)) return std::nullopt;
  return ReadMessage(agent, ends, deadline);
}

}  // namespace

Result<std::vector<AgentKey>> ParseIdentitiesAnswer(std::string_view message) {
  const auto bad = [] { return Fail(ErrorCode::kUnreachable, "ssh-agent: unexpected answer"); };
  if (message.empty() || message.front() != kIdentitiesAnswer) return bad();
  message.remove_prefix(1);
  const auto count = TakeU32(message);
  if (!count) return bad();
  std::vector<AgentKey> keys;
  for (std::size_t i = 0; i < *count; ++i) {
    auto blob = TakeString(message);
    auto comment = TakeString(message);
    if (!blob || !comment) return bad();
    keys.push_back({*std::move(blob), *std::move(comment)});
  }
  return keys;
}

std::string IdentitiesAnswer(const std::vector<AgentKey>& keys) {
  std::string message = kIdentitiesAnswer + U32(keys.size());
  for (const AgentKey& key : keys) {
    message += U32(key.blob.size()) + key.blob + U32(key.comment.size()) + key.comment;
  }
  return message;
}

Result<std::unique_ptr<AgentRelay>> AgentRelay::Open(const std::string& socket_path,
                                                     const Bell& bell, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return Fail(ErrorCode::kInvalid, "ssh-agent socket " + socket_path + ": the path is too long");
  }
  std::copy(socket_path.begin(), socket_path.end(), address.sun_path);
  UniqueFd agent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!agent.valid() ||
      ::connect(agent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(ErrnoError(errno, "ssh-agent " + socket_path));
  }
  const auto answer =
      Ask(agent.get(), std::string(1, kRequestIdentities), {bell, nullptr}, deadline);
  if (!answer) return Fail(ErrorCode::kTimeout, "ssh-agent " + socket_path + ": no answer");
  auto keys = ParseIdentitiesAnswer(*answer);
  if (!keys) return Fail(keys.error());
  return std::make_unique<AgentRelay>(std::move(agent), *std::move(keys), bell);
}

Result<UniqueFd> AgentRelay::Offer(const std::vector<AgentKey>& keys) {
  Stop();
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return Fail(ErrnoError(errno, "socketpair"));
  }
  stop_ = std::make_unique<Bell>();
  thread_ = std::thread([this, fd = fds[1], keys] {
    const UniqueFd client(fd);
    Relay(client.get(), keys);
  });
  return UniqueFd(fds[0]);
}

void AgentRelay::Stop() {
  if (!thread_.joinable()) return;
  stop_->Ring();
  thread_.join();
}

void AgentRelay::Relay(int client, const std::vector<AgentKey>& keys) const {
  const Ends ends{bell_, stop_.get()};
  while (true) {
    const auto request = ReadMessage(client, ends, Deadline::max());
    if (!request) return;
    const auto reply = request->front() == kRequestIdentities
                           ? std::optional(IdentitiesAnswer(keys))
                           : Ask(agent_.get(), *request, ends, In(kSignTime));
    if (!reply || !WriteMessage(client, *reply, ends, In(kSignTime))) return;
  }
}

}  // namespace drover
