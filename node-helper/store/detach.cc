#include "node-helper/store/detach.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr const char* kReady = "ready";

std::string ReadToEnd(const Descriptor& from) {
  std::string text;
  std::array<char, 512> chunk;
  for (;;) {
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

void StartReport::Ready() { Say(kReady); }

void StartReport::Failed(std::string_view why) { Say(why); }

void StartReport::Say(std::string_view word) {
  if (!to_.valid()) return;
  [[maybe_unused]] const Status told = WriteAll(to_.get(), word, "parent");
  to_.Reset();
}

Status Detach(const std::function<int(StartReport& report)>& live) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(ErrnoError(errno, "pipe"));
  Descriptor answer(ends[0]);
  Descriptor ready(ends[1]);
  const pid_t middle = ::fork();
  if (middle < 0) return Fail(ErrnoError(errno, "fork"));
  if (middle == 0) {
    // The second fork gives up the leadership of the session: no terminal can come back.
    ::setsid();
    StartReport report(std::move(ready));
    const pid_t child = ::fork();
    if (child < 0) report.Failed(ErrnoError(errno, "fork").message);
    if (child != 0) ::_exit(child < 0 ? 1 : 0);
    [[maybe_unused]] const int moved = ::chdir("/");
    answer.Reset();
    ::_exit(live(report));
  }
  ready.Reset();
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string said = ReadToEnd(answer);
  if (said == kReady) return {};
  return Fail(ErrorCode::kInternal, said);
}

void CloseTheTerminal() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  if (null > 2) ::close(null);
}

}  // namespace drover
