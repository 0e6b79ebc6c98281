#include "orchestrator/run/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "orchestrator/report/terminal.h"
#include "orchestrator/run/exit_code.h"

namespace drover {
namespace {

constexpr int kAnsibleColumns = 79;

// stdio locks a stream for one call; the flush belongs to the same line.
void Print(std::FILE* stream, const std::string& text) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

void PrintOut(const std::string& text) { Print(stdout, text); }
void PrintErr(const std::string& text) { Print(stderr, text); }
bool OutputIsLost() { return std::ferror(stdout) != 0; }

void PrintProblem(const std::string& message, const std::string& hint) {
  PrintErr("drover: error: " + Printable(message) + "\n" +
           (hint.empty() ? "" : "  hint: " + Printable(hint) + "\n"));
}

int PrintDiagnostics(const Diagnostics& diagnostics) {
  PrintErr(Printable(Format(diagnostics)) + "\n");
  // A file that is not there is a slip on the command line; only one that was read can be wrong.
  const bool files = std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) {
    std::error_code error;
    return d.place.file != nullptr &&
           (d.place.line > 0 || std::filesystem::exists(d.place.file->name, error));
  });
  return files ? kExitBadInput : kExitError;
}

void PrintWarnings(const Diagnostics& warnings) {
  for (const Diagnostic& warning : warnings) {
    PrintErr(Printable(FormatWarning(warning)) + "\n");
  }
}

ScreenLook LookOfScreen(const Environment& environment) {
  ScreenLook look;
  winsize size{};
  look.terminal = isatty(STDOUT_FILENO) == 1;
  if (look.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    look.columns = size.ws_col;
    look.rows = std::max<int>(size.ws_row, 2);
  }
  look.colours = ColoursWanted({.terminal = look.terminal,
                                .force = environment("ANSIBLE_FORCE_COLOR"),
                                .no_color = environment("NO_COLOR"),
                                .ansible_no_color = environment("ANSIBLE_NOCOLOR"),
                                .term = environment("TERM")});
  return look;
}

HumanOptions ScreenOptions(const CommandLine& line, const Environment& environment) {
  HumanOptions options{.verbosity = line.verbosity, .diff = line.diff};
  const ScreenLook look = LookOfScreen(environment);
  if (look.terminal) {
    options.columns = std::max(kAnsibleColumns, look.columns - 1);
  }
  options.colours = look.colours;
  return options;
}

}  // namespace drover
