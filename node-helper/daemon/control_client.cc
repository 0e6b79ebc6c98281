#include "node-helper/daemon/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>

#include "node-helper/daemon/control.h"
#include "node-helper/install/daemon_lock.h"
#include "protocol/codec.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kConnectPatience{3000};  // it is just being started
constexpr milliseconds kAnswerPatience{5000};
constexpr milliseconds kSilence{10000};
constexpr milliseconds kLook{50};
constexpr std::size_t kMaxAnswer = std::size_t{64} << 20;

std::string Request(const char* verb) { return Json{{"verb", verb}}.dump(); }

std::vector<std::string> Sentences(const Json& answer, const char* key) {
  std::vector<std::string> list;
  const auto found = answer.find(key);
  if (found == answer.end() || !found->is_array()) return list;
  for (const Json& entry : *found) {
    if (entry.is_string()) list.push_back(entry.get<std::string>());
  }
  return list;
}

Result<Overlay> OverlayIn(const Result<std::string>& answer) {
  if (!answer) return Fail(answer.error());
  return DecodeOverlay(Json::parse(*answer).value("overlay", Json()).dump());
}

Status Done(const Result<std::string>& answer) {
  return answer ? Status() : Status(Fail(answer.error()));
}

}  // namespace

bool ControlClient::Runs() { return RunningDaemon(root_).has_value(); }

Status ControlClient::Connect() {
  if (socket_.valid()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = ControlSocket(root_);
  if (path.size() >= sizeof address.sun_path) return Fail(ErrorCode::kInvalid, path + ": too long");
  path.copy(address.sun_path, path.size());
  const auto deadline = Clock::now() + kConnectPatience;
  for (;;) {
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Fail(ErrnoError(errno, path));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      socket_ = std::move(fd);
      buffer_.clear();
      return {};
    }
    const bool starting = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN;
    if (!starting || !Runs() || Clock::now() >= deadline) {
      return Fail(ErrnoError(errno, "asking the helper's daemon (" + path + ")"));
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<std::string> ControlClient::Exchange(const std::string& line) {
  if (const Status connected = Connect(); !connected) return Fail(connected.error());
  const std::string request = line + "\n";
  std::size_t sent = 0;
  const auto deadline = Clock::now() + kAnswerPatience;
  std::array<char, 65536> chunk;
  for (;;) {
    const std::size_t newline = buffer_.find('\n');
    if (newline != std::string::npos) {
      std::string answer = buffer_.substr(0, newline);
      buffer_.erase(0, newline + 1);
      return answer;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    pollfd waiting{socket_.get(), static_cast<short>(sent < request.size() ? POLLOUT : POLLIN), 0};
    const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return Fail(ErrorCode::kTimeout, "the helper's daemon does not answer (is it frozen?)");
    }
    if (sent < request.size()) {
      const ssize_t took = ::send(socket_.get(), request.data() + sent, request.size() - sent,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (took > 0) sent += static_cast<std::size_t>(took);
      if (took < 0 && errno != EAGAIN && errno != EINTR) {
        return Fail(ErrnoError(errno, "asking the helper's daemon"));
      }
      continue;
    }
    const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0 || buffer_.size() > kMaxAnswer) {
      return Fail(ErrorCode::kUnreachable, "the helper's daemon ended the conversation");
    }
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> ControlClient::Ask(const std::string& request) {
  if (Clock::now() < silent_until_) {
    return Fail(ErrorCode::kTimeout, "the helper's daemon does not answer (is it frozen?)");
  }
  const bool was_connected = socket_.valid();
  auto answer = Exchange(request);
  if (!answer) {
    socket_.Reset();
    // It was started anew since the last question.
    if (was_connected && answer.error().code != ErrorCode::kTimeout) answer = Exchange(request);
  }
  if (!answer) {
    socket_.Reset();
    if (answer.error().code == ErrorCode::kTimeout) silent_until_ = Clock::now() + kSilence;
    return answer;
  }
  const Json json = Json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Fail(ErrorCode::kInternal, "the helper's daemon answers nonsense");
  const auto ok = json.find("ok");
  if (ok != json.end() && ok->is_boolean() && ok->get<bool>()) return answer;
  const auto word = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return Fail(ErrorCodeFromString(word("code")), word("message"));
}

Result<Overlay> ControlClient::Reload() { return OverlayIn(Ask(Request("reload"))); }
Result<Overlay> ControlClient::ReadOverlay() { return OverlayIn(Ask(Request("overlay"))); }

Result<std::vector<std::string>> ControlClient::WaitSettled(milliseconds patience,
                                                            const std::function<bool()>& give_up) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const auto answer = Ask(Request("settled"));
    if (!answer) return Fail(answer.error());
    const Json json = Json::parse(*answer);
    std::vector<std::string> open = Sentences(json, "open");
    if (open.empty() || Clock::now() >= deadline || give_up()) {
      const std::vector<std::string> faults = Sentences(json, "faults");
      open.insert(open.end(), faults.begin(), faults.end());
      return open;
    }
    std::this_thread::sleep_for(kLook);
  }
}

Status ControlClient::SettleForms(const std::vector<std::string>& unsettled) {
  return Done(Ask(Json{{"verb", "settle_forms"}, {"unsettled", unsettled}}.dump()));
}

Result<NodeStatus> ControlClient::ReadStatus() {
  const auto answer = Ask(Request("status"));
  if (!answer) return Fail(answer.error());
  return DecodeNodeStatus(Json::parse(*answer).value("status", Json()).dump());
}

Status ControlClient::Move(HandoverMove move, const std::vector<std::string>& instances,
                           bool with_run) {
  const Json request{{"verb", move == HandoverMove::kYield ? "yield" : "return"},
                     {"instances", instances},
                     {"with_run", with_run}};
  return Done(Ask(request.dump()));
}

Status ControlClient::Upgrade() { return Done(Ask(Request("upgrade"))); }

}  // namespace drover
