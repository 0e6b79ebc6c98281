#include "orchestrator/ssh/ssh_stream.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "orchestrator/ssh/authenticate.h"
#include "orchestrator/ssh/child_stream.h"
#include "orchestrator/ssh/host_key.h"
#include "orchestrator/ssh/known_hosts_file.h"
#include "orchestrator/ssh/line_buffer.h"
#include "orchestrator/ssh/ssh_handle.h"
#include "orchestrator/ssh/tcp_dial.h"

namespace drover {
namespace {

// A silent peer is asked after 10 s and given up after 20 more. The kernel does the same for TCP
// (FindDeadPeers); this one also sees through a ProxyCommand.
constexpr std::chrono::seconds kAskAfter{10};
constexpr std::chrono::seconds kGiveUpAfter{20};
constexpr std::chrono::milliseconds kExitCodeTime{1000};
constexpr std::size_t kChunk = 32768 - 64;  // one packet

struct ChannelFree {
  void operator()(ssh_channel_struct* channel) const { ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, ChannelFree>;

class SshStream final : public ByteStream {
 public:
  SshStream(const SshOptions& options, const Bell& bell) : options_(options), bell_(bell) {}
  // The channel goes before its session.
  ~SshStream() override { channel_.reset(); }

  Status Connect();
  Status Handshake();
  Status Exec(const std::string& command);

  Result<Arrival> Receive(Deadline deadline) override;
  Result<std::size_t> Write(std::string_view data, Deadline deadline) override;
  void CloseInput() override { ssh_channel_send_eof(channel_.get()); }
  Status Restart(const std::string& command, Deadline /*deadline*/) override {
    return Exec(command);
  }

 private:
  Status SetOptions(int fd);
  Result<UniqueFd> Dial();
  [[nodiscard]] std::vector<std::string> KnownHostsFiles() const;
  [[nodiscard]] HostKeyOptions HostKeys() const;
  [[nodiscard]] LoginOptions Credentials() const;
  // Takes what libssh has read. False: the connection is gone.
  bool Drain(Arrival& arrival);
  // Bytes came since `count` was read. Every call into libssh may read the socket and keep what it
  // was not asked for: to wait for the socket before that is taken would be to wait for it in vain.
  [[nodiscard]] bool HeardSince(std::uint64_t count) const { return received_.in_bytes != count; }
  ProcessEnd AwaitExitCode();
  Status KeepAlive();
  [[nodiscard]] Error Lost() const;
  [[nodiscard]] std::string ProxyWords() const;
  Result<int> Step(const std::string& what, const std::function<int()>& step) {
    return Drive(session_.get(), bell_, options_.timeout, SSH_AGAIN, what, step);
  }

  const SshOptions options_;
  const Bell& bell_;
  Child proxy_;
  UniqueFd proxy_stderr_;
  HostKeyOptions host_keys_;
  ssh_counter_struct received_{};
  SshHandle session_;
  Channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  ProcessEnd end_;
  bool end_known_ = false;
  std::uint64_t heard_bytes_ = 0;
  Deadline heard_;  // when the peer was heard last
  bool asked_ = false;
};

// A list with '+', '-' or '^' changes OpenSSH's defaults, which libssh does not have.
bool IsPlainList(const std::string& list) {
  return !list.empty() && std::string_view("+-^").find(list.front()) == std::string_view::npos;
}

Status SshStream::SetOptions(int fd) {
  const SshSettings& settings = options_.settings;
  ssh_session session = session_.get();
  const auto set = [&](enum ssh_options_e option, const void* value) {
    return ssh_options_set(session, option, value) == SSH_OK;
  };
  const auto list = [&](enum ssh_options_e option, const std::string& value) {
    if (!IsPlainList(value) || set(option, value.c_str())) return;
    options_.trace(2, "none of the algorithms is known to libssh: " + value);
  };
  const bool no = false;
  const auto port = static_cast<unsigned int>(settings.port);
  // Host key, configuration and known_hosts are our own business: nothing of them for libssh.
  const bool fine = set(SSH_OPTIONS_PROCESS_CONFIG, &no) &&
                    set(SSH_OPTIONS_HOST, settings.host_name.c_str()) &&
                    set(SSH_OPTIONS_PORT, &port) && set(SSH_OPTIONS_USER, settings.user.c_str()) &&
                    set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null") &&
                    set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") && set(SSH_OPTIONS_FD, &fd);
  if (!fine) return Fail(ErrorCode::kInvalid, options_.host + ": " + SshReason(session));
  const std::string host_keys =
      PreferredHostKeyAlgorithms(host_keys_.known, settings.host_key_algorithms);
  list(SSH_OPTIONS_HOSTKEYS, host_keys);
  list(SSH_OPTIONS_KEY_EXCHANGE, settings.kex_algorithms);
  list(SSH_OPTIONS_CIPHERS_C_S, settings.ciphers);
  list(SSH_OPTIONS_CIPHERS_S_C, settings.ciphers);
  list(SSH_OPTIONS_HMAC_C_S, settings.macs);
  list(SSH_OPTIONS_HMAC_S_C, settings.macs);
  list(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, settings.public_key_algorithms);
  return {};
}

Result<UniqueFd> SshStream::Dial() {
  const SshSettings& settings = options_.settings;
  if (settings.proxy_command.empty()) {
    return DialTcp(
        {settings.host_name, settings.port, settings.address_family, settings.bind_address}, bell_,
        In(options_.timeout));
  }
  options_.trace(2, "through ProxyCommand " + settings.proxy_command);
  auto proxy = StartProxy(settings.proxy_command);
  if (!proxy) return Fail(proxy.error());
  proxy_ = std::move(proxy->child);
  proxy_stderr_ = std::move(proxy->stderr_file);
  return std::move(proxy->socket);
}

Status SshStream::Connect() {
  const SshSettings& settings = options_.settings;
  options_.trace(2, "connecting to " + settings.host_name + " port " +
                        std::to_string(settings.port) + " as " + settings.user);
  auto dialled = Dial();
  if (!dialled) {
    return Fail(ErrorCode::kUnreachable, options_.host + ": " + dialled.error().message);
  }
  host_keys_ = HostKeys();
  session_.reset(ssh_new());
  if (!session_) return Fail(ErrorCode::kInternal, "libssh: out of memory");
  const int fd = dialled->get();
  if (const Status set = SetOptions(fd); !set) return set;
  ssh_set_blocking(session_.get(), 0);
  ssh_set_counters(session_.get(), &received_, nullptr);
  dialled->Release();  // libssh closes it from here on
  const auto connected =
      Step("SSH key exchange with " + options_.host, [&] { return ssh_connect(session_.get()); });
  if (!connected) {
    return Fail(connected.error().code, connected.error().message + ProxyWords());
  }
  if (*connected != SSH_OK) {
    return Fail(ErrorCode::kUnreachable, "SSH key exchange with " + options_.host + " (" +
                                             settings.host_name + " port " +
                                             std::to_string(settings.port) +
                                             "): " + SshReason(session_.get()) + ProxyWords());
  }
  // libssh makes a descriptor that it was given blocking once it is connected.
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return {};
}

std::vector<std::string> SshStream::KnownHostsFiles() const {
  std::vector<std::string> files = options_.settings.global_known_hosts;
  if (!options_.known_hosts_file.empty()) {
    files.insert(files.begin(), options_.known_hosts_file);
  } else {
    files.insert(files.begin(), options_.settings.user_known_hosts.begin(),
                 options_.settings.user_known_hosts.end());
  }
  return files;
}

HostKeyOptions SshStream::HostKeys() const {
  const SshSettings& settings = options_.settings;
  const bool alias = !settings.host_key_alias.empty();
  HostKeyOptions keys;
  keys.place.host = options_.host;
  keys.place.name = alias ? KnownHostsName(settings.host_key_alias, 22)
                          : KnownHostsName(settings.host_name, settings.port);
  keys.place.address = settings.host_name;
  keys.place.port = settings.port;
  keys.place.known_hosts_file = options_.known_hosts_file;
  if (keys.place.known_hosts_file.empty()) {
    keys.place.known_hosts_file = settings.user_known_hosts.empty()
                                      ? options_.home + "/.ssh/known_hosts"
                                      : settings.user_known_hosts.front();
  }
  keys.place.direct = !alias && settings.proxy_command.empty();
  keys.known = LinesFor(*LoadKnownHosts(KnownHostsFiles()), keys.place.name);
  keys.accept_new = options_.accept_new_host_keys;
  keys.hash_names = settings.hash_known_hosts;
  keys.trace = options_.trace;
  return keys;
}

LoginOptions SshStream::Credentials() const {
  const SshSettings& settings = options_.settings;
  LoginOptions login;
  login.host = options_.host;
  login.user = settings.user;
  login.explicit_key = options_.explicit_key;
  login.identity_files = settings.identity_files;
  login.identities_only = settings.identities_only;
  const char* agent = std::getenv("SSH_AUTH_SOCK");
  if (settings.identity_agent.empty()) {
    login.agent_socket = agent != nullptr ? agent : "";
  } else if (settings.identity_agent != "none") {
    login.agent_socket = settings.identity_agent;
  }
  login.password = options_.password;
  login.allow_keys = settings.public_key_authentication;
  login.allow_password = settings.password_authentication;
  login.allow_keyboard_interactive = settings.keyboard_interactive_authentication;
  login.home = options_.home;
  login.timeout = options_.timeout;
  login.trace = options_.trace;
  return login;
}

Status SshStream::Handshake() {
  if (const Status connected = Connect(); !connected) return connected;
  if (const Status checked = CheckHostKey(session_.get(), host_keys_); !checked) return checked;
  options_.trace(3, "host key checked");
  return LogIn(session_.get(), Credentials(), bell_);
}

Status SshStream::Exec(const std::string& command) {
  channel_.reset(ssh_channel_new(session_.get()));
  end_ = {};
  end_known_ = false;
  callbacks_ = {};
  callbacks_.userdata = this;
  callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void* self) {
    static_cast<SshStream*>(self)->end_.exit_code = status;
    static_cast<SshStream*>(self)->end_known_ = true;
  };
  callbacks_.channel_exit_signal_function = [](ssh_session, ssh_channel, const char* signal, int,
                                               const char*, const char*, void* self) {
    static_cast<SshStream*>(self)->end_.signal = signal;
    static_cast<SshStream*>(self)->end_known_ = true;
  };
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_.get(), &callbacks_);
  auto done = Step("opening a session on " + options_.host,
                   [&] { return ssh_channel_open_session(channel_.get()); });
  if (done && *done == SSH_OK) {
    done = Step("starting a command on " + options_.host,
                [&] { return ssh_channel_request_exec(channel_.get(), command.c_str()); });
  }
  if (!done) return Fail(done.error());
  if (*done != SSH_OK) {
    return Fail(ErrorCode::kUnreachable,
                options_.host + " runs no command: " + SshReason(session_.get()));
  }
  heard_ = std::chrono::steady_clock::now();
  asked_ = false;
  return {};
}

bool SshStream::Drain(Arrival& arrival) {
  std::array<char, 65536> buffer{};
  for (const int is_stderr : {0, 1}) {
    std::string& text = is_stderr != 0 ? arrival.err : arrival.out;
    // Bounded, so that a flood does not keep the caller from its other work.
    for (int rounds = 0; rounds < 32; ++rounds) {
      const int got = ssh_channel_read_nonblocking(
          channel_.get(), buffer.data(), static_cast<std::uint32_t>(buffer.size()), is_stderr);
      if (got == SSH_ERROR) return !arrival.out.empty() || !arrival.err.empty();
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  return true;
}

Error SshStream::Lost() const {
  return {ErrorCode::kUnreachable, "lost the connection to " + options_.host + ": " +
                                       SshReason(session_.get()) + ProxyWords()};
}

// What the ProxyCommand wrote to its stderr, as the end of a message.
std::string SshStream::ProxyWords() const {
  std::array<char, 4096> text{};
  if (!proxy_stderr_.valid()) return {};
  const ssize_t got = ::pread(proxy_stderr_.get(), text.data(), text.size(), 0);
  const std::string words =
      OneLineOf({text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
  return words.empty() ? words : "; ProxyCommand said: " + words;
}

ProcessEnd SshStream::AwaitExitCode() {
  const Deadline deadline = In(kExitCodeTime);
  while (!end_known_ && ssh_channel_is_open(channel_.get()) != 0) {
    // Handles what has come in; the callbacks note the exit code.
    ssh_channel_get_exit_status(channel_.get());
    if (end_known_ || WaitForSsh(session_.get(), bell_, deadline) != Woken::kReady) break;
  }
  return end_;
}

Status SshStream::KeepAlive() {
  const auto now = std::chrono::steady_clock::now();
  if (received_.in_bytes != heard_bytes_) {
    heard_bytes_ = received_.in_bytes;
    heard_ = now;
    asked_ = false;
  } else if (!asked_ && now - heard_ >= kAskAfter) {
    ssh_send_keepalive(session_.get());
    asked_ = true;
    heard_ = now;
  } else if (asked_ && now - heard_ >= kGiveUpAfter) {
    return Fail(ErrorCode::kUnreachable,
                "lost the connection to " + options_.host + ": no sign of life for 30 s");
  }
  return {};
}

Result<Arrival> SshStream::Receive(Deadline deadline) {
  Arrival arrival;
  while (true) {
    const std::uint64_t heard = received_.in_bytes;
    if (!Drain(arrival)) return Fail(Lost());
    if (!arrival.out.empty() || !arrival.err.empty()) return arrival;
    if (HeardSince(heard)) continue;
    if (ssh_channel_is_eof(channel_.get()) != 0 || ssh_channel_is_closed(channel_.get()) != 0) {
      arrival.end = AwaitExitCode();
      return arrival;
    }
    if (const Status alive = KeepAlive(); !alive) return Fail(alive.error());
    if (HeardSince(heard)) continue;
    const Deadline next = std::min(deadline, heard_ + (asked_ ? kGiveUpAfter : kAskAfter));
    const Woken woken = WaitForSsh(session_.get(), bell_, next);
    if (woken == Woken::kAborted || (woken == Woken::kTimeout && next == deadline)) {
      return Fail(WaitError(woken, options_.host));
    }
  }
}

Result<std::size_t> SshStream::Write(std::string_view data, Deadline deadline) {
  while (true) {
    const std::uint64_t heard = received_.in_bytes;
    if (ssh_channel_poll(channel_.get(), 0) != 0 || ssh_channel_poll(channel_.get(), 1) != 0) {
      return 0;
    }
    // libssh would take all of it into its buffer: wait until the socket has taken the last part.
    const bool busy = (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0;
    if (!busy && ssh_channel_window_size(channel_.get()) > 0) {
      const std::size_t size =
          std::min<std::size_t>({data.size(), kChunk, ssh_channel_window_size(channel_.get())});
      const int written =
          ssh_channel_write(channel_.get(), data.data(), static_cast<std::uint32_t>(size));
      if (written < 0) return Fail(Lost());
      if (written > 0) return static_cast<std::size_t>(written);
    }
    if (HeardSince(heard)) continue;
    const Woken woken = WaitForSsh(session_.get(), bell_, deadline);
    if (woken != Woken::kReady) return Fail(WaitError(woken, options_.host));
  }
}

}  // namespace

void SshCloser::operator()(ssh_session_struct* session) const {
  // Closes the descriptor in every state, while ssh_disconnect leaves one that it was given open.
  ssh_silent_disconnect(session);
  ssh_free(session);
}

std::string SshReason(ssh_session_struct* session) {
  std::string reason = OneLineOf(ssh_get_error(session));
  // "Received SSH_MSG_DISCONNECT: 2:Too many authentication failures"
  for (const std::string_view prefix : {"Received SSH_MSG_DISCONNECT: ", "Socket error: "}) {
    if (!reason.starts_with(prefix)) continue;
    reason.erase(0, prefix.size());
    const std::size_t colon = reason.find(':');
    if (colon != std::string::npos && colon <= 3) reason.erase(0, colon + 1);
  }
  if (reason == "disconnected") return "the server closed the connection";
  return reason.empty() ? "the connection was closed" : reason;
}

Woken WaitForSsh(ssh_session_struct* session, const Bell& bell, Deadline deadline) {
  const int flags = ssh_get_poll_flags(session);
  short events = POLLIN;
  if ((flags & SSH_WRITE_PENDING) != 0) events |= POLLOUT;
  std::array<pollfd, 1> fds{{{ssh_get_fd(session), events, 0}}};
  return WaitFor(fds, bell, deadline);
}

Result<int> Drive(ssh_session_struct* session, const Bell& bell, std::chrono::milliseconds time,
                  int again, const std::string& what, const std::function<int()>& step) {
  const Deadline deadline = In(time);
  while (true) {
    const int code = step();
    if (code != again) return code;
    const Woken woken = WaitForSsh(session, bell, deadline);
    if (woken == Woken::kAborted) return Fail(WaitError(woken, what));
    if (woken == Woken::kTimeout) {
      return Fail(ErrorCode::kUnreachable, what + ": no answer in " +
                                               std::to_string(time.count() / 1000) + "." +
                                               std::to_string(time.count() % 1000 / 100) + " s");
    }
  }
}

Result<std::unique_ptr<ByteStream>> OpenSshStream(const SshOptions& options,
                                                  const std::string& command, const Bell& bell) {
  auto stream = std::make_unique<SshStream>(options, bell);
  if (const Status ready = stream->Handshake(); !ready) return Fail(ready.error());
  if (const Status running = stream->Exec(command); !running) return Fail(running.error());
  return stream;
}

}  // namespace drover
