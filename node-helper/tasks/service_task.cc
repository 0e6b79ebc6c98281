#include "node-helper/tasks/service_task.h"

#include "node-helper/tasks/init_system.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

// One step to take, with its words.
struct Step {
  std::string verb;  // of the init system; empty: enable or disable
  bool enable = false;
  ChangeText text;
};

std::vector<Step> StepsFor(const ServiceTask& task, const InitServiceStatus& now) {
  const std::string resource = "system service " + task.name;
  const std::string before = now.running ? "running" : "stopped";
  std::vector<Step> steps;
  // Enabled first: a service that fails to start is still there after the next boot.
  if (task.enabled && *task.enabled != now.enabled && now.can_be_enabled) {
    steps.push_back({"", *task.enabled,
                     ChangeText{"change", resource, now.enabled ? "enabled" : "disabled",
                                *task.enabled ? "enabled" : "disabled",
                                now.enabled ? "is enabled" : "is not enabled"}});
  }
  if (!task.state) return steps;
  const auto tell = [&](const char* verb, const char* after, const std::string& reason) {
    steps.push_back({verb, false, ChangeText{"change", resource, before, after, reason}});
  };
  switch (*task.state) {
    case ServiceState::kStarted:
      if (!now.running) tell("start", "running", "does not run");
      break;
    case ServiceState::kStopped:
      if (now.running) tell("stop", "stopped", "runs");
      break;
    case ServiceState::kRestarted:
      tell(now.running ? "restart" : "start", now.running ? "restarted" : "running", "asked for");
      break;
    case ServiceState::kReloaded:
      tell(now.running ? "reload" : "start", now.running ? "reloaded" : "running", "asked for");
      break;
  }
  return steps;
}

TaskResult WouldComeWithPackage(const ServiceTask& task) {
  return Succeeded(
      {ChangeText{"change", "system service " + task.name, "", "as wanted", "does not exist yet"}});
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         name.find_first_of("/ \t\n*?[]") == std::string::npos;
}

}  // namespace

TaskResult RunServiceTask(const Task& task, const ServiceTask& service, const ProgramCourse& course,
                          TaskContext& context) {
  if (!IsPlainName(service.name)) {
    return Failed({ErrorCode::kInvalid, "\"" + service.name + "\" is no name of a service"});
  }
  const auto init = OpenInitSystem({context.run, task.timeout, context.abandoned});
  const auto now = init->Look(service.name);
  if (!now) return Failed(now.error());
  if (!now->exists) {
    if (task.check && course.unknown_changes) return WouldComeWithPackage(service);
    return Failed({ErrorCode::kNotFound, "there is no service " + service.name + " on this node"});
  }
  std::vector<ChangeText> done;
  for (const Step& step : StepsFor(service, *now)) {
    if (!task.check) {
      if (const Status ready = BeforeService(context, service.name); !ready) {
        return Failed(ready.error(), std::move(done));
      }
      const Status told = step.verb.empty() ? init->Enable(service.name, step.enable)
                                            : init->Tell(service.name, step.verb);
      if (!told) return Failed(told.error(), std::move(done));
    }
    done.push_back(step.text);
  }
  return Succeeded(std::move(done));
}

}  // namespace drover
