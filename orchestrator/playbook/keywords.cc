#include "orchestrator/playbook/keywords.h"

#include <algorithm>

namespace drover {
namespace {

constexpr std::string_view kForeign[] = {
    "action",
    "always",
    "async",
    "become_exe",
    "become_flags",
    "block",
    "collections",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "environment",
    "fact_path",
    "failed_when",
    "force_handlers",
    "gather_subset",
    "gather_timeout",
    "handlers",
    "ignore_unreachable",
    "import_playbook",
    "listen",
    "local_action",
    "module_defaults",
    "notify",
    "poll",
    "post_tasks",
    "pre_tasks",
    "register",
    "rescue",
    "retries",
    "roles",
    "strategy",
    "throttle",
    "until",
    "vars_prompt",
};

std::string HintFor(std::string_view word) {
  if (word == "notify" || word == "handlers" || word == "listen") {
    return "restart in a task of its own, as in service: {name: …, state: restarted}";
  }
  if (word == "register" || word == "until" || word == "failed_when") {
    return "no later task can depend on a result yet; wait_for waits for ports and paths";
  }
  if (word == "pre_tasks" || word == "post_tasks") return "put these tasks under \"tasks\"";
  if (word == "block") return "put these tasks under \"tasks\"; each may have its own \"when\"";
  if (word == "roles") return "put the roles' tasks under \"tasks\"";
  if (word == "delegate_to") return "write a play for that host";
  if (word.starts_with("with_")) return "use loop";
  if (word == "action" || word == "local_action") return "write the module's name as the key";
  return "";
}

}  // namespace

const std::vector<std::string>& PlayKeywords() {
  static const std::vector<std::string> kWords = {"name",
                                                  "hosts",
                                                  "vars",
                                                  "vars_files",
                                                  "tasks",
                                                  "tags",
                                                  "become",
                                                  "become_user",
                                                  "become_method",
                                                  "gather_facts",
                                                  "remote_user",
                                                  "order",
                                                  "connection",
                                                  "port",
                                                  "no_log",
                                                  "ignore_errors",
                                                  "check_mode",
                                                  "diff",
                                                  "serial",
                                                  "max_fail_percentage",
                                                  "any_errors_fatal",
                                                  "update"};
  return kWords;
}

const std::vector<std::string>& TaskKeywords() {
  static const std::vector<std::string> kWords = {
      "name",        "args",          "when",       "tags",          "vars",         "loop",
      "with_items",  "loop_control",  "no_log",     "ignore_errors", "changed_when", "become",
      "become_user", "become_method", "check_mode", "diff",          "timeout",      "run_once"};
  return kWords;
}

bool IsForeignKeyword(std::string_view word) {
  if (word.starts_with("with_") && word != "with_items") return true;
  return std::find(std::begin(kForeign), std::end(kForeign), word) != std::end(kForeign);
}

Diagnostic ForeignKeyword(std::string_view word, const Place& place) {
  return Diagnostic{place,
                    "keyword \"" + std::string(word) +
                        "\" is an Ansible keyword that this version of Drover does not carry out",
                    HintFor(word)};
}

}  // namespace drover
