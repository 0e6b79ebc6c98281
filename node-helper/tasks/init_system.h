// The two init systems behind one interface: what a service is doing, and how it is told.
//
// One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "node-helper/tasks/process.h"
#include "protocol/result.h"

namespace drover {

// What the init system says of one service.
struct InitServiceStatus {
  bool exists = false;
  bool running = false;
  bool enabled = false;
  bool can_be_enabled = true;  // false: always there, enabling or disabling means nothing
  bool can_reload = false;     // as far as the init system knows
  std::int64_t main_pid = 0;   // 0: the init system does not know
};

class InitSystem {
 public:
  virtual ~InitSystem() = default;
  virtual Result<InitServiceStatus> Look(const std::string& name) = 0;
  // `verb`: start, stop, restart, reload. Does not return before the service says it is done.
  virtual Status Tell(const std::string& name, const std::string& verb) = 0;
  virtual Status Enable(const std::string& name, bool enabled) = 0;
};

// How programs are run for it.
struct InitContext {
  ProcessRunner run;
  std::chrono::milliseconds timeout{0};
  std::function<bool()> abandoned;
};

// The one that runs this node. `root` is "" outside tests.
std::unique_ptr<InitSystem> OpenInitSystem(InitContext context, const std::string& root = "");

}  // namespace drover
