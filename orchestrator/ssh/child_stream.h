// Child processes of ours: the helper of a local session, and the ProxyCommand of an SSH one.
//
// A stream belongs to one thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/ssh/byte_stream.h"
#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

// A child in a session of its own, so that Ctrl-C in the terminal reaches us alone.
class Child {
 public:
  struct Files {
    int in = -1;
    int out = -1;
    int err = -1;  // -1: as ours
  };
  Child() = default;
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child();  // ends it with SIGTERM, then with SIGKILL

  static Result<Child> Start(const std::vector<std::string>& argv, const Files& files);
  // Waits for the end; nothing if the deadline passed or it cannot be known.
  std::optional<ProcessEnd> Wait(Deadline deadline, const Bell& bell);
  void Signal(int number) const;
  // The child goes on without us.
  void Forget() { pid_ = 0; }
  [[nodiscard]] bool running() const { return pid_ > 0; }

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;
};

// Runs a program and talks to it. `argv` of Restart is its command, given to sh.
Result<std::unique_ptr<ByteStream>> OpenChildStream(const std::vector<std::string>& argv,
                                                    const std::string& name, const Bell& bell);

// A ProxyCommand: one socket that is its stdin and stdout.
struct Proxy {
  Child child;
  UniqueFd socket;
  UniqueFd stderr_file;  // what it complains about, to be read when it failed
};
Result<Proxy> StartProxy(const std::string& command);

}  // namespace drover
