#include "orchestrator/run/due_timer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "orchestrator/notify/hook.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/schedule/units.h"

namespace drover {
namespace {

bool HasSystemd() {
  std::error_code error;
  return std::filesystem::is_directory("/run/systemd/system", error);
}

bool IsRoot() { return geteuid() == 0; }

std::string UnitFolder(const Environment& environment) {
  if (IsRoot()) return "/etc/systemd/system";
  const std::string config = environment("XDG_CONFIG_HOME").value_or("");
  const std::string home = environment("HOME").value_or("");
  return (config.starts_with('/') ? config : home + "/.config") + "/systemd/user";
}

std::string Systemctl(const std::string& words) {
  return std::string("systemctl ") + (IsRoot() ? "" : "--user ") + words;
}

DueCommand CommandHere(const Environment& environment) {
  DueCommand command;
  std::error_code error;
  command.program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  for (const char* name : {"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TZ"}) {
    const auto value = environment(name);
    if (value && !value->empty()) command.environment[name] = *value;
  }
  return command;
}

// Everybody may read it: systemd warns of units that hide what it tells anyhow.
Status WriteUnit(const std::string& path, const std::string& text) {
  if (const Status done = WritePrivateFile(path, text); !done) return done;
  if (::chmod(path.c_str(), 0644) != 0) return Fail(ErrnoError(errno, path));
  return {};
}

Status WriteUnits(const std::string& folder, const DueCommand& command) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/" + kDueUnit;
  if (const Status done = WriteUnit(path + ".service", DueServiceText(command)); !done) return done;
  return WriteUnit(path + ".timer", DueTimerText());
}

}  // namespace

std::string SetUpDueTimer(const Environment& environment) {
  const DueCommand command = CommandHere(environment);
  const std::string cron =
      "This host does not run systemd: nobody looks for drills that are due "
      "until this line is in the crontab (crontab -e):\n" +
      CronLine(command) + "\n";
  if (!HasSystemd()) return cron;
  const std::string folder = UnitFolder(environment);
  const std::string timer = std::string(kDueUnit) + ".timer";
  Status done = WriteUnits(folder, command);
  if (done) done = RunHook(Systemctl("daemon-reload"), {});
  if (done) done = RunHook(Systemctl("enable --now " + timer), {});
  if (!done) {
    return "warning: " + done.error().message + "; nobody looks for drills that are due until \"" +
           Systemctl("enable --now " + timer) + "\" works, or this line is in the crontab:\n" +
           CronLine(command) + "\n";
  }
  return "systemd looks every minute: " + folder + "/" + timer +
         (IsRoot() ? "" : " (loginctl enable-linger lets it go on without a login)") + "\n";
}

std::string TakeDownDueTimer(const Environment& environment) {
  if (!HasSystemd()) return "The line in the crontab is not needed any more.\n";
  const std::string path = UnitFolder(environment) + "/" + kDueUnit;
  std::error_code error;
  if (!std::filesystem::exists(path + ".timer", error)) return "";
  const Status done = RunHook(Systemctl("disable --now " + std::string(kDueUnit) + ".timer"), {});
  std::filesystem::remove(path + ".timer", error);
  std::filesystem::remove(path + ".service", error);
  if (!done) return "warning: " + done.error().message + "\n";
  const Status reloaded = RunHook(Systemctl("daemon-reload"), {});
  return reloaded ? "The timer is gone.\n" : "warning: " + reloaded.error().message + "\n";
}

}  // namespace drover
