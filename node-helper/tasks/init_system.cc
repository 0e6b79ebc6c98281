#include "node-helper/tasks/init_system.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "node-helper/store/systemd.h"

namespace drover {
namespace {

// LSB exit codes of "status": 0 runs; 1 and 2 dead with a pid or lock file; 3 does not run.
constexpr int kLsbRunning = 0;
constexpr int kLsbNotRunning = 3;
// A script may return before its daemon has written its pid file.
constexpr std::chrono::milliseconds kSettleTime{5000};
constexpr std::chrono::milliseconds kSettleStep{50};

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
}

// Runs programs and says in one sentence why one failed.
class Runner {
 public:
  explicit Runner(InitContext context) : context_(std::move(context)) {}

  Result<ProcessOutcome> Run(std::vector<std::string> argv) const {
    ProcessSpec spec;
    spec.argv = std::move(argv);
    spec.timeout = context_.timeout;
    spec.abandoned = context_.abandoned;
    spec.environment = {{"LC_ALL", "C"}};
    return context_.run(spec);
  }

  Status Must(std::vector<std::string> argv) const {
    std::string line;
    for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
    const auto outcome = Run(std::move(argv));
    if (!outcome) return Fail(outcome.error());
    if (outcome->timed_out) return Fail(ErrorCode::kTimeout, line + ": not done in time, ended");
    const CommandOutcome& command = outcome->command;
    if (command.exit_code == 0) return {};
    const std::string said =
        LastLine(command.stderr_text.empty() ? command.stdout_text : command.stderr_text);
    return Fail(ErrorCode::kInternal, line + ": exits with " + std::to_string(command.exit_code) +
                                          (said.empty() ? "" : ": " + said));
  }

 private:
  InitContext context_;
};

class Systemd : public InitSystem {
 public:
  explicit Systemd(InitContext context) : runner_(std::move(context)) {}

  Result<InitServiceStatus> Look(const std::string& name) override {
    const auto shown =
        runner_.Run({"systemctl", "show", "--property=LoadState,ActiveState,MainPID,CanReload",
                     "--", UnitOf(name)});
    if (!shown) return Fail(shown.error());
    const std::string& text = shown->command.stdout_text;
    const auto has = [&](const char* line) { return text.find(line) != std::string::npos; };
    InitServiceStatus status;
    status.exists = shown->command.exit_code == 0 && !has("LoadState=not-found");
    status.running = has("ActiveState=active\n") || has("ActiveState=activating\n") ||
                     has("ActiveState=reloading\n");
    if (!status.exists) return status;
    status.can_reload = has("CanReload=yes");
    if (const std::size_t at = text.find("MainPID="); at != std::string::npos) {
      status.main_pid = std::strtoll(text.c_str() + at + std::strlen("MainPID="), nullptr, 10);
    }
    const auto enabled = runner_.Run({"systemctl", "is-enabled", "--", UnitOf(name)});
    if (!enabled) return Fail(enabled.error());
    const std::string word = LastLine(enabled->command.stdout_text);
    status.enabled = enabled->command.exit_code == 0;  // also static units, which others pull in
    status.can_be_enabled = word != "static" && word != "generated" && word != "transient";
    return status;
  }

  Status Tell(const std::string& name, const std::string& verb) override {
    return runner_.Must({"systemctl", verb, "--", UnitOf(name)});
  }

  Status Enable(const std::string& name, bool enabled) override {
    return runner_.Must({"systemctl", enabled ? "enable" : "disable", "--", UnitOf(name)});
  }

 private:
  // systemctl takes "a.b" for a unit of the kind "b"; only a known ending is one.
  static std::string UnitOf(const std::string& name) {
    for (const char* ending : {".service", ".socket", ".timer", ".target", ".path", ".mount"}) {
      if (name.ends_with(ending)) return name;
    }
    return name + ".service";
  }

  Runner runner_;
};

class Sysvinit : public InitSystem {
 public:
  Sysvinit(InitContext context, std::string root)
      : runner_(std::move(context)), root_(std::move(root)) {}

  Result<InitServiceStatus> Look(const std::string& name) override {
    InitServiceStatus status;
    status.exists = ::access(ScriptOf(name).c_str(), X_OK) == 0;
    if (!status.exists) return status;
    const auto code = StatusCode(name);
    if (!code) return Fail(code.error());
    status.running = *code == kLsbRunning;
    status.enabled = HasStartLink(name);
    return status;
  }

  Status Tell(const std::string& name, const std::string& verb) override {
    const auto before = StatusCode(name);
    if (!before) return Fail(before.error());
    const Status told = runner_.Must({ScriptOf(name), verb});
    if (!told) return told;
    // A script that does not know "status" cannot be asked how it went.
    if (*before < kLsbRunning || *before > kLsbNotRunning) return {};
    return Settle(name, verb);
  }

  Status Enable(const std::string& name, bool enabled) override {
    if (Exists(root_ + "/usr/sbin/update-rc.d")) {
      if (enabled && !HasAnyLink(name)) {
        const Status links = runner_.Must({"update-rc.d", name, "defaults"});
        if (!links) return links;
        if (HasStartLink(name)) return {};
      }
      return runner_.Must({"update-rc.d", name, enabled ? "enable" : "disable"});
    }
    if (Exists(root_ + "/sbin/chkconfig") || Exists(root_ + "/usr/sbin/chkconfig")) {
      return runner_.Must({"chkconfig", name, enabled ? "on" : "off"});
    }
    return Fail(ErrorCode::kNotFound, "neither systemd nor update-rc.d nor chkconfig is here, so " +
                                          name + " cannot be " +
                                          (enabled ? "enabled" : "disabled"));
  }

 private:
  [[nodiscard]] std::string ScriptOf(const std::string& name) const {
    return root_ + "/etc/init.d/" + name;
  }

  Result<int> StatusCode(const std::string& name) const {
    const auto outcome = runner_.Run({ScriptOf(name), "status"});
    if (!outcome) return Fail(outcome.error());
    return outcome->command.exit_code;
  }

  [[nodiscard]] bool Any(const std::string& pattern) const {
    glob_t found{};
    const bool any = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0;
    ::globfree(&found);
    return any;
  }
  [[nodiscard]] bool HasStartLink(const std::string& name) const {
    return Any(root_ + "/etc/rc[2-5S].d/S[0-9][0-9]" + name) ||
           Any(root_ + "/etc/rc.d/rc[2-5].d/S[0-9][0-9]" + name);
  }
  [[nodiscard]] bool HasAnyLink(const std::string& name) const {
    return Any(root_ + "/etc/rc[0-6S].d/[SK][0-9][0-9]" + name);
  }

  // Waits until the service says that it is what it was told to be.
  Status Settle(const std::string& name, const std::string& verb) const {
    const bool should_run = verb != "stop";
    for (std::chrono::milliseconds waited{0};; waited += kSettleStep) {
      const auto code = StatusCode(name);
      if (!code) return Fail(code.error());
      if ((*code == kLsbRunning) == should_run) return {};
      if (waited >= kSettleTime) break;
      std::this_thread::sleep_for(kSettleStep);
    }
    return Fail(ErrorCode::kInternal, ScriptOf(name) + " " + verb + " says it went well, but " +
                                          name + (should_run ? " does not run" : " still runs"));
  }

  Runner runner_;
  std::string root_;
};

}  // namespace

std::unique_ptr<InitSystem> OpenInitSystem(InitContext context, const std::string& root) {
  if (SystemdRuns(root)) return std::make_unique<Systemd>(std::move(context));
  return std::make_unique<Sysvinit>(std::move(context), root);
}

}  // namespace drover
