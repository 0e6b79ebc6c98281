#include "node-helper/daemon/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>

#include <array>
#include <ctime>

#include "node-helper/store/files.h"

namespace drover {
namespace {

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm broken_down{};
  gmtime_r(&now, &broken_down);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ ", &broken_down);
  return text.data();
}

}  // namespace

DaemonLog DaemonLog::ToSyslogOr(const std::string& path) {
  struct stat info {};
  if (::stat("/dev/log", &info) == 0 && S_ISSOCK(info.st_mode)) {
    ::openlog("drover-node-helper", LOG_PID, LOG_DAEMON);
    return DaemonLog(Descriptor(), true);
  }
  return DaemonLog(
      Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)), false);
}

void DaemonLog::Line(const std::string& text) const { Write(LOG_INFO, text); }
void DaemonLog::Problem(const std::string& text) const { Write(LOG_WARNING, text); }

void DaemonLog::Write(int priority, const std::string& text) const {
  if (syslog_) {
    ::syslog(priority, "%s", text.c_str());
    return;
  }
  // A log that cannot be written (disk full) must not stop the daemon: the result is not needed.
  const std::string line = (file_.valid() ? Now() : std::string()) + text + "\n";
  [[maybe_unused]] const Status written =
      WriteAll(file_.valid() ? file_.get() : STDERR_FILENO, line, "log");
}

}  // namespace drover
