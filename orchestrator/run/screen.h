// Text on the terminal: what a run shows on stdout, all else on stderr, one whole line at a time.
//
// Thread-safe. A reader that has gone away is no reason to stop a run.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/report/human.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

void PrintOut(const std::string& text);
void PrintErr(const std::string& text);
// Lines that stay below all that is printed on the terminal, until others take their place. None of
// them may be wider than it or hold a newline.
void ShowFooter(std::vector<std::string> lines);
// Whoever read our stdout has gone away.
bool OutputIsLost();
// "drover: error: …" with a hint below it.
void PrintProblem(const std::string& message, const std::string& hint = "");
// Formatted, on stderr. The exit code that fits: bad input for a user's file, error for the command
// line.
int PrintDiagnostics(const Diagnostics& diagnostics);
void PrintWarnings(const Diagnostics& warnings);
// What stdout is.
struct ScreenLook {
  bool terminal = false;
  bool live = false;  // a terminal on which lines can be taken back
  int columns = 80;
  int rows = 24;
  bool colours = false;
};
ScreenLook LookOfScreen(const Environment& environment);
// Columns and colours of stdout as Ansible works them out.
HumanOptions ScreenOptions(const CommandLine& line, const Environment& environment);

}  // namespace drover
