// A real OpenSSH server for a test: its own keys, port and mount namespace, in which users,
// sudoers, /run and /var/lib are its own too. Nothing of the system is touched.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/ssh/child_stream.h"
#include "tests/orchestrator/ssh/fake_helper.h"

namespace drover {

struct SshdOptions {
  std::vector<std::string> key_types = {"ed25519", "rsa"};
  std::string config;  // further lines of sshd_config
  int port = 0;        // 0: any free one
};

class Sshd {
 public:
  // Users: root; bob (sudo without password), carol (with password "secret word"), dave (no sudo).
  // All log in with ClientKey; carol also with her password.
  explicit Sshd(const TempFolder& client, const SshdOptions& options = {});
  [[nodiscard]] int port() const { return port_; }
  // Every host key as known_hosts lines for this address.
  [[nodiscard]] std::string KnownHosts(const std::string& address = "127.0.0.1") const;
  [[nodiscard]] std::string Fingerprint(const std::string& key_type) const;
  [[nodiscard]] const TempFolder& folder() const { return folder_; }

 private:
  void WriteUsers() const;
  void WriteConfig(const SshdOptions& options) const;
  void Await() const;

  TempFolder folder_;
  std::vector<std::string> key_types_;
  int port_;
  Child server_;
};

// Runs a program to its end and returns its stdout; the test fails if it does.
std::string RunProgram(const std::vector<std::string>& argv);
// A socket that listens on a free port of 127.0.0.1.
struct Listener {
  UniqueFd fd;
  int port = 0;
};
Listener ListenLocally(int backlog);
// Keys of the client in its HOME: .ssh/id_ed25519.
void MakeClient(const TempFolder& home);

}  // namespace drover
