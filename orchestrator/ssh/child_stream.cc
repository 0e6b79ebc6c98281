#include "orchestrator/ssh/child_stream.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace drover {
namespace {

constexpr std::chrono::milliseconds kTermGrace{1000};

ProcessEnd EndOf(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return {std::nullopt, name != nullptr ? name : std::to_string(WTERMSIG(status))};
  }
  return {WEXITSTATUS(status), ""};
}

Result<std::array<UniqueFd, 2>> SocketPair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return Fail(ErrnoError(errno, "socketpair"));
  }
  // Ours never blocks; the child's stays as programs expect it.
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return std::array<UniqueFd, 2>{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Reads what is there into `text`. False: the end.
bool ReadInto(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

// stdin, stdout and stderr of a child, each a socket: writing to a dead child must not raise
// SIGPIPE in a process that is not ours to configure.
class ChildStream final : public ByteStream {
 public:
  ChildStream(std::string name, const Bell& bell) : name_(std::move(name)), bell_(bell) {}
  ~ChildStream() override { child_.Forget(); }

  Status Start(const std::vector<std::string>& argv);
  Result<Arrival> Receive(Deadline deadline) override;
  Result<std::size_t> Write(std::string_view data, Deadline deadline) override;
  void CloseInput() override { ::shutdown(in_.get(), SHUT_WR); }
  Status Restart(const std::string& command, Deadline /*deadline*/) override {
    return Start({"/bin/sh", "-c", command});
  }

 private:
  std::string name_;
  const Bell& bell_;
  Child child_;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  std::optional<ProcessEnd> end_;
};

Status ChildStream::Start(const std::vector<std::string>& argv) {
  std::array<UniqueFd, 3> theirs;
  std::array<UniqueFd*, 3> ours{&in_, &out_, &err_};
  for (std::size_t i = 0; i < ours.size(); ++i) {
    auto pair = SocketPair();
    if (!pair) return Fail(pair.error());
    *ours[i] = std::move((*pair)[0]);
    theirs[i] = std::move((*pair)[1]);
  }
  auto child = Child::Start(argv, {theirs[0].get(), theirs[1].get(), theirs[2].get()});
  if (!child) return Fail(child.error());
  child_ = *std::move(child);
  end_.reset();
  return {};
}

Result<Arrival> ChildStream::Receive(Deadline deadline) {
  Arrival arrival;
  while (out_.valid() || err_.valid()) {
    std::array<pollfd, 2> fds{{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
    const Woken woken = WaitFor(fds, bell_, deadline);
    if (woken != Woken::kReady) return Fail(WaitError(woken, name_));
    if (fds[0].revents != 0 && !ReadInto(out_.get(), arrival.out)) out_.Reset();
    if (fds[1].revents != 0 && !ReadInto(err_.get(), arrival.err)) err_.Reset();
    if (!arrival.out.empty() || !arrival.err.empty()) return arrival;
  }
  if (!end_) end_ = child_.Wait(In(kTermGrace), bell_).value_or(ProcessEnd{});
  arrival.end = end_;
  return arrival;
}

Result<std::size_t> ChildStream::Write(std::string_view data, Deadline deadline) {
  std::array<pollfd, 3> fds{
      {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
  const Woken woken = WaitFor(fds, bell_, deadline);
  if (woken != Woken::kReady) return Fail(WaitError(woken, name_));
  if (fds[1].revents != 0 || fds[2].revents != 0) return 0;
  const ssize_t sent = ::send(in_.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    // It ended: what it said about that is to be received.
    if (errno == EPIPE || errno == ECONNRESET) return 0;
    return Fail(ErrnoError(errno, name_));
  }
  return static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
}

}  // namespace

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

Child::~Child() {
  if (pid_ <= 0) return;
  const Bell never;
  ::kill(pid_, SIGTERM);
  if (Wait(In(kTermGrace), never)) return;
  ::kill(pid_, SIGKILL);
  Wait(In(kTermGrace), never);
}

Result<Child> Child::Start(const std::vector<std::string>& argv, const Files& files) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, files.in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, files.out, STDOUT_FILENO);
  if (files.err >= 0) ::posix_spawn_file_actions_adddup2(&actions, files.err, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int problem =
      ::posix_spawnp(&pid, words.front(), &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return Fail(ErrnoError(problem, "starting " + argv.front()));
  return Child(pid);
}

std::optional<ProcessEnd> Child::Wait(Deadline deadline, const Bell& bell) {
  if (pid_ <= 0) return std::nullopt;
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  std::array<pollfd, 1> fds{{{process.get(), POLLIN, 0}}};
  if (!process.valid() || WaitFor(fds, bell, deadline) != Woken::kReady) return std::nullopt;
  int status = 0;
  const pid_t reaped = ::waitpid(pid_, &status, 0);
  pid_ = 0;
  if (reaped < 0) return std::nullopt;
  return EndOf(status);
}

void Child::Signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

Result<std::unique_ptr<ByteStream>> OpenChildStream(const std::vector<std::string>& argv,
                                                    const std::string& name, const Bell& bell) {
  auto stream = std::make_unique<ChildStream>(name, bell);
  if (const Status started = stream->Start(argv); !started) return Fail(started.error());
  return stream;
}

Result<Proxy> StartProxy(const std::string& command) {
  auto pair = SocketPair();
  if (!pair) return Fail(pair.error());
  const int theirs = (*pair)[1].get();
  // exec: the shell must not stand between us and the process that is to be ended.
  const std::string line = command.starts_with("exec ") ? command : "exec " + command;
  // A file and no pipe: a talkative proxy must never wait for a reader.
  UniqueFd complaints(::memfd_create("proxy", MFD_CLOEXEC));
  auto child = Child::Start({"/bin/sh", "-c", line}, {theirs, theirs, complaints.get()});
  if (!child) return Fail(child.error());
  return Proxy{*std::move(child), std::move((*pair)[0]), std::move(complaints)};
}

}  // namespace drover
