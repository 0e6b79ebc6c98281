// `drover status`: asks all hosts of a playbook and shows one screen, once or again and again.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "orchestrator/report/status_text.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

int StatusOf(const ClusterStatus& cluster) {
  int status = kExitOk;
  for (const Concern& concern : ConcernsOf(cluster)) {
    if (concern.weight == Concern::Weight::kUnreachable) {
      return kExitUnreachable;
    }
    if (concern.weight == Concern::Weight::kDown) {
      status = kExitFailed;
    }
  }
  return status;
}

// "2026-01-31T12:00:00Z".
std::string Now() {
  const std::string now = UtcNow();
  return now.substr(0, now.find('.')) + "Z";
}

// Each line over the old one, and nothing left of what was below. A line is wiped before it is
// written: behind one that fills the screen's width its last character would go.
std::string Redrawn(const std::string& text) {
  std::string drawn = "\033[H\033[K";
  for (const char c : text) {
    drawn += c == '\n' ? "\n\033[K" : std::string(1, c);
  }
  return drawn + "\033[J";
}

// As many lines as fit, so that the screen does not roll; the last one tells of the others.
std::string FirstLines(const std::string& text, int rows) {
  const auto lines = std::count(text.begin(), text.end(), '\n');
  if (lines < rows) return text;
  std::size_t end = 0;
  for (int i = 0; i + 2 < rows; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end) + "… " + std::to_string(lines - std::max(rows - 2, 0)) +
         " more lines\n";
}

// Shows one look after the other in the form that was asked for.
class View {
 public:
  View(const CommandLine& line, const CompiledRun& run)
      : json_(line.output == "json"), watch_(line.watch.has_value()) {
    const ScreenLook screen = LookOfScreen(ProcessEnvironment);
    in_place_ = watch_ && !json_ && screen.terminal &&
                ProcessEnvironment("TERM").value_or("dumb") != "dumb";
    look_.columns = screen.terminal ? screen.columns : 0;
    look_.colours = screen.colours;
    look_.playbook = line.playbook;
    look_.names = run.host_names;
  }
  ~View() {
    if (!last_.empty()) {
      PrintOut("\033[?25h\033[?1049l");
      PrintOut(last_);
    }
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  void Show(const ClusterStatus& cluster) {
    if (json_) {
      PrintOut(StatusJson(cluster, Now(), watch_ ? -1 : 2) + "\n");
      return;
    }
    if (in_place_) {
      const ScreenLook screen = LookOfScreen(ProcessEnvironment);
      look_.columns = screen.columns;
      // The other screen, no cursor; not before there is something to show.
      const std::string begin = last_.empty() ? "\033[?1049h\033[?25l" : "";
      last_ = StatusText(cluster, look_, Now());
      PrintOut(begin + Redrawn(FirstLines(last_, screen.rows)));
      return;
    }
    PrintOut(StatusText(cluster, look_, Now()) + (watch_ ? "\n" : ""));
  }

 private:
  bool json_;
  bool watch_;
  bool in_place_ = false;
  StatusLook look_;
  std::string last_;  // on the other screen now
};

int Watch(ClusterAsker& asker, const CommandLine& line, View& view) {
  using Clock = std::chrono::steady_clock;
  const auto interval = std::chrono::duration_cast<milliseconds>(
      std::chrono::duration<double>(line.watch.value_or(0)));
  int status = kExitOk;
  do {
    const auto next = Clock::now() + interval;
    const ClusterStatus cluster = line.watch ? asker.AskStatus() : asker.LookTwice();
    if (asker.interrupted()) {
      return line.watch ? status : kExitInterrupted;
    }
    status = StatusOf(cluster);
    view.Show(cluster);
    if (line.watch) {
      asker.Pause(
          std::max(std::chrono::duration_cast<milliseconds>(next - Clock::now()), milliseconds(0)));
    }
  } while (line.watch && !asker.interrupted() && !OutputIsLost());
  return status;
}

}  // namespace

int StatusCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "status",
      "Shows what all hosts of a playbook say about themselves. Ends with 0 when all is well, 2 "
      "when something is down, 4 when a host gives no answer.",
      arguments, [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        View view(line, prepared.run);
        return Watch(asker, line, view);
      });
}

}  // namespace drover
