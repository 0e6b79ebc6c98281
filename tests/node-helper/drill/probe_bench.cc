#include "tests/node-helper/drill/probe_bench.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace drover {

bool RunShell(const std::string& command) {
  // A child of this thread, and so in its namespace; system() would do, but not from any thread's.
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

bool EnterNewNetwork() {
  return ::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0 && RunShell("ip link set lo up");
}

ResponderThread::ResponderThread(const ResponderSettings& settings, bool own_network) {
  auto stop = StopEvent::Create();
  if (!stop) {
    error_ = stop.error().message;
    return;
  }
  stop_ = std::move(*stop);
  std::promise<std::string> ready;
  std::promise<void> entered;
  thread_ = std::thread([this, &settings, own_network, &ready, &entered] {
    tid_ = ::gettid();
    const bool in = !own_network || EnterNewNetwork();
    entered.set_value();
    joined_.get_future().wait();
    if (!in) return ready.set_value("no namespace");
    auto opened = Responder::Open(settings);
    if (!opened) return ready.set_value(opened.error().message);
    responder_ = std::move(*opened);
    ready.set_value("");
    (void)responder_->Run(*stop_);
  });
  entered.get_future().wait();
  if (own_network) {
    const std::string id = std::to_string(tid_);
    if (!RunShell("ip link add probe0 address 02:00:00:00:77:01 type veth peer name eth0 address "
                  "02:00:00:00:77:02 netns " +
                  id +
                  " && ip addr add 10.77.0.1/24 dev probe0 && "
                  "ip link set probe0 up") ||
        !Run("ip addr add 10.77.0.2/24 dev eth0 && ip link set eth0 up")) {
      error_ = "no link to the namespace";
    }
  }
  joined_.set_value();
  const std::string problem = ready.get_future().get();
  if (error_.empty()) error_ = problem;
}

ResponderThread::~ResponderThread() {
  if (stop_) stop_->Stop();
  if (thread_.joinable()) thread_.join();
}

bool ResponderThread::Run(const std::string& command) const {
  return RunShell("nsenter --net=/proc/" + std::to_string(::getpid()) + "/task/" +
                  std::to_string(tid_) + "/ns/net sh -c '" + command + "'");
}

}  // namespace drover
