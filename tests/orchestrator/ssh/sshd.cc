#include "tests/orchestrator/ssh/sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace drover {
namespace {

constexpr const char* kSetup = R"sh(
set -e
t=$1
mount -t tmpfs none /run; mkdir /run/sshd
mount -t tmpfs none /var/lib; mkdir -p /var/lib/sudo/lectured
for f in passwd shadow group sudoers; do mount --bind $t/$f /etc/$f; done
exec /usr/sbin/sshd -D -e -f $t/sshd_config
)sh";

}  // namespace

std::string RunProgram(const std::vector<std::string>& argv) {
  const Bell never;
  auto stream = OpenChildStream(argv, argv.front(), never);
  if (!stream) {
    ADD_FAILURE() << stream.error().message;
    return {};
  }
  (*stream)->CloseInput();
  std::string out;
  std::string err;
  while (true) {
    const auto arrival = (*stream)->Receive(In(std::chrono::seconds(20)));
    if (!arrival) {
      ADD_FAILURE() << arrival.error().message;
      return out;
    }
    out += arrival->out;
    err += arrival->err;
    if (!arrival->end) continue;
    EXPECT_EQ(arrival->end->exit_code, 0) << argv.front() << ": " << err;
    return out;
  }
}

Listener ListenLocally(int backlog) {
  Listener listener;
  listener.fd.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.fd.get(), backlog), 0);
  EXPECT_EQ(::getsockname(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  listener.port = ntohs(address.sin_port);
  return listener;
}

void MakeClient(const TempFolder& home) {
  std::filesystem::create_directories(home.path() / ".ssh");
  RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "client", "-f",
              home / ".ssh/id_ed25519"});
}

Sshd::Sshd(const TempFolder& client, const SshdOptions& options)
    : key_types_(options.key_types),
      port_(options.port != 0 ? options.port : ListenLocally(1).port) {
  for (const std::string& type : key_types_) {
    RunProgram({"ssh-keygen", "-q", "-t", type, "-N", "", "-f", folder_ / ("host_" + type)});
  }
  folder_.Write("authorized", ReadFile(client / ".ssh/id_ed25519.pub"), 0644);
  WriteUsers();
  WriteConfig(options);
  const UniqueFd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto server = Child::Start({"unshare", "-m", "sh", "-c", kSetup, "sh", folder_.path()},
                             {null.get(), log.get(), log.get()});
  EXPECT_TRUE(server.has_value());
  if (server) server_ = *std::move(server);
  Await();
}

void Sshd::WriteUsers() const {
  std::string passwd = ReadFile("/etc/passwd");
  // Not the machine's own: its start files are none of the test's business.
  passwd.replace(0, passwd.find('\n'), "root:x:0:0:root:" + (folder_ / "root") + ":/bin/bash");
  std::filesystem::create_directory(folder_ / "root");
  std::string shadow = ReadFile("/etc/shadow");
  std::string password = RunProgram({"openssl", "passwd", "-6", "-salt", "drover", "secret word"});
  password.erase(password.find_last_not_of('\n') + 1);
  int id = 61001;
  for (const char* name : {"bob", "carol", "dave"}) {
    const std::string home = folder_ / name;
    std::filesystem::create_directory(home);
    passwd += std::string(name) + ":x:" + std::to_string(id++) + ":65534::" + home + ":/bin/sh\n";
    shadow += std::string(name) + ":" + password + ":19000:0:99999:7:::\n";
  }
  folder_.Write("passwd", passwd, 0644);
  folder_.Write("shadow", shadow, 0600);
  folder_.Write("group", ReadFile("/etc/group"), 0644);
  folder_.Write("sudoers",
                "Defaults env_reset, use_pty\nroot ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL\n"
                "carol ALL=(ALL) ALL\n",
                0440);
}

void Sshd::WriteConfig(const SshdOptions& options) const {
  std::string config = "ListenAddress 0.0.0.0\nListenAddress ::1\nPort " + std::to_string(port_) +
                       "\nPidFile none\nUsePAM no\nStrictModes no\nMaxStartups 100\n"
                       "PermitRootLogin yes\nAuthorizedKeysFile " +
                       (folder_ / "authorized") + "\n" + options.config;
  for (const std::string& type : key_types_)
    config += "HostKey " + (folder_ / ("host_" + type)) + "\n";
  folder_.Write("sshd_config", config);
}

void Sshd::Await() const {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  for (int i = 0; i < 400; ++i) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
    ::usleep(25000);
  }
  ADD_FAILURE() << "sshd does not listen: " << ReadFile(folder_ / "log");
}

std::string Sshd::KnownHosts(const std::string& address) const {
  std::string lines;
  for (const std::string& type : key_types_) {
    lines += "[" + address + "]:" + std::to_string(port_) + " " +
             ReadFile(folder_ / ("host_" + type + ".pub"));
  }
  return lines;
}

std::string Sshd::Fingerprint(const std::string& key_type) const {
  const std::string line =
      RunProgram({"ssh-keygen", "-l", "-f", folder_ / ("host_" + key_type + ".pub")});
  const std::size_t begin = line.find("SHA256:");
  return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace drover
