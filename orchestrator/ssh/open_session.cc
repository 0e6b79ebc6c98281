// OpenSession: how a host's settings become a running helper, and the session that talks to it.

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "orchestrator/ssh/byte_stream.h"
#include "orchestrator/ssh/child_stream.h"
#include "orchestrator/ssh/digest.h"
#include "orchestrator/ssh/helper_binary.h"
#include "orchestrator/ssh/helper_session.h"
#include "orchestrator/ssh/ssh_config_file.h"
#include "orchestrator/ssh/ssh_stream.h"
#include "orchestrator/ssh/start_helper.h"
#include "orchestrator/ssh/sudo.h"
#include "protocol/codec.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kNoProgress{30};
constexpr std::chrono::milliseconds kEndTime{1000};

class StreamSession final : public HelperSession {
 public:
  // The bell is shared with the stream, which keeps a reference to it.
  StreamSession(std::string host, std::unique_ptr<Bell> bell)
      : host_(std::move(host)), bell_(std::move(bell)) {}
  ~StreamSession() override;
  StreamSession(const StreamSession&) = delete;
  StreamSession& operator=(const StreamSession&) = delete;

  void Begin(std::unique_ptr<ByteStream> stream, HelperTalk talk) {
    stream_ = std::move(stream);
    talk_ = std::move(talk);
  }
  [[nodiscard]] const Bell& bell() const { return *bell_; }

  [[nodiscard]] const Hello& hello() const override { return talk_.hello; }
  Status Send(const Program& program) override { return SendLine(EncodeProgram(program) + "\n"); }
  Status SendPulse(const Pulse& pulse) override { return SendLine(EncodePulse(pulse) + "\n"); }
  Status SendFinish(const Finish& finish) override {
    return SendLine(EncodeFinish(finish) + "\n");
  }
  Result<Event> Next(std::chrono::milliseconds timeout) override;
  void Abort() override { bell_->Ring(); }

 private:
  Status SendLine(const std::string& line);
  void Take(const Arrival& arrival);
  [[nodiscard]] Error Over() const;
  Error Explained(const Error& error);

  std::string host_;
  std::unique_ptr<Bell> bell_;
  std::unique_ptr<ByteStream> stream_;
  HelperTalk talk_;
  std::optional<ProcessEnd> end_;
};

StreamSession::~StreamSession() {
  if (!stream_ || end_ || bell_->rung()) return;
  stream_->CloseInput();
  const Deadline deadline = In(kEndTime);
  while (true) {
    const auto arrival = stream_->Receive(deadline);
    if (!arrival || arrival->end) return;
  }
}

void StreamSession::Take(const Arrival& arrival) {
  talk_.lines.Add(arrival.out);
  talk_.stderr_text.Add(arrival.err);
  if (arrival.end) end_ = arrival.end;
}

Error StreamSession::Over() const {
  std::string message = "the helper on " + host_ + " ended (" + Describe(*end_) + ")";
  const std::string said = OneLineOf(talk_.stderr_text.text());
  if (!said.empty()) message += ": " + said;
  return {ErrorCode::kUnreachable, std::move(message)};
}

Error StreamSession::Explained(const Error& error) {
  if (error.code == ErrorCode::kTimeout) return error;
  const std::string said = OneLineOf(talk_.stderr_text.text());
  return {error.code, said.empty() ? error.message : error.message + ": " + said};
}

Status StreamSession::SendLine(const std::string& line) {
  std::string_view left = line;
  while (!left.empty()) {
    if (end_) return Fail(Over());
    const auto written = stream_->Write(left, In(kNoProgress));
    if (!written) {
      const bool stuck = written.error().code == ErrorCode::kTimeout;
      if (!stuck) return Fail(Explained(written.error()));
      return Fail(ErrorCode::kUnreachable, "the helper on " + host_ + " takes nothing for 30 s");
    }
    left.remove_prefix(*written);
    if (*written > 0) continue;
    const auto arrival = stream_->Receive(In(kNoProgress));
    if (!arrival) return Fail(Explained(arrival.error()));
    Take(*arrival);
  }
  return {};
}

Result<Event> StreamSession::Next(std::chrono::milliseconds timeout) {
  const Deadline deadline = In(timeout);
  while (true) {
    if (bell_->rung()) return Fail(WaitError(Woken::kAborted, host_));
    auto line = talk_.lines.Next();
    if (!line) return Fail(ErrorCode::kUnreachable, line.error().In(host_).message);
    if (line->has_value()) {
      auto event = DecodeEvent(**line);
      if (event) return event;
      return Fail(ErrorCode::kUnreachable, "the helper on " + host_ + " said \"" +
                                               OneLineOf(**line, 120) +
                                               "\": " + event.error().message);
    }
    if (end_) return Fail(Over());
    const auto arrival = stream_->Receive(deadline);
    if (!arrival) return Fail(Explained(arrival.error()));
    Take(*arrival);
  }
}

struct LocalUser {
  std::string name;
  std::string home;
};

// HOME wins over the password file, as for ssh's own tilde; the name is the one of the process.
LocalUser WhoAmI() {
  LocalUser user;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) user = {found->pw_name, found->pw_dir};
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') user.home = home;
  return user;
}

// Everything that is known before the first byte goes out.
struct Plan {
  const HostConnection& connection;
  const ConnectOptions& options;
  std::shared_ptr<const HelperBinary> helper;
  LocalUser me;
  std::function<void(int level, const std::string& line)> trace;
};

StartOptions CommonStart(const Plan& plan, const std::string& user) {
  StartOptions start;
  start.host = plan.connection.host;
  start.user = user;
  start.helper = plan.helper;
  start.stub.sha256 = plan.helper->sha256;
  start.stub.size = plan.helper->bytes.size();
  start.timeout = plan.connection.connect_timeout;
  start.trace = plan.trace;
  // Who is root already needs no sudo, and small systems have none.
  start.with_sudo = plan.connection.become && user != "root";
  if (start.with_sudo && !plan.connection.become_password.empty()) {
    start.sudo_password = plan.connection.become_password;
    start.sudo_prompt = SudoPrompt(Hex(RandomBytes(12)));
  }
  return start;
}

Result<HelperTalk> Greeted(tl::expected<HelperTalk, StartFailure> talk, const Plan& plan) {
  if (!talk) return Fail(talk.error().error);
  if (talk->hello.protocol != kProtocolVersion) {
    return Fail(ErrorCode::kInvalid, plan.helper->path + " speaks protocol " +
                                         std::to_string(talk->hello.protocol) + ", drover speaks " +
                                         std::to_string(kProtocolVersion) +
                                         ": build both from the same source");
  }
  return std::move(*talk);
}

Status OpenLocal(const Plan& plan, StreamSession& session) {
  StartOptions start = CommonStart(plan, plan.me.name);
  start.with_stub = false;
  start.with_sudo = start.with_sudo && ::geteuid() != 0;
  std::vector<std::string> argv{plan.helper->path, "apply"};
  if (start.with_sudo) {
    std::vector<std::string> sudo{"env", "LC_ALL=C", "sudo", "-H", "-n", "--"};
    if (!start.sudo_prompt.empty()) {
      sudo = {"env", "LC_ALL=C", "sudo", "-H", "-S", "-p", start.sudo_prompt, "--"};
    }
    argv.insert(argv.begin(), sudo.begin(), sudo.end());
  }
  auto stream = OpenChildStream(argv, plan.connection.host, session.bell());
  if (!stream) return Fail(stream.error());
  auto talk = Greeted(StartHelper(**stream, start), plan);
  if (!talk) return Fail(talk.error());
  session.Begin(*std::move(stream), *std::move(talk));
  return {};
}

Result<SshOptions> SshOptionsFor(const Plan& plan) {
  const HostConnection& connection = plan.connection;
  const auto lines = LoadSshConfig(plan.options.ssh_config_file, plan.me.home);
  if (!lines) return Fail(lines.error());
  SshOptions ssh;
  ssh.host = connection.host;
  ssh.original_host = connection.address.empty() ? connection.host : connection.address;
  ssh.settings = ResolveSshConfig(**lines, {.host = ssh.original_host,
                                            .port = connection.port,
                                            .user = connection.user,
                                            .local_user = plan.me.name,
                                            .home = plan.me.home});
  for (const std::string& note : ssh.settings.notes) plan.trace(2, note);
  const std::string& strict = ssh.settings.strict_host_key_checking;
  if (strict == "no" || strict == "off") {
    plan.trace(1, "StrictHostKeyChecking " + strict + " is not followed: host keys are checked");
  }
  ssh.explicit_key = ExpandTilde(connection.private_key_file, plan.me.home);
  ssh.password = connection.password;
  ssh.known_hosts_file = ExpandTilde(plan.options.known_hosts_file, plan.me.home);
  ssh.accept_new_host_keys = plan.options.accept_new_host_keys || strict == "accept-new";
  ssh.home = plan.me.home;
  ssh.timeout = connection.connect_timeout;
  ssh.trace = plan.trace;
  return ssh;
}

Status OpenSsh(const Plan& plan, StreamSession& session) {
  const auto ssh = SshOptionsFor(plan);
  if (!ssh) return Fail(ssh.error());
  StartOptions start = CommonStart(plan, ssh->settings.user);
  const auto command = [&] {
    return start.with_sudo ? SudoStubCommand(start.stub, start.sudo_prompt)
                           : StubCommand(start.stub);
  };
  auto stream = OpenSshStream(*ssh, command(), session.bell());
  if (!stream) return Fail(stream.error());
  auto talk = StartHelper(**stream, start);
  if (!talk && talk.error().damaged) {
    plan.trace(1, talk.error().error.message + "; brings it again");
    start.stub.force = true;
    if (const Status again = (*stream)->Restart(command(), In(start.timeout)); !again) return again;
    talk = StartHelper(**stream, start);
  }
  auto greeted = Greeted(std::move(talk), plan);
  if (!greeted) return Fail(greeted.error());
  session.Begin(*std::move(stream), *std::move(greeted));
  return {};
}

}  // namespace

Result<std::unique_ptr<HelperSession>> OpenSession(const HostConnection& connection,
                                                   const ConnectOptions& options) {
  if (connection.host_key_checking == false) {
    return Fail(ErrorCode::kInvalid,
                connection.host +
                    ": host key checking cannot be switched off, for anybody in between could be "
                    "root on your nodes; accept new keys once with --accept-new-host-keys");
  }
  auto helper = LoadHelper(options.helper_path);
  if (!helper) return Fail(helper.error());
  const auto begin = std::chrono::steady_clock::now();
  const auto trace = [say = options.trace, host = connection.host](int level,
                                                                   const std::string& line) {
    if (say) say(level, host, line);
  };
  const Plan plan{connection, options, *std::move(helper), WhoAmI(), trace};
  auto session = std::make_unique<StreamSession>(connection.host, std::make_unique<Bell>());
  const Status opened = connection.kind == HostConnection::Kind::kLocal ? OpenLocal(plan, *session)
                                                                        : OpenSsh(plan, *session);
  if (!opened) {
    // "No answer in time" is the host's way of being unreachable; the caller need not tell them
    // apart.
    const bool timeout = opened.error().code == ErrorCode::kTimeout;
    return Fail(timeout ? ErrorCode::kUnreachable : opened.error().code, opened.error().message);
  }
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  trace(2, "helper " + session->hello().version + " runs on " + session->hello().host + " (" +
               std::to_string(time.count()) + " ms)");
  return session;
}

}  // namespace drover
