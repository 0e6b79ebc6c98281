#include "orchestrator/plan/staleness.h"

#include <algorithm>
#include <map>

namespace drover {
namespace {

using Hashes = std::map<std::string, std::string>;

// "inventory hosts.yml has changed" for each file that is another, new or gone.
void CompareFiles(const std::string& kind, const Hashes& then, const Hashes& now,
                  std::vector<std::string>& moved) {
  for (const auto& [path, hash] : then) {
    const auto found = now.find(path);
    if (found == now.end()) {
      moved.push_back(kind + " " + path + " is no longer read");
    } else if (found->second != hash) {
      moved.push_back(kind + " " + path + " has changed");
    }
  }
  for (const auto& [path, hash] : now) {
    if (!then.contains(path)) moved.push_back(kind + " " + path + " is new");
  }
}

bool Holds(const std::vector<PlannedChange>& changes, const PlannedChange& wanted) {
  return std::any_of(changes.begin(), changes.end(), [&](const PlannedChange& change) {
    return change.task == wanted.task && change.change == wanted.change;
  });
}

}  // namespace

std::vector<std::string> MovedInputs(const PlanInputs& then, const PlanInputs& now) {
  std::vector<std::string> moved;
  CompareFiles("playbook file", then.playbook_files, now.playbook_files, moved);
  CompareFiles("inventory file", then.inventory_files, now.inventory_files, moved);
  if (then.variables != now.variables) moved.emplace_back("the variables of -e have changed");
  if (!moved.empty()) return moved;
  // The files are the same, so it is what they are compiled with: names that DNS resolves.
  for (const auto& [host, hash] : then.work) {
    const auto found = now.work.find(host);
    if (found == now.work.end()) {
      moved.push_back(host + " is no longer a host of the run");
    } else if (found->second != hash) {
      moved.push_back(host + " would get other tasks although no file has changed" +
                      " (a name that resolves to another address?)");
    }
  }
  for (const auto& [host, hash] : now.work) {
    if (!then.work.contains(host)) moved.push_back(host + " is a new host of the run");
  }
  return moved;
}

std::vector<std::string> MovedNode(const std::string& host, const HostPlan& then,
                                   const HostPlan& now) {
  std::vector<std::string> moved;
  if (!now.problem.empty()) return {host + ": " + now.problem};
  for (const PlannedChange& change : then.changes) {
    if (!Holds(now.changes, change)) {
      moved.push_back(host + ": planned, but not needed any more: " + OneLine(change.change));
    }
  }
  for (const PlannedChange& change : now.changes) {
    if (!Holds(then.changes, change)) {
      moved.push_back(host + ": not in the plan, but needed now: " + OneLine(change.change));
    }
  }
  if (moved.empty()) {
    moved.push_back(host + ": its state or its record is another than when the plan was made;" +
                    " the changes are the same");
  }
  return moved;
}

}  // namespace drover
