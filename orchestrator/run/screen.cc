#include "orchestrator/run/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include "orchestrator/report/terminal.h"
#include "orchestrator/run/exit_code.h"

namespace drover {
namespace {

constexpr int kAnsibleColumns = 79;

std::optional<winsize> SizeOfScreen() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size;
}

// What was printed last on stdout, and stays last.
struct Footer {
  std::mutex mutex;
  std::vector<std::string> lines;

  // The cursor is below it: in the first column, or behind what was typed (^C).
  void Erase() const {
    if (lines.empty()) return;
    // A terminal that has become narrower wraps what it shows.
    const auto size = SizeOfScreen();
    const int columns = size ? size->ws_col : kAnsibleColumns;
    int rows = 0;
    for (const std::string& line : lines) {
      rows += std::max(1, (TextWidth(line) + columns - 1) / columns);
    }
    std::fprintf(stdout, "\r\033[%dA\033[J", rows);
  }
  void Draw() const {
    for (const std::string& line : lines) std::fprintf(stdout, "%s\n", line.c_str());
    std::fflush(stdout);
  }
};

Footer& TheFooter() {
  static Footer footer;
  return footer;
}

// Whole lines; the flush belongs to them.
void Print(std::FILE* stream, const std::string& text) {
  if (text.empty()) return;
  Footer& footer = TheFooter();
  const std::lock_guard lock(footer.mutex);
  footer.Erase();
  if (stream != stdout) std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
  footer.Draw();
}

}  // namespace

void ShowFooter(std::vector<std::string> lines) {
  Footer& footer = TheFooter();
  const std::lock_guard lock(footer.mutex);
  if (lines == footer.lines) return;
  footer.Erase();
  footer.lines = std::move(lines);
  footer.Draw();
}

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
  look.terminal = isatty(STDOUT_FILENO) == 1;
  look.live = look.terminal && environment("TERM").value_or("dumb") != "dumb";
  if (const auto size = SizeOfScreen(); look.terminal && size) {
    look.columns = size->ws_col;
    look.rows = std::max<int>(size->ws_row, 2);
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
