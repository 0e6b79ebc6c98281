// `drover replace OLD NEW`: the new real server is brought into service, and only when it serves on
// every director the old one leaves. What both halves need is looked at before the first begins.

#include <functional>

#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/growth.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

CommandLine For(const CommandLine& whole, const std::string& host) {
  CommandLine line = whole;
  line.hosts = {host};
  return line;
}

// From a fresh look at the inventory, which the half before may have changed.
int Half(const CommandLine& line, const std::string& name,
         const std::function<int(Growth& growth)>& work) {
  Prepared prepared = Prepare(line);
  if (prepared.exit) return *prepared.exit;
  Growth growth(line, std::move(prepared), name);
  return growth.End(work(growth));
}

}  // namespace

int ReplaceCommand(const std::vector<std::string>& arguments) {
  const auto [line, exit] = ParseCommandLine(
      "replace",
      "Puts a new real server in the place of an old one: adds the new one, and when every "
      "director's checks find it well and it has its weight, drains and removes the old one.",
      arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  const CommandLine going = For(line, line.hosts.front());
  const CommandLine coming = For(line, line.hosts.back());
  const std::string& old_host = going.hosts.front();
  int status = Half(going, "remove", [](Growth& growth) {
    return CannotRemove(growth).value_or(static_cast<int>(kExitOk));
  });
  if (status != kExitOk) return status;
  status = Half(coming, "add", AddServers);
  if (status != kExitOk) {
    PrintErr("drover: " + old_host + " serves as before\n");
    return status;
  }
  status = Half(going, "remove", RemoveServers);
  if (status != kExitOk) {
    PrintErr("drover: " + coming.hosts.front() + " serves; \"drover remove " + old_host +
             "\" goes on with the other half\n");
  }
  return status;
}

}  // namespace drover
