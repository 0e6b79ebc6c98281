// A playbook as written: plays and tasks with their keywords read and checked, arguments still as
// the tree of the file, templates not yet evaluated.
//
// Values only; compile/ works them out for every host.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/playbook/play_policy.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {

// What a task repeats itself over.
struct Loop {
  YamlNode items;  // a list, or a template that gives one
  std::string variable = "item";
  std::string index_variable;  // loop_control.index_var; empty without one
  std::optional<YamlNode> label;
};

// Keywords that plays and tasks share; a task's stand over its play's.
struct CommonKeywords {
  bool become = false;
  std::optional<bool> no_log;
  std::optional<bool> ignore_errors;
  std::optional<bool> check_mode;
  std::optional<bool> diff;
  std::vector<std::string> tags;
  YamlNode vars;  // a mapping or nothing
};

struct PlaybookTask {
  Place place;
  std::string name;    // as written, may hold templates; empty without one
  std::string module;  // without a collection's prefix, aliases resolved
  Place module_place;
  YamlNode arguments;                 // always a mapping
  std::optional<YamlNode> free_form;  // the text of `command: …`
  CommonKeywords keywords;            // tags include the play's
  std::optional<YamlNode> when;
  std::optional<Loop> loop;
  bool reports_change = true;  // changed_when: false
  bool run_once = false;
  std::chrono::milliseconds timeout{0};
};

struct Play {
  enum class Order { kInventory, kReverseInventory, kSorted, kReverseSorted };

  Place place;
  std::string name;  // empty without one
  YamlNode hosts;    // the pattern: a string or a list of strings
  Order order = Order::kInventory;
  std::string remote_user;
  std::string connection;
  std::optional<int> port;
  CommonKeywords keywords;
  PlayPolicy policy;
  std::vector<YamlNode> vars_files;  // contents, in order
  std::vector<PlaybookTask> tasks;
};

struct Playbook {
  std::string path;  // as typed
  std::string directory;
  std::vector<Play> plays;
  std::vector<SourceFilePtr> files;  // everything read so far: the playbook and its vars_files
};

}  // namespace drover
