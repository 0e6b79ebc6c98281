#include "node-helper/tasks/package_task.h"

#include <algorithm>
#include <set>

#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

// Options and shell patterns are no names ("-o", "nginx*"); the rest the package manager knows.
bool IsPlainName(const std::string& name) {
  if (name.empty() || !std::isalnum(static_cast<unsigned char>(name.front()))) return false;
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) ||
           std::string_view("+-._:=~^/@").find(letter) != std::string_view::npos;
  });
}

ChangeText ChangeOf(const std::string& name, const std::string& before, const std::string& after,
                    bool asked_for) {
  const char* verb = before.empty() ? "add" : after.empty() ? "remove" : "change";
  std::string reason = before.empty() ? "missing" : after.empty() ? "installed" : "is " + before;
  if (!asked_for) reason = "dependency";
  return ChangeText{verb, "package " + name, before, after, reason};
}

// What was asked for comes first.
std::vector<ChangeText> Compare(const Packages& before, const Packages& after,
                                const std::set<std::string>& asked_for) {
  const auto version = [](const Packages& packages, const std::string& name) {
    const auto found = packages.find(name);
    return found == packages.end() ? std::string() : found->second;
  };
  std::set<std::string> names;
  for (const auto& [name, unused] : before) names.insert(name);
  for (const auto& [name, unused] : after) names.insert(name);
  std::vector<ChangeText> changes;
  for (const bool asked : {true, false}) {
    for (const std::string& name : names) {
      const bool differs = before.contains(name) != after.contains(name) ||
                           version(before, name) != version(after, name);
      if (!differs || asked_for.contains(name) != asked) continue;
      changes.push_back(ChangeOf(name, version(before, name), version(after, name), asked));
    }
  }
  return changes;
}

// One package task on its way through a manager.
class PackageRun {
 public:
  PackageRun(const Task& task, const PackageTask& package, ProgramCourse& course,
             PackageManager& manager, Packages before, TaskContext& context)
      : task_(task),
        package_(package),
        course_(course),
        manager_(manager),
        before_(std::move(before)),
        context_(context) {
    for (const std::string& name : package.names) asked_for_.insert(manager.NameOf(name));
  }

  TaskResult Run() {
    std::vector<std::string> open;
    for (const std::string& name : package_.names) {
      const bool has = manager_.Has(before_, name);
      const bool absent = package_.state == PackageState::kAbsent;
      if (absent ? before_.contains(manager_.NameOf(name))
                 : !has || package_.state == PackageState::kLatest) {
        open.push_back(absent ? manager_.NameOf(name) : name);
      }
    }
    if (open.empty()) return Succeeded();
    return task_.check ? Preview(open) : Carry(open);
  }

 private:
  TaskResult Preview(const std::vector<std::string>& open) {
    Packages after = before_;
    if (package_.state == PackageState::kAbsent) {
      for (const std::string& name : open) after.erase(name);
    } else if (const auto would = manager_.WouldInstall(open)) {
      for (const auto& [name, version] : *would) after[name] = version;
    } else if (package_.update_cache) {
      // The lists may be old: the real run would fetch them first.
      for (const std::string& name : open) after.try_emplace(manager_.NameOf(name), "");
    } else {
      return Failed(would.error());
    }
    TaskResult result = Succeeded(Compare(before_, after, asked_for_));
    course_.unknown_changes |= result.status == TaskStatus::kChanged;
    return result;
  }

  TaskResult Carry(const std::vector<std::string>& open) {
    if (package_.update_cache && package_.state != PackageState::kAbsent) {
      if (const Status updated = manager_.UpdateLists(); !updated) return Failed(updated.error());
    }
    if (package_.state == PackageState::kLatest) {
      const auto would = manager_.WouldInstall(open);
      if (!would) return Failed(would.error());
      if (would->empty()) return Succeeded();
    }
    if (const Status ready = BeforeChange(context_); !ready) return Failed(ready.error());
    const Status done =
        package_.state == PackageState::kAbsent ? manager_.Remove(open) : manager_.Install(open);
    const auto after = manager_.Installed();
    std::vector<ChangeText> changes;
    if (after) changes = Compare(before_, *after, asked_for_);
    if (!done) return Failed(WithHint(done.error()), std::move(changes));
    if (!after) return Failed(after.error());
    return Succeeded(std::move(changes));
  }

  Error WithHint(Error error) const {
    if (!package_.update_cache && error.message.find("Unable to locate") != std::string::npos) {
      error.message += "; are the package lists there? update_cache: true fetches them";
    }
    return error;
  }

  const Task& task_;
  const PackageTask& package_;
  ProgramCourse& course_;
  PackageManager& manager_;
  Packages before_;
  TaskContext& context_;
  std::set<std::string> asked_for_;
};

}  // namespace

TaskResult RunPackageTask(const Task& task, const PackageTask& package, ProgramCourse& course,
                          PackageManager& manager, TaskContext& context) {
  for (const std::string& name : package.names) {
    if (!IsPlainName(name)) {
      return Failed({ErrorCode::kInvalid, "\"" + name + "\" is no name of a package"});
    }
  }
  auto installed = manager.Installed();
  if (!installed) return Failed(installed.error());
  return PackageRun(task, package, course, manager, std::move(*installed), context).Run();
}

TaskResult RunPackageTask(const Task& task, const PackageTask& package, ProgramCourse& course,
                          TaskContext& context) {
  const auto manager = OpenPackageManager({context.run, task.timeout, context.abandoned});
  if (!manager) return Failed(manager.error());
  return RunPackageTask(task, package, course, **manager, context);
}

}  // namespace drover
