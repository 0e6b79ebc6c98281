// An init system with one service, whose every start is a new process.
#pragma once

#include <string>

#include "node-helper/tasks/init_system.h"

namespace drover {

struct Machine {
  InitServiceStatus status{.exists = true};
  std::string service;  // its name; empty: any
  std::int64_t next_pid = 100;
  bool knows_pids = true;
  std::string refuses;  // a verb
  std::string log;
};

class FakeInit : public InitSystem {
 public:
  explicit FakeInit(Machine& machine) : machine_(machine) {}

  Result<InitServiceStatus> Look(const std::string& name) override {
    const bool known = machine_.service.empty() || name == machine_.service;
    return known ? machine_.status : InitServiceStatus{};
  }
  Status Tell(const std::string& /*name*/, const std::string& verb) override {
    machine_.log += verb + ";";
    if (verb == machine_.refuses) return Fail(ErrorCode::kInternal, "cannot " + verb);
    if (verb != "reload") {
      machine_.status.running = verb != "stop";
      machine_.status.main_pid =
          machine_.status.running && machine_.knows_pids ? ++machine_.next_pid : 0;
    }
    return {};
  }
  Status Enable(const std::string& /*name*/, bool enabled) override {
    machine_.log += enabled ? "enable;" : "disable;";
    machine_.status.enabled = enabled;
    return {};
  }

 private:
  Machine& machine_;
};

}  // namespace drover
