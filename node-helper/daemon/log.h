// Where the daemon's lines go: stderr (systemd's journal), syslog, or a file with times.
//
// One thread at a time.
#pragma once

#include <string>

#include "node-helper/store/descriptor.h"

namespace drover {

class DaemonLog {
 public:
  static DaemonLog ToStderr() { return DaemonLog(Descriptor(), false); }
  // Syslog where somebody listens, else `path`, else nowhere.
  static DaemonLog ToSyslogOr(const std::string& path);

  void Line(const std::string& text) const;
  void Problem(const std::string& text) const;

 private:
  DaemonLog(Descriptor file, bool syslog) : file_(std::move(file)), syslog_(syslog) {}
  void Write(int priority, const std::string& text) const;

  Descriptor file_;
  bool syslog_ = false;
};

}  // namespace drover
