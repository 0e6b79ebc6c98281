// What /proc says about processes and their sockets, for faults that stop or kill some of them.
//
// Any thread. A process is meant by its number together with its start time, so that one that got
// the number later is never touched.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/fault/filter_rules.h"
#include "protocol/address.h"

namespace drover {

struct ProcessId {
  pid_t pid = 0;
  std::string started;  // clock ticks since boot, as /proc has it
  std::string name;
  bool operator==(const ProcessId&) const = default;
};

// Nothing when it is gone or only its entry is left (zombie).
std::optional<ProcessId> ProcessOf(pid_t pid);
bool IsThere(const ProcessId& process);
// 'T' stopped, 'S' sleeping …; '\0': gone.
char StateOf(pid_t pid);
pid_t ParentProcess(pid_t pid);

// Those that listen on one of the TCP ports, or have a socket on one of the UDP ports.
std::vector<ProcessId> ListenersOn(const std::vector<std::uint16_t>& ports);
// Whose command line is the helper's `drill` with these words behind it.
std::vector<ProcessId> HelpersWith(const std::vector<std::string>& words);
// The SSH connection that this process serves: from SSH_CONNECTION, else of the sshd among its
// parents. Nothing: it was started in another way.
std::optional<SshWay> OwnSshWay();

// --- pure

// Fields of the text of /proc/PID/stat.
struct ProcessStat {
  std::string name;
  char state = '\0';
  pid_t parent = 0;
  std::string started;
  bool operator==(const ProcessStat&) const = default;
};
std::optional<ProcessStat> ParseProcessStat(const std::string& text);
// One row of /proc/net/tcp, tcp6, udp, udp6.
struct SocketRow {
  Endpoint here;
  Endpoint there;
  unsigned state = 0;
  std::string inode;
  bool operator==(const SocketRow&) const = default;
};
std::vector<SocketRow> ParseSocketTable(const std::string& text);
std::optional<SshWay> ParseSshConnection(const std::string& text);

}  // namespace drover
