#include "tests/node-helper/probe/lan.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace drover {
namespace {

// Serves one page for ever; both families through one socket.
[[noreturn]] void Serve(const std::string& name) {
  const int listener = ::socket(AF_INET6, SOCK_STREAM, 0);
  const int off = 0;
  const int on = 1;
  ::setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(80);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) ::_exit(1);
  if (::listen(listener, 4096) != 0) ::_exit(1);
  const std::string body = "this is " + name + "\n";
  const std::string answer =
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  while (true) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) continue;
    std::array<char, 4096> request;
    if (::read(client, request.data(), request.size()) > 0) {
      (void)!::write(client, answer.data(), answer.size());
    }
    ::close(client);
  }
}

// Says its name to whoever asks it over UDP.
[[noreturn]] void ServeDatagrams(const std::string& name) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int door = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(53);
  if (::bind(door, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) ::_exit(1);
  const std::string answer = "this is " + name + "\n";
  while (true) {
    std::array<char, 512> question;
    sockaddr_in client{};
    socklen_t length = sizeof client;
    auto* address = reinterpret_cast<sockaddr*>(&client);
    if (::recvfrom(door, question.data(), question.size(), 0, address, &length) < 0) continue;
    (void)::sendto(door, answer.data(), answer.size(), 0, address, length);
  }
}

[[noreturn]] void HoldHost(const std::string& name, int ready, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || ::unshare(CLONE_NEWNET) != 0) ::_exit(1);
  if (::fork() == 0) ServeDatagrams(name);
  (void)!::write(ready, "x", 1);
  ::close(ready);
  Serve(name);
}

}  // namespace

bool RunShell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool EnterLan() {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) return false;
  return RunShell(
      "ip link set lo up && ip link add br0 address 02:00:00:00:09:01 type bridge && ip link set "
      "br0 up && ip addr add 10.9.0.1/24 dev br0 && ip addr add 2001:db8:9::1/64 dev br0 nodad");
}

LanHost::LanHost(std::string name, int number) : name_(std::move(name)), number_(number) {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return;
  const pid_t parent = ::getpid();
  holder_ = ::fork();
  if (holder_ == 0) {
    ::close(ready[0]);
    HoldHost(name_, ready[1], parent);
  }
  ::close(ready[1]);
  char byte = 0;
  const bool held = ::read(ready[0], &byte, 1) == 1;
  ::close(ready[0]);
  const std::string port = "port" + std::to_string(number_);
  const std::string id = std::to_string(number_);
  ok_ = held &&
        RunShell("ip link add " + port + " type veth peer name eth0 address " + mac() + " netns " +
                 std::to_string(holder_) + " && ip link set " + port + " master br0 up") &&
        Run("ip link set lo up && ip link set eth0 up && ip addr add " + address() +
            "/24 dev eth0 && ip addr add 2001:db8:9::" + id + "/64 dev eth0 nodad");
}

LanHost::~LanHost() {
  if (holder_ > 0) {
    ::kill(holder_, SIGKILL);
    ::waitpid(holder_, nullptr, 0);
  }
  // The pair goes with the namespace, but only after a moment.
  RunShell("ip link del port" + std::to_string(number_) + " 2>/dev/null");
}

std::string LanHost::mac() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto number = static_cast<std::size_t>(number_);
  return std::string("02:00:00:00:09:") + kDigits[number / 16] + kDigits[number % 16];
}

bool LanHost::Run(const std::string& command) const {
  return RunShell("nsenter -t " + std::to_string(holder_) + " -n sh -c '" + command + "'");
}

}  // namespace drover
