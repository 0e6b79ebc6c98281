#include "node-helper/fault/drill_parts.h"

#include <charconv>
#include <thread>

#include "node-helper/fault/drill_board.h"
#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kToolPatience{20};
constexpr std::chrono::milliseconds kHoldLook{20};

}  // namespace

Status RunTool(const DrillParts& parts, const std::vector<std::string>& argv,
               const std::string& input) {
  ProcessSpec spec;
  spec.argv = argv;
  spec.stdin_text = input;
  spec.timeout = kToolPatience;
  const auto outcome = parts.run(spec);
  if (!outcome) return Fail(outcome.error());
  if (outcome->timed_out) return Fail(ErrorCode::kTimeout, argv[0] + " gives no answer");
  const CommandOutcome& command = outcome->command;
  if (command.exit_code == 0) return {};
  std::string said = command.stderr_text.empty() ? command.stdout_text : command.stderr_text;
  said = said.substr(0, said.find('\n'));
  return Fail(ErrorCode::kInternal,
              argv[0] + " exits with " + std::to_string(command.exit_code) + ": " + said);
}

std::string HoldFile(const std::string& run_directory) { return run_directory + "/drill/hold"; }

void WaitWhileHeld(const std::string& run_directory) {
  while (true) {
    const auto text = ReadWholeFile(HoldFile(run_directory));
    if (!text) return;
    BoardTime until = 0;
    (void)std::from_chars(text->data(), text->data() + text->size(), until);
    if (BoardNow() >= until) return;
    std::this_thread::sleep_for(kHoldLook);
  }
}

}  // namespace drover
