// A plan on disk: what was asked for, what it was made from, and what it would do on every host, so
// that `drover apply` can make it again and refuse it when anything moved.
//
// Pure: values and their JSON. It may hold variables from the command line: mode 0600.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "protocol/result.h"

namespace drover {

inline constexpr int kPlanFormat = 1;

// The options that decide what a run does. Passwords are never kept: whether they were asked for
// is.
struct PlanRequest {
  std::string playbook;
  std::vector<std::string> inventories;
  std::string limit;  // without @FILE
  std::vector<std::string> tags;
  std::vector<std::string> skip_tags;
  std::vector<std::string> extra_vars;
  std::string remote_user;
  std::string private_key_file;
  bool become = false;
  bool operator==(const PlanRequest&) const = default;
};

// Everything that a plan was compiled from, as hashes.
struct PlanInputs {
  std::map<std::string, std::string> playbook_files;   // path: sha256
  std::map<std::string, std::string> inventory_files;  // with group_vars and host_vars
  std::string variables;                               // sha256 over -e
  std::map<std::string, std::string> work;  // host: sha256 over the tasks that it would get
  bool operator==(const PlanInputs&) const = default;
};

struct PlanFile {
  std::string version;  // of the drover that made it
  std::string created;  // "2026-01-31T12:00:00Z"
  std::string user;
  std::string control_host;
  std::string directory;  // where relative paths were meant
  PlanRequest request;
  PlanInputs inputs;
  HostPlans hosts;
  bool operator==(const PlanFile&) const = default;
};

// One JSON document with a newline. Diffs of files are left out.
std::string EncodePlanFile(const PlanFile& file);
Result<PlanFile> DecodePlanFile(std::string_view text);

}  // namespace drover
