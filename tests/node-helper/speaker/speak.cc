// The VRRP speaker alone, for tests in the lab: `speak STATE.json` runs the instances of a
// desired state and prints what happens, one line each.
//
// SIGTERM: stop with handover. SIGINT: stop at once. SIGUSR1: yield all. SIGUSR2: return all.
// SIGHUP: read the file again (new forms are sent after SIGWINCH). SIGQUIT: upgrade in place, by
// starting itself anew.

#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "node-helper/speaker/speaker.h"
#include "protocol/codec.h"

namespace {

using namespace drover;

struct Printer {
  void operator()(const InstanceMoved& moved) const {
    std::printf("moved %s %s -> %s: %s", name.c_str(), moved.from.c_str(), moved.to.c_str(),
                moved.reason.c_str());
  }
  void operator()(const RivalSeen& rival) const {
    std::printf("rival %s %s %s: %s", name.c_str(), rival.address.ToString().c_str(),
                rival.mac.empty() ? "-" : rival.mac.c_str(), rival.answer.c_str());
  }
  void operator()(const AddressRepaired& repaired) const {
    std::printf("repaired %s %s", name.c_str(), repaired.resource.c_str());
  }
  void operator()(const TakeoverAhead& takeover) const {
    std::printf("takes over from %s soon, on %s", takeover.master.ToString().c_str(),
                takeover.interface.c_str());
  }
  void operator()(const SpeakerProblem& problem) const {
    std::printf("problem %s %s", name.c_str(), problem.text.c_str());
  }
  const std::string& name;
};

void PrintEvents(Speaker& speaker) {
  for (const SpeakerEvent& event : speaker.TakeEvents()) {
    // The same clock as Python's time.monotonic().
    std::printf("%.6f ", std::chrono::duration<double>(event.at.time_since_epoch()).count());
    std::visit(Printer{event.instance}, event.what);
    std::printf("\n");
  }
  std::fflush(stdout);
}

void PrintStatus(Speaker& speaker) {
  for (const InstanceStatus& status : speaker.Snapshot()) {
    std::printf("status %s %s priority=%d yielded=%d two_phase=%d peer_checksum=%s reason=%s",
                status.name.c_str(), status.state.c_str(), status.priority, status.yielded,
                status.two_phase, status.peer_checksum.c_str(), status.reason.c_str());
    for (const auto& [counter, value] : status.counters) {
      if (value != 0) {
        std::printf(" %s=%llu", counter.c_str(), static_cast<unsigned long long>(value));
      }
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

Result<DesiredState> ReadState(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return DecodeState(text);
}

Status Configure(Speaker& speaker, const std::string& path) {
  const Result<DesiredState> state = ReadState(path);
  if (!state) return Fail(state.error().In(path));
  return speaker.Configure(state->vrrp_instances, state->vrrp_groups);
}

void ForAll(Speaker& speaker, void (*act)(Speaker&, const std::string&)) {
  for (const InstanceStatus& status : speaker.Snapshot()) act(speaker, status.name);
}

// Replaces this process by a new one, which goes on with what was remembered.
[[noreturn]] void StartAnew(Speaker& speaker, char** argv) {
  const std::string remembered = speaker.Freeze();
  PrintEvents(speaker);
  const int fd = memfd_create("speak", 0);
  if (fd < 0 || write(fd, remembered.data(), remembered.size()) < 0) std::abort();
  setenv("SPEAK_REMEMBERED", std::to_string(fd).c_str(), 1);
  execv("/proc/self/exe", argv);
  std::perror("exec");
  std::exit(1);
}

std::string Remembered() {
  const char* number = std::getenv("SPEAK_REMEMBERED");
  if (number == nullptr) return "";
  std::ifstream file(std::string("/proc/self/fd/") + number);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  close(std::atoi(number));
  unsetenv("SPEAK_REMEMBERED");
  return text;
}

// False: it is over.
bool Obey(int number, Speaker& speaker, char** argv) {
  switch (number) {
    case SIGTERM:
      speaker.Stop(SpeakerStop::kHandOver);
      return false;
    case SIGINT:
      speaker.Stop(SpeakerStop::kAtOnce);
      return false;
    case SIGUSR1:
      ForAll(speaker, [](Speaker& s, const std::string& name) { (void)s.Yield(name); });
      return true;
    case SIGUSR2:
      ForAll(speaker, [](Speaker& s, const std::string& name) { s.Return(name); });
      return true;
    case SIGWINCH:
      speaker.SettleForms({});
      return true;
    case SIGQUIT:
      StartAnew(speaker, argv);
    default:
      if (const Status configured = Configure(speaker, argv[1]); !configured) {
        std::printf("refused %s\n", configured.error().message.c_str());
      }
      return true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: speak STATE.json\n");
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGWINCH, SIGQUIT}) {
    sigaddset(&signals, number);
  }
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
  auto speaker = Speaker::Start(Remembered());
  if (!speaker) {
    std::fprintf(stderr, "speak: %s\n", speaker.error().message.c_str());
    return 1;
  }
  if (const Status configured = Configure(**speaker, argv[1]); !configured) {
    std::fprintf(stderr, "speak: %s\n", configured.error().message.c_str());
    return 1;
  }
  bool running = true;
  while (running) {
    pollfd waiting[] = {{signal_fd, POLLIN, 0}, {(*speaker)->event_fd(), POLLIN, 0}};
    (void)poll(waiting, 2, 1000);
    signalfd_siginfo info{};
    if ((waiting[0].revents & POLLIN) != 0 && read(signal_fd, &info, sizeof info) > 0) {
      running = Obey(static_cast<int>(info.ssi_signo), **speaker, argv);
    }
    PrintEvents(**speaker);
    if (running) PrintStatus(**speaker);
  }
  return 0;
}
