// package, service and wait_for.
#include <map>

#include "orchestrator/compile/module_context.h"

namespace drover {

std::optional<ModuleWork> ParsePackage(Arguments& arguments, ModuleContext&) {
  const std::string key = arguments.Has("pkg") ? "pkg" : "name";
  PackageTask task;
  task.update_cache = arguments.Bool("update_cache").value_or(false);
  task.names = arguments.Texts(key, /*commas=*/true);
  if (!task.update_cache || !task.names.empty()) arguments.Require(key);
  for (const auto& name : task.names) {
    if (name.starts_with('-') || name.find_first_of(" \t\n") != std::string::npos) {
      arguments.Say(arguments.PlaceOf(key), "\"" + name + "\" is no name of a package");
    }
  }
  const std::map<std::string, PackageState> states = {{"present", PackageState::kPresent},
                                                      {"installed", PackageState::kPresent},
                                                      {"absent", PackageState::kAbsent},
                                                      {"removed", PackageState::kAbsent},
                                                      {"latest", PackageState::kLatest}};
  const auto word =
      arguments.OneOf("state", {"present", "installed", "absent", "removed", "latest"});
  if (word) task.state = states.at(*word);
  return ModuleWork{std::move(task), std::nullopt};
}

std::optional<ModuleWork> ParseServiceUnit(Arguments& arguments, ModuleContext& context) {
  ServiceTask task;
  arguments.Require("name");
  task.name = arguments.Text("name").value_or("");
  if (task.name.starts_with('-') || task.name.find_first_of("/ \t\n") != std::string::npos) {
    arguments.Say(arguments.PlaceOf("name"), "\"" + task.name + "\" is no name of a service");
  }
  const std::map<std::string, ServiceState> states = {{"started", ServiceState::kStarted},
                                                      {"stopped", ServiceState::kStopped},
                                                      {"restarted", ServiceState::kRestarted},
                                                      {"reloaded", ServiceState::kReloaded}};
  const auto word = arguments.OneOf("state", {"started", "stopped", "restarted", "reloaded"});
  if (word) task.state = states.at(*word);
  task.enabled = arguments.Bool("enabled");
  if (!arguments.Has("state") && !arguments.Has("enabled")) {
    arguments.Say(context.task.module_place, "module \"service\" needs \"state\" or \"enabled\"");
  }
  return ModuleWork{std::move(task), std::nullopt};
}

std::optional<ModuleWork> ParseWaitFor(Arguments& arguments, ModuleContext& context) {
  WaitForTask task;
  const auto word =
      arguments.OneOf("state", {"started", "present", "stopped", "absent", "drained"});
  task.present = !word || *word == "started" || *word == "present";
  if (arguments.Has("port") == arguments.Has("path")) {
    arguments.Say(context.task.module_place,
                  arguments.Has("port") ? "module \"wait_for\" takes either \"port\" or \"path\""
                                        : "module \"wait_for\" needs \"port\" or \"path\"");
  }
  if (const auto port = arguments.Integer("port", 1, 65535)) {
    const std::string host = arguments.Text("host").value_or("127.0.0.1");
    const auto address =
        host == "localhost" ? IpAddress::Parse("127.0.0.1") : context.run.addresses.OfName(host);
    if (address) {
      task.endpoint = Endpoint{*address, static_cast<std::uint16_t>(*port)};
    } else {
      arguments.Say(arguments.PlaceOf("host"), address.error().message);
    }
  }
  if (const auto path = arguments.Text("path")) {
    task.path = *path;
    if (!path->starts_with('/')) {
      arguments.Say(arguments.PlaceOf("path"),
                    "\"path\" takes an absolute path, not \"" + *path + "\"");
    }
  }
  task.delay = arguments.Duration("delay").value_or(task.delay);
  task.interval = arguments.Duration("sleep").value_or(task.interval);
  task.timeout = arguments.Duration("timeout").value_or(task.timeout);
  if (task.interval < std::chrono::milliseconds(1)) {
    arguments.Say(arguments.PlaceOf("sleep"), "\"sleep\" must be longer than nothing");
  }
  return ModuleWork{std::move(task), std::nullopt};
}

}  // namespace drover
