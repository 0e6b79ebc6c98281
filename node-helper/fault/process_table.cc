#include "node-helper/fault/process_table.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace drover {
namespace {

constexpr unsigned kEstablished = 1;
constexpr unsigned kUnconnected = 7;  // a UDP socket without a peer
constexpr unsigned kListening = 10;
constexpr int kMostParents = 32;

// Files of /proc say no size; they are read as streams.
std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Directory(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failed == std::errc() && end == name.data() + name.size()) all.push_back(pid);
  }
  return all;
}

// Inodes of the sockets that a process has open.
std::set<std::string> SocketsOf(pid_t pid) {
  constexpr std::string_view kPrefix = "socket:[";
  std::set<std::string> inodes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(Directory(pid) + "/fd", error)) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || !target.starts_with(kPrefix)) continue;
    inodes.insert(target.substr(kPrefix.size(), target.size() - kPrefix.size() - 1));
  }
  return inodes;
}

std::vector<SocketRow> Rows(const char* name) {
  std::vector<SocketRow> rows = ParseSocketTable(TextOf(std::string("/proc/net/") + name));
  const auto more = ParseSocketTable(TextOf(std::string("/proc/net/") + name + "6"));
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

// The kernel prints each 32-bit word of an address as it lies in memory.
std::optional<IpAddress> AddressIn(const std::string& hex) {
  std::array<std::uint8_t, 16> bytes{};
  if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
  for (std::size_t word = 0; word < hex.size() / 8; ++word) {
    std::uint32_t value = 0;
    const char* from = hex.data() + word * 8;
    if (std::from_chars(from, from + 8, value, 16).ec != std::errc()) return std::nullopt;
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), 4, bytes.begin() + word * 4);
  }
  if (hex.size() == 8) return IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]});
  // An IPv4 peer of an IPv6 socket.
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    return IpAddress::V4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  return IpAddress::V6(bytes);
}

std::optional<Endpoint> EndpointIn(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto address = AddressIn(text.substr(0, colon));
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const bool fits = std::from_chars(text.data() + colon + 1, end, port, 16).ec == std::errc();
  if (!address || !fits) return std::nullopt;
  return Endpoint{*address, port};
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(const std::string& text) {
  // The name may hold anything, parentheses too.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.name = text.substr(open + 1, close - open - 1);
  std::istringstream fields(text.substr(close + 1));
  constexpr int kBetween = 17;  // from the parent to the start time (proc(5), field 22)
  fields >> stat.state >> stat.parent;
  std::string skipped;
  for (int i = 0; i < kBetween; ++i) fields >> skipped;
  if (!(fields >> stat.started)) return std::nullopt;
  return stat;
}

std::vector<SocketRow> ParseSocketTable(const std::string& text) {
  std::vector<SocketRow> rows;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string slot;
    std::string here;
    std::string there;
    std::string state;
    std::string skipped;
    fields >> slot >> here >> there >> state;
    for (int i = 0; i < 5; ++i) fields >> skipped;
    SocketRow row;
    const auto own = EndpointIn(here);
    const auto peer = EndpointIn(there);
    const char* const end = state.data() + state.size();
    if (!own || !peer || !(fields >> row.inode) ||
        std::from_chars(state.data(), end, row.state, 16).ec != std::errc()) {
      continue;
    }
    row.here = *own;
    row.there = *peer;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<SshWay> ParseSshConnection(const std::string& text) {
  std::istringstream words(text);
  std::string client;
  std::string server;
  SshWay way;
  if (!(words >> client >> way.there.port >> server >> way.here.port)) return std::nullopt;
  const auto there = IpAddress::Parse(client);
  const auto here = IpAddress::Parse(server);
  if (!there || !here) return std::nullopt;
  way.there.address = *there;
  way.here.address = *here;
  return way;
}

std::optional<ProcessId> ProcessOf(pid_t pid) {
  auto stat = ParseProcessStat(TextOf(Directory(pid) + "/stat"));
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return ProcessId{pid, std::move(stat->started), std::move(stat->name)};
}

bool IsThere(const ProcessId& process) {
  const auto now = ProcessOf(process.pid);
  return now && now->started == process.started;
}

char StateOf(pid_t pid) {
  const auto stat = ParseProcessStat(TextOf(Directory(pid) + "/stat"));
  return stat ? stat->state : '\0';
}

pid_t ParentProcess(pid_t pid) {
  const auto stat = ParseProcessStat(TextOf(Directory(pid) + "/stat"));
  return stat ? stat->parent : 0;
}

std::vector<ProcessId> ListenersOn(const std::vector<std::uint16_t>& ports) {
  std::set<std::string> wanted;
  for (const auto& [table, state] :
       {std::pair{"tcp", kListening}, std::pair{"udp", kUnconnected}}) {
    for (const SocketRow& row : Rows(table)) {
      const bool fits = std::find(ports.begin(), ports.end(), row.here.port) != ports.end();
      if (fits && row.state == state) wanted.insert(row.inode);
    }
  }
  std::vector<ProcessId> found;
  for (const pid_t pid : AllProcesses()) {
    const auto sockets = SocketsOf(pid);
    const bool listens = std::any_of(sockets.begin(), sockets.end(),
                                     [&](const auto& inode) { return wanted.contains(inode); });
    if (!listens) continue;
    if (auto process = ProcessOf(pid)) found.push_back(std::move(*process));
  }
  return found;
}

std::vector<ProcessId> HelpersWith(const std::vector<std::string>& words) {
  std::string wanted = "drill";
  for (const std::string& word : words) wanted += '\0' + word;
  std::vector<ProcessId> found;
  for (const pid_t pid : AllProcesses()) {
    if (pid == ::getpid()) continue;
    const std::string line = TextOf(Directory(pid) + "/cmdline");
    const std::size_t first = line.find('\0');
    if (first == std::string::npos || line.compare(first + 1, wanted.size(), wanted) != 0) continue;
    if (auto process = ProcessOf(pid)) found.push_back(std::move(*process));
  }
  return found;
}

std::optional<SshWay> OwnSshWay() {
  if (const char* said = std::getenv("SSH_CONNECTION"); said != nullptr) {
    if (auto way = ParseSshConnection(said)) return way;
  }
  // sudo takes the variable away.
  pid_t pid = ::getppid();
  for (int i = 0; i < kMostParents && pid > 1; ++i, pid = ParentProcess(pid)) {
    const auto process = ProcessOf(pid);
    if (!process || !process->name.starts_with("sshd")) continue;
    const auto sockets = SocketsOf(pid);
    for (const SocketRow& row : Rows("tcp")) {
      if (row.state == kEstablished && sockets.contains(row.inode)) {
        return SshWay{row.here, row.there};
      }
    }
  }
  return std::nullopt;
}

}  // namespace drover
