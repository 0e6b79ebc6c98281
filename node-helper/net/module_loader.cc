#include "node-helper/net/module_loader.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kModprobeTimeout{30};
constexpr std::size_t kMaxComplaint = 4096;
constexpr std::array kModprobePaths = {"/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe",
                                       "/usr/bin/modprobe"};

std::string KernelRelease() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "this kernel";
}

tl::unexpected<Error> NoModule(const std::string& name, const std::string& why) {
  return Fail(ErrorCode::kInvalid, "this kernel has no " + name + " (" + why + ")");
}

std::string NotFound(const std::string& name) {
  return "module " + name + " not found for " + KernelRelease();
}

std::optional<std::string> FindModprobe() {
  for (const char* path : kModprobePaths) {
    if (access(path, X_OK) == 0) return path;
  }
  return std::nullopt;
}

// What the process says on `fd` until it closes it; false when the time is over.
bool Collect(int fd, Clock::time_point deadline, std::string& text) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    std::array<char, 512> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    if (text.size() < kMaxComplaint) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// Starts modprobe with both outputs on `out_fd`; its pid, or the errno as a negative number.
pid_t Spawn(const std::string& modprobe, const std::string& name, int out_fd) {
  posix_spawn_file_actions_t actions{};
  if (const int error = posix_spawn_file_actions_init(&actions); error != 0) return -error;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDERR_FILENO);
  std::string program = modprobe;
  std::string separator = "--";
  std::string module = name;
  std::array<char*, 4> arguments = {program.data(), separator.data(), module.data(), nullptr};
  std::string path = "PATH=/sbin:/usr/sbin:/bin:/usr/bin";
  std::string locale = "LC_ALL=C";
  std::array<char*, 3> environment = {path.data(), locale.data(), nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, modprobe.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -error;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Status LoadModule(const std::string& name) {
  const std::optional<std::string> modprobe = FindModprobe();
  if (!modprobe) return NoModule(name, "and there is no modprobe here that could load it");
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(ErrnoError(errno, "loading module " + name));
  const pid_t pid = Spawn(*modprobe, name, ends[1]);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return Fail(ErrnoError(-pid, "running " + *modprobe));
  }
  std::string complaint;
  const bool in_time = Collect(ends[0], Clock::now() + kModprobeTimeout, complaint);
  close(ends[0]);
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return Fail(ErrorCode::kTimeout, "loading module " + name + ": modprobe did not end in time");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const bool missing =
      complaint.empty() || complaint.find("not found in directory") != std::string::npos;
  return NoModule(name, missing ? NotFound(name) : FirstLine(complaint));
}

Status FindModule(const std::string& name) {
  // modules.dep starts its lines with paths ("kernel/net/.../ip_vs.ko.xz:"), modules.builtin is one
  // path per line. Files of names with dashes are loaded under names with underscores; ip_vs has
  // none.
  const std::string folder = "/lib/modules/" + KernelRelease();
  const std::string file = "/" + name + ".ko";
  for (const char* list : {"/modules.dep", "/modules.builtin"}) {
    std::ifstream lines(folder + list);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t found = line.substr(0, line.find(':')).find(file);
      if (found != std::string::npos) return {};
    }
  }
  return NoModule(name, NotFound(name));
}

bool IsModuleLoaded(const std::string& name, const std::string& root) {
  std::ifstream loaded(root + "/proc/modules");
  if (!loaded) return true;
  for (std::string line; std::getline(loaded, line);) {
    if (line.starts_with(name + " ")) return true;
  }
  std::ifstream builtin(root + "/lib/modules/" + KernelRelease() + "/modules.builtin");
  if (!builtin) return true;
  for (std::string line; std::getline(builtin, line);) {
    if (line.ends_with("/" + name + ".ko")) return true;
  }
  return false;
}

}  // namespace drover
