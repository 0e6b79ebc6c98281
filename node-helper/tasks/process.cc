#include "node-helper/tasks/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "node-helper/store/descriptor.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A daemon that the program left behind may keep our pipes open; what it says is not waited for.
constexpr milliseconds kDrainAfterExit{300};
constexpr milliseconds kTermGrace{5000};
constexpr milliseconds kLook{100};        // how often `abandoned` is asked
constexpr milliseconds kLookClosely{10};  // where the kernel has no pidfd (before 5.3)

constexpr unsigned kCloseOnExec = 1U << 2;  // CLOSE_RANGE_CLOEXEC (linux/close_range.h)

// What the helper was started with; programs get it back.
struct Inherited {
  mode_t mask = 022;
  rlimit core{};
  std::array<char, 8> oom_score{};  // the file's text; a guard of a drill has -1000
  bool known = false;
};
constexpr const char* kOomScore = "/proc/self/oom_score_adj";
Inherited& InheritedLimits() {
  static Inherited inherited;
  return inherited;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> OpenPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(ErrnoError(errno, "pipe"));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentOf(const ProcessSpec& spec) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  variables["PATH"] = kProgramPath;
  for (const auto& [name, value] : spec.environment) variables[name] = value;
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

Result<std::string> FindProgram(const std::string& name) {
  if (name.empty()) return Fail(ErrorCode::kInvalid, "no program was named");
  if (name.find('/') != std::string::npos) return name;
  const std::string path = kProgramPath;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/" + name;
    struct stat info {};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    begin = end + 1;
  }
  return Fail(ErrorCode::kNotFound, name + ": no such program in " + path);
}

// What the child tells about itself when it cannot become the program.
struct StartFailure {
  int error = 0;
  bool chdir = false;
};

// All that the child needs, made before the fork: between fork and exec only async-signal-safe
// calls are allowed.
struct ChildPlan {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::vector<char*> argv_pointers;
  std::vector<char*> environment_pointers;
  std::string program;
  std::string directory;
  int in = -1;
  int out = -1;
  int err = -1;
  int report = -1;
};

[[noreturn]] void GiveUp(int report, bool chdir) {
  const StartFailure failure{errno, chdir};
  [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
  ::_exit(127);
}

// Async-signal-safe. Where it may not be set, it was not changed either.
void SetOomScore(const Inherited& inherited) {
  if (inherited.oom_score.front() == '\0') return;
  const int fd = ::open(kOomScore, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  const std::size_t size = ::strnlen(inherited.oom_score.data(), inherited.oom_score.size());
  [[maybe_unused]] const ssize_t written = ::write(fd, inherited.oom_score.data(), size);
  ::close(fd);
}

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  ::setpgid(0, 0);
  const Inherited& inherited = InheritedLimits();
  ::umask(inherited.mask);
  if (inherited.known) ::setrlimit(RLIMIT_CORE, &inherited.core);
  SetOomScore(inherited);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int number : {SIGPIPE, SIGHUP, SIGTERM, SIGINT, SIGCHLD}) {
    ::sigaction(number, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // dup2 clears O_CLOEXEC; the pipes' own descriptors are above 2, see OpenStandardStreams.
  ::dup2(plan.in, 0);
  ::dup2(plan.out, 1);
  ::dup2(plan.err, 2);
  // Ours close by themselves; these are what the helper was given by whoever started it. An older
  // kernel (before 5.11) refuses, and they stay as they are.
  ::syscall(SYS_close_range, 3U, ~0U, kCloseOnExec);
  if (::chdir(plan.directory.c_str()) != 0) GiveUp(plan.report, true);
  ::execve(plan.program.c_str(), plan.argv_pointers.data(), plan.environment_pointers.data());
  GiveUp(plan.report, false);
}

// A process that was started with 0, 1 or 2 closed would get its pipes there and overwrite them.
void OpenStandardStreams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
    }
  }
}

// A running child: waits for it, feeds it and listens to it.
class Child {
 public:
  static Result<Child> Start(const ProcessSpec& spec);
  Result<ProcessOutcome> Attend(const ProcessSpec& spec);

 private:
  struct Stream {
    Descriptor fd;
    std::string text;
    bool truncated = false;
  };

  void Exchange(milliseconds patience, std::string_view& to_write);
  void ReadFrom(Stream& stream);
  bool Reap();
  void DrainAfterExit();
  // True when the child has to be asked to end now.
  bool Overdue(const ProcessSpec& spec, Clock::time_point started);
  void Press();

  pid_t pid_ = -1;
  Descriptor pidfd_;
  Descriptor in_;
  Stream out_;
  Stream err_;
  std::optional<int> status_;
  std::optional<Clock::time_point> abandoned_at_;
  std::optional<Clock::time_point> terminated_at_;
  bool killed_ = false;
  std::size_t max_output_ = kMaxOutputBytes;
};

Result<Child> Child::Start(const ProcessSpec& spec) {
  if (spec.argv.empty()) return Fail(ErrorCode::kInvalid, "no program was named");
  OpenStandardStreams();
  ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input must not end us
  auto program = FindProgram(spec.argv[0]);
  if (!program) return Fail(program.error());
  auto in = OpenPipe();
  if (!in) return Fail(in.error());
  auto out = OpenPipe();
  if (!out) return Fail(out.error());
  auto err = OpenPipe();
  if (!err) return Fail(err.error());
  auto report = OpenPipe();
  if (!report) return Fail(report.error());

  ChildPlan plan;
  plan.argv = spec.argv;
  plan.environment = EnvironmentOf(spec);
  plan.argv_pointers = Pointers(plan.argv);
  plan.environment_pointers = Pointers(plan.environment);
  plan.program = *program;
  plan.directory = spec.chdir.empty() ? "/" : spec.chdir;
  plan.in = in->read.get();
  plan.out = out->write.get();
  plan.err = err->write.get();
  plan.report = report->write.get();

  const pid_t pid = ::fork();
  if (pid < 0) return Fail(ErrnoError(errno, spec.argv[0]));
  if (pid == 0) BecomeProgram(plan);
  ::setpgid(pid, pid);  // both sides do it, so that it is done whoever comes first
  report->write.Reset();
  StartFailure failure;
  ssize_t got = 0;
  do {
    got = ::read(report->read.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return Fail(ErrnoError(failure.error, failure.chdir ? plan.directory : spec.argv[0]));
  }
  Child child;
  child.pid_ = pid;
  child.max_output_ = spec.max_output;
  child.pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  child.in_ = std::move(in->write);
  child.out_.fd = std::move(out->read);
  child.err_.fd = std::move(err->read);
  ::fcntl(child.in_.get(), F_SETFL, O_NONBLOCK);
  return child;
}

void Child::ReadFrom(Stream& stream) {
  std::array<char, 16384> chunk;
  const ssize_t got = ::read(stream.fd.get(), chunk.data(), chunk.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    stream.fd.Reset();
    return;
  }
  const std::size_t room = max_output_ - std::min(stream.text.size(), max_output_);
  const auto size = static_cast<std::size_t>(got);
  stream.text.append(chunk.data(), std::min(size, room));
  if (size > room) stream.truncated = true;  // read on, so that the program is not stopped by us
}

// One turn: whatever is ready of the three streams, or the end of the child, or `patience`.
void Child::Exchange(milliseconds patience, std::string_view& to_write) {
  if (to_write.empty()) in_.Reset();
  std::array<pollfd, 4> waiting = {pollfd{out_.fd.get(), POLLIN, 0},
                                   pollfd{err_.fd.get(), POLLIN, 0}, pollfd{in_.get(), POLLOUT, 0},
                                   pollfd{pidfd_.get(), POLLIN, 0}};
  if (!pidfd_.valid()) patience = std::min(patience, kLookClosely);
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(patience.count())) <= 0) return;
  if (waiting[0].revents != 0) ReadFrom(out_);
  if (waiting[1].revents != 0) ReadFrom(err_);
  if (waiting[2].revents == 0) return;
  const ssize_t written = ::write(in_.get(), to_write.data(), to_write.size());
  if (written > 0) {
    to_write.remove_prefix(static_cast<std::size_t>(written));
  } else if (errno != EAGAIN && errno != EINTR) {
    to_write = {};  // it does not want to read; its exit code says whether that is wrong
  }
}

bool Child::Reap() {
  if (status_) return true;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (ended < 0 && errno == ECHILD) status_ = 0;
  return status_.has_value();
}

bool Child::Overdue(const ProcessSpec& spec, Clock::time_point started) {
  const auto now = Clock::now();
  if (spec.timeout.count() > 0 && now - started >= spec.timeout) return true;
  if (spec.must_end && spec.must_end()) return true;
  if (!abandoned_at_ && spec.abandoned && spec.abandoned()) abandoned_at_ = now;
  return abandoned_at_ && now - *abandoned_at_ >= kAbandonedGrace;
}

void Child::Press() {
  const auto now = Clock::now();
  if (!terminated_at_) {
    terminated_at_ = now;
    ::kill(-pid_, SIGTERM);
  } else if (!killed_ && now - *terminated_at_ >= kTermGrace) {
    killed_ = true;
    ::kill(-pid_, SIGKILL);
  }
}

void Child::DrainAfterExit() {
  const auto deadline = Clock::now() + kDrainAfterExit;
  std::string_view nothing;
  in_.Reset();
  pidfd_.Reset();
  while (out_.fd.valid() || err_.fd.valid()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return;
    Exchange(left, nothing);
  }
}

Result<ProcessOutcome> Child::Attend(const ProcessSpec& spec) {
  const auto started = Clock::now();
  std::string_view to_write = spec.stdin_text;
  while (!Reap()) {
    milliseconds patience = kLook;
    if (spec.timeout.count() > 0 && !terminated_at_) {
      const auto left = std::chrono::ceil<milliseconds>(started + spec.timeout - Clock::now());
      patience = std::clamp(left, milliseconds{1}, kLook);
    }
    Exchange(patience, to_write);
    if (Overdue(spec, started)) Press();
  }
  // What a program that was ended by us left in its group goes too.
  if (terminated_at_) ::kill(-pid_, SIGKILL);
  DrainAfterExit();
  ProcessOutcome outcome;
  outcome.timed_out = terminated_at_.has_value();
  outcome.command.exit_code = *status_;
  outcome.command.stdout_text = ToUtf8(out_.text);
  outcome.command.stderr_text = ToUtf8(err_.text);
  outcome.command.truncated = out_.truncated || err_.truncated;
  return outcome;
}

// Length of the well-formed UTF-8 sequence at the start of `bytes`, 0 when there is none (RFC 3629:
// no overlong form, no surrogate, nothing above U+10FFFF).
std::size_t SequenceLength(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || bytes.size() < length || at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

Result<ProcessOutcome> RunProcess(const ProcessSpec& spec) {
  auto child = Child::Start(spec);
  if (!child) return Fail(child.error());
  return child->Attend(spec);
}

void HardenProcess() {
  Inherited& inherited = InheritedLimits();
  inherited.mask = ::umask(077);
  inherited.known = ::getrlimit(RLIMIT_CORE, &inherited.core) == 0;
  const Descriptor score(::open(kOomScore, O_RDONLY | O_CLOEXEC));
  if (score.valid()) {
    const ssize_t got = ::read(score.get(), inherited.oom_score.data(), inherited.oom_score.size());
    if (got <= 0) inherited.oom_score = {};
  }
  // The hard limit stays, so that programs can get theirs back.
  rlimit none = inherited.core;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

std::string ToUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = SequenceLength(bytes);
    if (length == 0) {
      text += "\xEF\xBF\xBD";
      bytes.remove_prefix(1);
    } else {
      text.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
  }
  return text;
}

}  // namespace drover
