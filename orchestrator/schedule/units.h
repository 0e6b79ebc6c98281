// What makes the control host look every minute whether a drill is due: units of systemd, or a line
// for cron.
//
// Pure.
#pragma once

#include <map>
#include <string>

namespace drover {

inline constexpr const char* kDueUnit = "drover-drill-due";

struct DueCommand {
  std::string program;                             // absolute path of drover
  std::map<std::string, std::string> environment;  // that it needs to find its state
};

// "[Unit]…" of drover-drill-due.service and drover-drill-due.timer.
std::string DueServiceText(const DueCommand& command);
std::string DueTimerText();
// "* * * * * …".
std::string CronLine(const DueCommand& command);

}  // namespace drover
