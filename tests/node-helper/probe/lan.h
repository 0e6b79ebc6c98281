// A network for tests of the prober: hosts in namespaces on one bridge, which stands in the
// namespace of the test itself. A child process holds each host and serves pages that name it.
//
// Needs root. Nothing outlives the test: children die with it, namespaces with the children.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace drover {

// Runs a command line with sh; true when it exits with 0.
bool RunShell(const std::string& command);

// One host: eth0 with the address 10.9.0.<n>/24 and 2001:db8:9::<n>/64, MAC 02:00:00:00:09:<n>.
class LanHost {
 public:
  // A web server on port 80 of every address answers with the host's name.
  LanHost(std::string name, int number);
  ~LanHost();
  LanHost(const LanHost&) = delete;
  LanHost& operator=(const LanHost&) = delete;

  // Runs in the host's namespace.
  [[nodiscard]] bool Run(const std::string& command) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string address() const { return "10.9.0." + std::to_string(number_); }
  [[nodiscard]] std::string mac() const;
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string name_;
  int number_;
  pid_t holder_ = -1;
  bool ok_ = false;
};

// Moves the calling process into a network of its own with the bridge br0 (10.9.0.1/24,
// 2001:db8:9::1/64). False when that is not allowed here.
bool EnterLan();

}  // namespace drover
