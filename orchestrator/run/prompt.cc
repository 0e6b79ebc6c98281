#include "orchestrator/run/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

namespace drover {
namespace {

constexpr std::size_t kMaxPassword = 4096;

// A terminal that does not show what is typed; as before when it is gone.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    known_ = tcgetattr(fd_, &before_) == 0;
    if (known_) {
      termios silent = before_;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      silent.c_lflag |= ECHONL | ICANON;
      tcsetattr(fd_, TCSAFLUSH, &silent);
    }
  }
  ~SilentTerminal() {
    if (known_) {
      tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    close(fd_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  int fd_;
  termios before_{};
  bool known_ = false;
};

// Ctrl-C must not leave the terminal silent: signals wait until the answer is there.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
      sigaddset(&held, number);
    }
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<std::string> AskPassword(const std::string& question) {
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return Fail(ErrorCode::kInvalid,
                "no terminal to ask for the password on (use a password file instead)");
  }
  const SignalsHeld signals;
  const SilentTerminal terminal(fd);
  if (write(fd, question.data(), question.size()) < 0) {
    return Fail(ErrnoError(errno, "/dev/tty"));
  }
  std::string answer;
  for (char c = 0;;) {
    const ssize_t got = read(fd, &c, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0 || c == '\n' || answer.size() >= kMaxPassword) {
      return answer;
    }
    answer += c;
  }
}

Result<std::string> ReadPasswordFile(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file) {
    return Fail(ErrnoError(errno, "password file " + path));
  }
  std::getline(file, line);
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  if (line.empty()) {
    return Fail(ErrorCode::kInvalid, "password file " + path + " has an empty first line");
  }
  return line;
}

}  // namespace drover
