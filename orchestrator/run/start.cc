#include "orchestrator/run/start.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <utility>

#include "orchestrator/report/terminal.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/wire_session.h"

namespace drover {

std::string UtcNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> date{};
  std::array<char, 16> fraction{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(us % 1'000'000));
  return std::string(date.data()) + fraction.data();
}

RunInfo WhoRuns() {
  RunInfo info;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) {
    info.control_host = host.data();
  }
  const passwd* user = getpwuid(getuid());
  info.user = user == nullptr ? std::to_string(getuid()) : user->pw_name;
  info.pid = getpid();
  std::random_device device;
  std::array<char, 16> random{};
  std::snprintf(random.data(), random.size(), "%08x", static_cast<unsigned>(device()));
  info.run_id = UtcNow() + "-" + random.data();
  return info;
}

SessionOpener OpenerOf(const CommandLine& line, const std::string& helper) {
  ConnectOptions options;
  options.helper_path = helper;
  options.accept_new_host_keys = line.accept_new_host_keys;
  options.trace = [verbosity = line.verbosity](int level, const std::string& host,
                                               const std::string& text) {
    if (level <= verbosity) {
      PrintErr("<" + Printable(host) + "> " + Printable(text) + "\n");
    }
  };
  SessionOpener open = [options](const HostConnection& connection) {
    return OpenSession(connection, options);
  };
  if (!line.debug.contains("wire")) {
    return open;
  }
  return WithWire(std::move(open), [](const std::string& host, char way, const std::string& text) {
    PrintErr("drover wire: " + Printable(host) + " " + way + " " + Printable(text) + "\n");
  });
}

}  // namespace drover
