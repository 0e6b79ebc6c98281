#include "orchestrator/schedule/units.h"

namespace drover {
namespace {

// A word in double quotes, as systemd.syntax(7) reads it; "%" would begin a specifier.
std::string UnitWord(const std::string& word, bool is_command) {
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '%') quoted += '%';
    if (c == '$' && is_command) quoted += '$';
    quoted += c;
  }
  return quoted + "\"";
}

// A word for a shell; cron makes a newline of "%".
std::string CronWord(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else if (c == '%') {
      quoted += "\\%";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

std::string DueServiceText(const DueCommand& command) {
  std::string text =
      "# Written by drover drill schedule; goes with the last schedule.\n"
      "[Unit]\nDescription=Failover drills of Drover that are due\n"
      "Wants=network-online.target\nAfter=network-online.target\n\n"
      "[Service]\nType=oneshot\n"
      // A drill takes as long as it takes; it ends by its own time limits.
      "TimeoutStartSec=infinity\nKillMode=mixed\n";
  for (const auto& [name, value] : command.environment) {
    text += "Environment=" + UnitWord(name + "=" + value, /*is_command=*/false) + "\n";
  }
  return text + "ExecStart=" + UnitWord(command.program, /*is_command=*/true) + " drill due\n";
}

std::string DueTimerText() {
  return "# Written by drover drill schedule; goes with the last schedule.\n"
         "[Unit]\nDescription=Looks every minute for failover drills that are due\n\n"
         "[Timer]\nOnCalendar=minutely\nAccuracySec=1s\n\n"
         "[Install]\nWantedBy=timers.target\n";
}

std::string CronLine(const DueCommand& command) {
  std::string line = "* * * * *";
  if (!command.environment.empty()) line += " env";
  for (const auto& [name, value] : command.environment) line += " " + CronWord(name + "=" + value);
  return line + " " + CronWord(command.program) + " drill due";
}

}  // namespace drover
