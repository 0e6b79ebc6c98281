#include "orchestrator/notify/hook.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <thread>

#include "orchestrator/notify/webhook.h"

extern char** environ;

namespace drover {
namespace {

constexpr std::chrono::milliseconds kLook{20};

std::vector<std::string> EnvironmentWith(const HookFacts& facts) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("DROVER_")) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : facts) {
    // A value with a zero byte would end there.
    environment.push_back(VariableOf(name) + "=" + value.substr(0, value.find('\0')));
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A group of its own, so that what it starts ends with it.
Result<pid_t> Start(std::vector<std::string> words, const HookFacts& facts) {
  std::vector<std::string> environment = EnvironmentWith(facts);
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.front().c_str(), &files, &attributes,
                                   Pointers(words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return Fail(ErrnoError(error, words.front()));
  return pid;
}

Status Await(pid_t pid, const std::string& name, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= end) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return Fail(ErrorCode::kTimeout,
                  name + " did not end within " + std::to_string(timeout.count()) + " ms");
    }
    std::this_thread::sleep_for(kLook);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string how = WIFEXITED(status)
                              ? "ended with status " + std::to_string(WEXITSTATUS(status))
                              : "was killed by signal " + std::to_string(WTERMSIG(status));
  return Fail(ErrorCode::kInternal, name + " " + how);
}

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'') {
      if (++i == text.size()) return Fail(ErrorCode::kInvalid, "a backslash at the end");
      word += text[i];
      inside = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) return Fail(ErrorCode::kInvalid, "a quote that is not closed");
  if (inside) words.push_back(std::move(word));
  if (words.empty()) return Fail(ErrorCode::kInvalid, "an empty command");
  return words;
}

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

std::string ShownHook(const std::string& hook) {
  if (!IsUrl(hook)) return hook;
  const std::size_t host = hook.find("//") + 2;
  const std::size_t end = hook.find_first_of("/?#", host);
  const std::string authority = hook.substr(host, end == std::string::npos ? end : end - host);
  const std::size_t at = authority.rfind('@');
  return hook.substr(0, host) + (at == std::string::npos ? authority : authority.substr(at + 1)) +
         (end == std::string::npos ? "" : "/…");
}

std::string VariableOf(const std::string& fact) {
  std::string name = "DROVER_";
  for (const char c : fact) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Status RunHook(const std::string& hook, const HookFacts& facts, std::chrono::milliseconds timeout) {
  if (IsUrl(hook)) {
    if (const Status sent = PostFacts(hook, facts, timeout); !sent) {
      return Fail(sent.error().In(ShownHook(hook)));
    }
    return {};
  }
  auto words = SplitWords(hook);
  if (!words) return Fail(words.error());
  const std::string name = words->front();
  const auto pid = Start(*std::move(words), facts);
  if (!pid) return Fail(pid.error());
  return Await(*pid, name, timeout);
}

}  // namespace drover
