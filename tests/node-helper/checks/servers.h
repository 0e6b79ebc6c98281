// Servers for tests of the probes, in a network of the test's own: what they answer is up to a
// function for each connection, which runs in a thread of the server.
//
// Needs root for the network (EnterOwnNetwork); everything goes with the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "protocol/address.h"

namespace drover {

// Moves the process into a network of its own: a loopback, and a cable on which 10.8.8.66 takes all
// packets and says nothing. False where that is not allowed.
bool EnterOwnNetwork();

// A TCP server on 127.0.0.1 and a port of its own.
class TcpServer {
 public:
  using Serve = std::function<void(int connection)>;  // the connection is closed behind it
  explicit TcpServer(Serve serve);
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  [[nodiscard]] Endpoint at() const { return at_; }

 private:
  int listener_;
  Endpoint at_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

// Answers each datagram with what `answer` makes of it; nothing when that is empty.
class UdpServer {
 public:
  using Answer = std::function<std::string(std::string datagram)>;
  explicit UdpServer(Answer answer);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;
  [[nodiscard]] Endpoint at() const { return at_; }

 private:
  int socket_;
  Endpoint at_;
  std::thread thread_;
};

// For the functions of servers.
std::string ReadUntil(int connection, const std::string& end);  // what came, also without the end
void Write(int connection, const std::string& text);
void HoldOpen(int connection);  // until the client goes, 5 s at most

// An endpoint where nobody listens.
Endpoint ClosedPort();
// Sockets of the network in TIME_WAIT.
int TimeWaits();

}  // namespace drover
