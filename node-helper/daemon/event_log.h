// What happened on this node, newest last: a ring in memory, a file of JSON lines and a line in the
// journal or syslog.
//
// Add may be called by one thread; it never waits for a disk: a thread of its own writes, and what
// it cannot write (disk full, a queue that is too long) is counted and lost. The log never ends the
// daemon.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "node-helper/daemon/log.h"
#include "protocol/node_status.h"

namespace drover {

// Where the lines of the file go; rotated when it is full.
struct EventFile {
  std::string path;                                  // empty: no file
  std::uint64_t max_bytes = std::uint64_t{1} << 20;  // of one file
  int kept = 3;                                      // old ones: path.1 is the newest
};

class EventLog {
 public:
  EventLog(EventFile file, const DaemonLog& log);
  ~EventLog();  // writes what still waits, but not for longer than a second
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // `subject`: "vrrp_instance web"; the kinds are listed at LoggedEvent. `problem` makes it a
  // warning in the journal.
  void Add(const std::string& kind, const std::string& subject, const std::string& text,
           bool problem = false);
  // The newest `count`, in order.
  [[nodiscard]] std::vector<LoggedEvent> Newest(std::size_t count) const;
  // Takes up the ring of the process before an upgrade in place.
  void Remember(std::vector<LoggedEvent> events);
  // Waits until everything is written, at most a second.
  void Flush();
  [[nodiscard]] std::uint64_t lost() const;

 private:
  class Writer;
  std::deque<LoggedEvent> ring_;
  std::unique_ptr<Writer> writer_;
};

// One line of the file, without its newline.
std::string EncodeEventLine(const LoggedEvent& event);

}  // namespace drover
