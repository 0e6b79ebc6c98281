#include "orchestrator/run/ask_operator.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string_view>

namespace drover {
namespace {

constexpr int kLookMs = 100;

void Say(int terminal, std::string_view text) {
  // A terminal that takes nothing gives no answer either.
  [[maybe_unused]] const ssize_t written = ::write(terminal, text.data(), text.size());
}

}  // namespace

bool AskYesOrNo(const std::string& question, const std::atomic<bool>& abandoned) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    Say(STDERR_FILENO, "drover: " + question + " There is no terminal to ask at: no\n");
    return false;
  }
  Say(terminal, question + " [y/N] ");
  std::string answer;
  while (!abandoned && answer.find('\n') == std::string::npos) {
    pollfd waiting{terminal, POLLIN, 0};
    if (::poll(&waiting, 1, kLookMs) <= 0) continue;
    char c = 0;
    if (::read(terminal, &c, 1) != 1) break;
    answer += c;
  }
  ::close(terminal);
  return answer == "y\n" || answer == "Y\n" || answer == "yes\n";
}

}  // namespace drover
