// Runs one script now and then, without waiting for it: in a process group of its own, with nothing
// of ours but the environment, and never twice at once. What it leaves running in its group when it
// ends is killed, so that nothing piles up.
//
// One thread: the one that runs the loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/checks/probe.h"
#include "node-helper/checks/target.h"

namespace boost::asio {
class io_context;
}

namespace drover {

class Script {
 public:
  // The status as waitpid gives it.
  using Ended = std::function<void(int status)>;
  using Environment = std::vector<std::pair<std::string, std::string>>;

  Script(boost::asio::io_context& loop, std::vector<std::string> argv, Environment environment);
  ~Script();  // kills what runs and takes its status
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Empty: it runs, and `ended` will be called. Else why it cannot: "no such file or directory".
  std::string Start(Ended ended);
  // SIGTERM now, SIGKILL kTermGrace later if it is still there. `ended` will not be called.
  void Stop();
  // It runs, or has not yet gone after Stop.
  [[nodiscard]] bool busy() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

inline constexpr std::chrono::milliseconds kTermGrace{500};

// `target.settings.kind` is ScriptCheck.
std::unique_ptr<Probe> MakeScriptProbe(boost::asio::io_context& loop, const Target& target);

}  // namespace drover
