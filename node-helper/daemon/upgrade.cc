#include "node-helper/daemon/upgrade.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "node-helper/store/files.h"

namespace drover {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;

Json Bytes(const std::string& text) {
  return Json::binary(std::vector<std::uint8_t>(text.begin(), text.end()));
}

std::string TextOf(const Json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end() || !found->is_binary()) return "";
  const auto& bytes = found->get_binary();
  return {bytes.begin(), bytes.end()};
}

template <typename T>
T NumberOf(const Json& document, const char* key, T otherwise) {
  const auto found = document.find(key);
  return found != document.end() && found->is_number_integer() ? found->get<T>() : otherwise;
}

std::string WordOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void ReadEvents(const Json& document, std::vector<LoggedEvent>& events) {
  const auto list = document.find("events");
  if (list == document.end() || !list->is_array()) return;
  for (const Json& entry : *list) {
    if (!entry.is_object()) continue;
    events.push_back({NumberOf<std::int64_t>(entry, "wall", 0),
                      NumberOf<std::int64_t>(entry, "mono", 0), WordOf(entry, "kind"),
                      WordOf(entry, "subject"), WordOf(entry, "text")});
  }
}

bool KeepOpen(int fd) { return fd < 0 || ::fcntl(fd, F_SETFD, 0) == 0; }
void CloseOnExec(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

std::string EncodeInheritance(const Inheritance& inheritance) {
  Json events = Json::array();
  for (const LoggedEvent& event : inheritance.core.events) {
    events.push_back({{"wall", event.wall_us},
                      {"mono", event.monotonic_us},
                      {"kind", event.kind},
                      {"subject", event.subject},
                      {"text", event.text}});
  }
  const Json document{{"format", kFormat},
                      {"speaker", Bytes(inheritance.core.speaker)},
                      {"checks", Bytes(inheritance.core.checks)},
                      {"trackers", Bytes(inheritance.core.trackers)},
                      {"quorums", inheritance.core.quorums},
                      {"events", events},
                      {"held_with_run", inheritance.core.held_with_run},
                      {"repairs", inheritance.core.repairs},
                      {"running_for", inheritance.core.running_for.count()},
                      {"lock_fd", inheritance.lock_fd},
                      {"control_fd", inheritance.control_fd},
                      {"detached", inheritance.detached}};
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(document);
  return {bytes.begin(), bytes.end()};
}

Result<Inheritance> DecodeInheritance(const std::string& bytes) {
  const Json document = Json::from_msgpack(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  if (!document.is_object() || NumberOf(document, "format", 0) != kFormat) {
    return Fail(ErrorCode::kInternal, "what the process before left is not understood");
  }
  Inheritance inheritance;
  inheritance.core.speaker = TextOf(document, "speaker");
  inheritance.core.checks = TextOf(document, "checks");
  inheritance.core.trackers = TextOf(document, "trackers");
  if (const auto found = document.find("quorums"); found != document.end() && found->is_object()) {
    for (const auto& [service, has] : found->items()) {
      if (has.is_boolean()) inheritance.core.quorums[service] = has.get<bool>();
    }
  }
  ReadEvents(document, inheritance.core.events);
  if (const auto found = document.find("held_with_run");
      found != document.end() && found->is_array()) {
    for (const Json& name : *found) {
      if (name.is_string()) inheritance.core.held_with_run.insert(name.get<std::string>());
    }
  }
  inheritance.core.repairs = NumberOf<std::uint64_t>(document, "repairs", 0);
  inheritance.core.running_for =
      std::chrono::milliseconds{NumberOf<std::int64_t>(document, "running_for", 0)};
  inheritance.lock_fd = NumberOf(document, "lock_fd", -1);
  inheritance.control_fd = NumberOf(document, "control_fd", -1);
  const auto detached = document.find("detached");
  inheritance.detached =
      detached != document.end() && detached->is_boolean() && detached->get<bool>();
  return inheritance;
}

Error RunAnew(const std::string& program, const Inheritance& inheritance) {
  // In memory, because it may hold passwords, and a disk may be full.
  const Descriptor memory(::memfd_create("drover-upgrade", MFD_CLOEXEC));
  if (!memory.valid()) return ErrnoError(errno, "memory for an upgrade");
  const Status written = WriteAll(memory.get(), EncodeInheritance(inheritance), "upgrade");
  if (!written) return written.error();
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return ErrnoError(errno, "upgrade");
  if (!KeepOpen(memory.get()) || !KeepOpen(inheritance.lock_fd) ||
      !KeepOpen(inheritance.control_fd)) {
    return ErrnoError(errno, "upgrade");
  }
  std::string number = std::to_string(memory.get());
  std::array<char*, 5> argv = {const_cast<char*>("node-helper"), const_cast<char*>("daemon"),
                               const_cast<char*>("--resume"), number.data(), nullptr};
  ::execv(program.c_str(), argv.data());
  const Error error = ErrnoError(errno, "running " + program);
  CloseOnExec(inheritance.lock_fd);
  CloseOnExec(inheritance.control_fd);
  return error;
}

Result<Inheritance> TakeInheritance(int fd) {
  const Descriptor memory(fd);
  std::string bytes;
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t got = ::read(memory.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrnoError(errno, "reading what the process before left"));
    if (got == 0) break;
    bytes.append(chunk.data(), static_cast<std::size_t>(got));
  }
  auto inheritance = DecodeInheritance(bytes);
  if (!inheritance) return inheritance;
  CloseOnExec(inheritance->lock_fd);
  CloseOnExec(inheritance->control_fd);
  return inheritance;
}

}  // namespace drover
