#include "node-helper/checks/script.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <thread>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "node-helper/checks/exit_status.h"
#include "node-helper/checks/reasons.h"
#include "protocol/words.h"

namespace drover {
namespace {

using ErrorCodeOfBoost = boost::system::error_code;
using boost::asio::posix::stream_descriptor;

// How often a child is looked at where the kernel has no pidfd (before 5.3).
constexpr std::chrono::milliseconds kLook{20};
constexpr int kMaxLooksAtTheEnd = 200;  // of a millisecond

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Merged(const Script::Environment& ours) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : ours) variables[name] = value;
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

// A new process group, no signal blocked or ignored, /dev/null for the standard streams and no
// other descriptor. 0 or errno.
int Spawn(std::vector<std::string> argv, std::vector<std::string> environment, pid_t& pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  // The helper may run with real-time priority; what it runs must not.
  const sched_param plain{};
  posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
  posix_spawnattr_setschedparam(&attributes, &plain);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSCHEDULER);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  const int failure = posix_spawn(&pid, argv.front().c_str(), &files, &attributes,
                                  Pointers(argv).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

}  // namespace

struct Script::State : std::enable_shared_from_this<Script::State> {
  State(boost::asio::io_context& loop, std::vector<std::string> its_argv, Environment variables)
      : argv(std::move(its_argv)), environment(std::move(variables)), pidfd(loop), timer(loop) {}

  void Watch();
  void Look();
  void LookLater();
  void Reap();

  std::vector<std::string> argv;
  Environment environment;
  stream_descriptor pidfd;
  boost::asio::steady_timer timer;  // SIGKILL, or the next look without a pidfd
  pid_t pid = 0;                    // 0: none
  bool stopping = false;
  std::chrono::steady_clock::time_point kill_at{};
  Ended ended;
};

// The child's end makes the pidfd readable: it stays so until the status is taken, so that the
// number cannot belong to somebody else when its group is killed.
void Script::State::Watch() {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  ErrorCodeOfBoost error;
  if (fd >= 0) pidfd.assign(fd, error);
  if (fd < 0 || error) {
    if (fd >= 0) ::close(fd);
    return LookLater();
  }
  pidfd.async_wait(stream_descriptor::wait_read,
                   [self = shared_from_this()](const ErrorCodeOfBoost& failure) {
                     if (failure || self->pid == 0) return;
                     self->Reap();
                   });
}

void Script::State::Look() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != 0) {
    return Reap();
  }
  if (stopping && std::chrono::steady_clock::now() >= kill_at) ::kill(-pid, SIGKILL);
  LookLater();
}

void Script::State::LookLater() {
  timer.expires_after(kLook);
  timer.async_wait([self = shared_from_this()](const ErrorCodeOfBoost& failure) {
    if (!failure && self->pid != 0) self->Look();
  });
}

void Script::State::Reap() {
  ::kill(-pid, SIGKILL);  // what it left behind
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  pid = 0;
  stopping = false;
  ErrorCodeOfBoost ignored;
  pidfd.close(ignored);
  timer.cancel();
  const Ended tell = std::exchange(ended, nullptr);
  if (tell) tell(status);
}

Script::Script(boost::asio::io_context& loop, std::vector<std::string> argv,
               Environment environment)
    : state_(std::make_shared<State>(loop, std::move(argv), std::move(environment))) {}

Script::~Script() {
  state_->ended = nullptr;
  const pid_t pid = std::exchange(state_->pid, 0);
  ErrorCodeOfBoost ignored;
  state_->pidfd.close(ignored);
  state_->timer.cancel();
  if (pid == 0) return;
  ::kill(-pid, SIGKILL);
  // It goes at once, unless the kernel holds it in a read of a dead disk; nobody waits for that.
  for (int i = 0; i < kMaxLooksAtTheEnd && ::waitpid(pid, nullptr, WNOHANG) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string Script::Start(Ended ended) {
  if (busy()) return "its last run has not ended yet";
  pid_t pid = 0;
  const int failure = Spawn(state_->argv, Merged(state_->environment), pid);
  if (failure != 0) return ReasonOf(failure);
  state_->pid = pid;
  state_->ended = std::move(ended);
  state_->Watch();
  return {};
}

void Script::Stop() {
  State& state = *state_;
  state.ended = nullptr;
  if (state.pid == 0 || state.stopping) return;
  ::kill(-state.pid, SIGTERM);
  state.stopping = true;
  state.kill_at = std::chrono::steady_clock::now() + kTermGrace;
  if (!state.pidfd.is_open()) return;  // Look will do it
  state.timer.expires_at(state.kill_at);
  state.timer.async_wait([self = state_](const ErrorCodeOfBoost& error) {
    if (!error && self->pid != 0) ::kill(-self->pid, SIGKILL);
  });
}

bool Script::busy() const { return state_->pid != 0; }

namespace {

class ScriptProbe final : public Probe {
 public:
  ScriptProbe(boost::asio::io_context& loop, const Target& target)
      : check_(std::get<ScriptCheck>(target.settings.kind)),
        timeout_(target.settings.timeout),
        script_(loop, check_.argv,
                {{"DROVER_ADDRESS", target.ask.address.ToString()},
                 {"DROVER_PORT", std::to_string(target.ask.port)},
                 {"DROVER_SERVICE", target.service}}) {}

  std::optional<CheckAnswer> Start(Done done) override {
    const std::string refused = script_.Start([this, done = std::move(done)](int status) {
      done(JudgeExit(status, check_.sets_weight));
    });
    if (refused.empty()) return std::nullopt;
    return CheckAnswer::Failed(check_.argv.front() + ": " + refused);
  }
  CheckAnswer TimedOut() override {
    script_.Stop();
    return CheckAnswer::Failed("the script did not end in " + DurationText(timeout_));
  }

 private:
  const ScriptCheck check_;
  const std::chrono::milliseconds timeout_;
  Script script_;
};

}  // namespace

std::unique_ptr<Probe> MakeScriptProbe(boost::asio::io_context& loop, const Target& target) {
  return std::make_unique<ScriptProbe>(loop, target);
}

}  // namespace drover
