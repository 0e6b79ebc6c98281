#include "node-helper/store/session_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "node-helper/store/files.h"
#include "node-helper/store/run_lock.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kRetry{50};
constexpr std::chrono::milliseconds kTermWait{6000};
constexpr std::chrono::milliseconds kKillWait{2000};

std::string NoteOf(const RunInfo& run) {
  const Json note{
      {"owner", run.owner}, {"user", run.user},         {"control_host", run.control_host},
      {"pid", run.pid},     {"helper_pid", ::getpid()}, {"since", std::time(nullptr)}};
  return note.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// "root on ctl (playbook web.yml, pid 123) since 2026-01-01 10:00:00 UTC, 12 s ago".
std::string HolderText(const std::string& path) {
  const auto text = ReadWholeFile(path);
  const Json note = text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
  if (!note.is_object()) return "another run (it left no note about itself)";
  const auto word = [&](const char* key) {
    const auto found = note.find(key);
    return found != note.end() && found->is_string() ? found->get<std::string>() : std::string("?");
  };
  const auto number = [&](const char* key) {
    const auto found = note.find(key);
    return found != note.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  };
  const std::int64_t since = number("since");
  return word("user") + " on " + word("control_host") + " (" + word("owner") + ", pid " +
         std::to_string(number("pid")) + ") since " + UtcText(since) + ", " +
         std::to_string(static_cast<std::int64_t>(std::time(nullptr)) - since) + " s ago";
}

// The session that left the note, if that process is one: the note outlives its writer, and who
// looks for a moment only (TakeBriefly) leaves none.
pid_t SessionIn(const std::string& note_path) {
  const auto text = ReadWholeFile(note_path);
  const Json note = text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
  if (!note.is_object() || !note.contains("helper_pid") ||
      !note["helper_pid"].is_number_integer()) {
    return 0;
  }
  const pid_t pid = note["helper_pid"].get<pid_t>();
  if (pid <= 1 || pid == ::getpid()) return 0;
  const auto line = ReadWholeFile("/proc/" + std::to_string(pid) + "/cmdline");
  if (!line) return 0;
  const std::string_view apply("\0apply\0", 7);
  return line->find(apply) == std::string::npos ? 0 : pid;
}

bool StillThere(int fd, const std::string& path) {
  struct stat locked {};
  struct stat named {};
  return ::fstat(fd, &locked) == 0 && ::stat(path.c_str(), &named) == 0 &&
         locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

}  // namespace

Result<SessionLock> SessionLock::Take(const std::string& directory, const RunInfo& run,
                                      std::chrono::milliseconds patience,
                                      const std::function<bool()>& give_up) {
  if (const Status made = MakeDirectories(directory, 0700); !made) {
    return Fail(made.error().In("cannot lock this node"));
  }
  const std::string path = directory + "/lock";
  const std::string note = directory + "/lock.holder";
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Descriptor file;
  for (;;) {
    if (!file.valid()) {
      file.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      if (!file.valid()) return Fail(ErrnoError(errno, path).In("cannot lock this node"));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      if (StillThere(file.get(), path)) break;
      file.Reset();  // an uninstall removed the folder meanwhile: this lock keeps nobody out
      if (const Status made = MakeDirectories(directory, 0700); !made) return Fail(made.error());
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return Fail(ErrnoError(errno, path));
    if (std::chrono::steady_clock::now() >= deadline || give_up()) {
      return Fail(ErrorCode::kUnreachable, "this node is locked by " + HolderText(note) +
                                               "; try again when that run has ended");
    }
    std::this_thread::sleep_for(kRetry);
  }
  if (const Status noted = WriteFileAtomically(note, NoteOf(run), 0600); !noted) {
    return Fail(noted.error().In("cannot lock this node"));
  }
  return SessionLock(std::move(file));
}

Result<SessionLock> SessionLock::TakeByForce(const std::string& directory, const RunInfo& run,
                                             std::chrono::milliseconds polite) {
  const auto never = [] { return false; };
  auto lock = Take(directory, run, polite, never);
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (lock || lock.error().code != ErrorCode::kUnreachable) return lock;
    const pid_t session = SessionIn(directory + "/lock.holder");
    if (session != 0) ::kill(session, signal);
    lock = Take(directory, run, signal == SIGTERM ? kTermWait : kKillWait, never);
  }
  return lock;
}

Result<SessionLock> SessionLock::TakeBriefly(const std::string& directory) {
  const std::string path = directory + "/lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid() && errno == ENOENT) {
    if (const Status made = MakeDirectories(directory, 0700); !made) return Fail(made.error());
    file.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Fail(ErrnoError(errno, path));
    return Fail(ErrorCode::kUnreachable,
                "this node is locked by " + HolderText(directory + "/lock.holder"));
  }
  if (!StillThere(file.get(), path)) return Fail(ErrorCode::kUnreachable, path + ": was removed");
  return SessionLock(std::move(file));
}

}  // namespace drover
