#include "orchestrator/run/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <utility>

#include "orchestrator/run/drill_options.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/source/duration.h"

namespace drover {
namespace {

std::vector<std::string> SplitCommas(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  for (const std::string& text : texts) {
    for (std::string word : CLI::detail::split(text, ',')) {
      word = CLI::detail::trim_copy(word);
      if (!word.empty()) {
        words.push_back(word);
      }
    }
  }
  return words;
}

CLI::Option* Many(CLI::App& app, const char* names, std::vector<std::string>& values,
                  const char* help) {
  return app.add_option(names, values, help)->take_all()->allow_extra_args(false);
}

// Commands about hosts name them first and the playbook last.
bool IsAboutHosts(const std::string& command) {
  return command == "maintenance" || command == "add" || command == "remove" ||
         command == "replace";
}

void AddInputs(CLI::App& app, const std::string& command, CommandLine& line) {
  if (IsAboutHosts(command)) {
    app.add_option("words", line.hosts, "hosts, and the playbook that describes the cluster")
        ->required()
        ->type_name(command == "maintenance" ? "on|off|list HOST... PLAYBOOK"
                    : command == "replace"   ? "OLD NEW PLAYBOOK"
                                             : "HOST... PLAYBOOK");
  } else {
    if (command == "drill run") AddFault(app, line.drill);
    app.add_option("playbook", line.playbook, "the playbook that describes the cluster")
        ->required(command != "drill list")
        ->type_name("PLAYBOOK");
  }
  Many(app, "-i,--inventory", line.inventories, "inventory file, directory or \"host1,host2,\"")
      ->type_name("INVENTORY");
  app.add_option("-l,--limit", line.limit, "only these hosts (pattern or @FILE)")
      ->type_name("SUBSET")
      ->take_last();
  Many(app, "-e,--extra-vars", line.extra_vars, "variables: name=value, JSON or @FILE")
      ->type_name("VARS");
}

void AddTags(CLI::App& app, CommandLine& line) {
  Many(app, "-t,--tags", line.tags, "only tasks with one of these tags")->type_name("TAGS");
  Many(app, "--skip-tags", line.skip_tags, "no tasks with one of these tags")->type_name("TAGS");
}

void AddDiff(CLI::App& app, CommandLine& line) {
  app.add_flag("-D,--diff", line.diff, "show the changes in detail");
}

void AddWhat(CLI::App& app, CommandLine& line) {
  AddTags(app, line);
  app.add_flag("-C,--check", line.check, "show what would change, change nothing");
  AddDiff(app, line);
  Many(app, "--rerun", line.rerun,
       "only hosts that were failed, unreachable, unattempted or reverted in the last run")
      ->type_name("OUTCOMES");
  app.add_flag("--list-hosts", line.list_hosts, "list the hosts and end");
  app.add_flag("--list-tasks", line.list_tasks, "list the tasks and end");
  app.add_flag("--list-tags", line.list_tags, "list the tags and end");
  app.add_flag("--syntax-check", line.syntax_check, "check the files, reach no host");
}

void AddStatus(CLI::App& app, CommandLine& line) {
  app.add_option("--watch", line.watch, "look again every SECS seconds (default 1) until stopped")
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("[SECS]");
}

void AddHandover(CLI::App& app, CommandLine& line) {
  app.add_option("--instance", line.instance, "only this VRRP instance (default: all)")
      ->type_name("NAME");
  app.add_flag("--back", line.back, "hosts that handed over may be master again");
  app.add_option("--sync-wait", line.sync_wait,
                 "seconds to wait until the backup holds the connections (default 60)")
      ->check(CLI::Range(0.0, 3600.0))
      ->type_name("SECS");
  app.add_flag("-C,--check", line.check, "say what would be handed over, change nothing");
}

CLI::Option* Span(CLI::App& app, const char* name,
                  std::function<void(std::chrono::milliseconds)> take, const char* help) {
  const auto parse = [take = std::move(take)](const std::vector<std::string>& texts) {
    const auto span = ReadDuration(Value(texts.back()));
    if (!span) {
      return false;
    }
    take(*span);
    return true;
  };
  return app.add_option(name, parse, help)->type_name("SPAN")->expected(1);
}

void AddMaintenance(CLI::App& app, CommandLine& line) {
  app.add_option("--reason", line.reason, "what it is for; shown by status")->type_name("TEXT");
  Span(
      app, "--drain", [&line](std::chrono::milliseconds span) { line.drain = span; },
      "wait so long for connections to end (60s)");
  app.add_flag("--force", line.force, "also when a service is left without a live real server");
  app.add_flag("--ignore-unreachable", line.ignore_unreachable,
               "tell the directors that can be reached");
  app.add_flag("-C,--check", line.check, "say what would change, change nothing");
}

void AddGrowth(CLI::App& app, const std::string& command, CommandLine& line) {
  app.add_flag("--update-inventory", line.update_inventory,
               "change the inventory file too; its comments and layout stay");
  if (command != "remove") {
    Many(app, "--host-var", line.host_vars, "variable of the new line in the inventory")
        ->type_name("NAME=VALUE");
    Span(
        app, "--ready-timeout",
        [&line](std::chrono::milliseconds span) { line.ready_timeout = span; },
        "how long it may take until the checks find it well (default 60s)");
  }
  if (command == "add") return;
  Span(
      app, "--drain", [&line](std::chrono::milliseconds span) { line.drain = span; },
      "how long connections may take to end; 0 is at once (default 60s)");
  app.add_flag("--force", line.force, "also when a service is left without a live real server");
}

// The words before the options: maintenance's turn, the hosts, the playbook. What is missing.
std::string TakeWords(const std::string& command, CommandLine& line) {
  std::vector<std::string>& words = line.hosts;
  if (command == "maintenance") {
    line.turn = words.front();
    words.erase(words.begin());
    if (line.turn != "on" && line.turn != "off" && line.turn != "list") {
      return "\"" + line.turn + "\" is neither on nor off nor list";
    }
  }
  if (words.empty()) {
    return "a playbook is missing";
  }
  if (!line.limit.empty()) {
    return "--limit has no meaning here: name the hosts";
  }
  line.playbook = words.back();
  words.pop_back();
  if (command == "replace") {
    const bool two = words.size() == 2 && words.front() != words.back();
    return two ? "" : "name the host that leaves, another that comes, and then the playbook";
  }
  const bool list = line.turn == "list";
  if (list && !words.empty()) {
    return "list takes only the playbook, not \"" + words.front() + "\"";
  }
  return list || !words.empty() ? "" : "name a host, and then the playbook";
}

void AddPlan(CLI::App& app, CommandLine& line) {
  AddTags(app, line);
  AddDiff(app, line);
  app.add_option("-o,--out", line.plan_file, "keep the plan for \"drover apply\"")
      ->type_name("FILE");
}

void AddRollback(CLI::App& app, CommandLine& line) {
  app.add_option("--to", line.generation, "this generation (default: the one before the newest)")
      ->type_name("N");
  app.add_flag("-C,--check", line.check, "show what would change, change nothing");
}

void AddUnlock(CLI::App& app, CommandLine& line) {
  app.add_option("--id", line.lock_id, "the lock's id; without it the locks are listed")
      ->type_name("ID");
}

void AddUninstall(CLI::App& app, CommandLine& line) {
  app.add_flag("-y,--yes", line.yes, "do not ask");
  app.add_flag("-C,--check", line.check, "say what would be taken away, change nothing");
}

void AddDrillRun(CLI::App& app, CommandLine& line) {
  AddDrillOptions(app, line.drill);
  app.add_flag("-y,--yes", line.yes, "do not ask before the fault is injected");
}

void AddNothing(CLI::App& /*app*/, CommandLine& /*line*/) {}

void AddVerify(CLI::App& app, CommandLine& line) {
  AddTags(app, line);
  Span(
      app, "--settle", [&line](std::chrono::milliseconds span) { line.settle = span; },
      "wait so long before counters are read (default 2500ms; the kernel sums up every 2 s)");
  Span(
      app, "--wait-persistence",
      [&line](std::chrono::milliseconds span) { line.wait_persistence = span; },
      "wait until ip_vs has forgotten the client where persistence lasts no longer (default 60s or "
      "as the verify task says; 0s: never)");
}

// What a command has besides the options that all have.
void AddOwn(const std::string& command, CLI::App& app, CommandLine& line) {
  using Add = void (*)(CLI::App&, CommandLine&);
  static const std::map<std::string, Add> kOwn = {
      {"status", AddStatus},       {"handover", AddHandover},       {"plan", AddPlan},
      {"apply", AddDiff},          {"rollback", AddRollback},       {"unlock", AddUnlock},
      {"uninstall", AddUninstall}, {"maintenance", AddMaintenance}, {"drill run", AddDrillRun},
      {"drill list", AddNothing},  {"verify", AddVerify},
  };
  if (const auto own = kOwn.find(command); own != kOwn.end()) {
    own->second(app, line);
  } else if (IsAboutHosts(command)) {
    AddGrowth(app, command, line);
  } else if (command != "generations") {
    AddWhat(app, line);
  }
}

// "--watch" may stand alone; a number behind it belongs to it.
std::vector<std::string> WithWatchJoined(const std::vector<std::string>& arguments) {
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] != "--watch") {
      joined.push_back(arguments[i]);
      continue;
    }
    const bool number = i + 1 < arguments.size() && !arguments[i + 1].empty() &&
                        arguments[i + 1].find_first_not_of("0123456789.") == std::string::npos;
    joined.push_back("--watch=" + (number ? arguments[++i] : std::string("1")));
  }
  return joined;
}

void AddHow(CLI::App& app, CommandLine& line) {
  app.add_option("-f,--forks", line.forks, "hosts at work at once (default: all, at most 64)")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  app.add_option("-u,--user", line.remote_user, "log in as this user")->type_name("USER");
  app.add_option("--private-key,--key-file", line.private_key_file, "log in with this key")
      ->type_name("FILE");
  app.add_flag("-k,--ask-pass", line.ask_password, "ask for the SSH password");
  app.add_option("--connection-password-file,--conn-pass-file", line.password_file,
                 "file with the SSH password")
      ->type_name("FILE");
  app.add_flag("-b,--become", line.become, "become root with sudo");
  app.add_flag("-K,--ask-become-pass", line.ask_become_password, "ask for the sudo password");
  app.add_option("--become-password-file,--become-pass-file", line.become_password_file,
                 "file with the sudo password")
      ->type_name("FILE");
  app.add_option("-T,--timeout", line.timeout, "seconds for each step of connecting (default 10)")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECS");
  app.add_option("--connect-retries", line.connect_retries,
                 "how often connecting is tried again (default 2)")
      ->check(CLI::Range(0, 100))
      ->type_name("N");
  app.add_option("--task-timeout", line.task_timeout, "seconds for a task that sets none itself")
      ->check(CLI::Range(1, 604800))
      ->type_name("SECS");
  app.add_flag("--accept-new-host-keys", line.accept_new_host_keys,
               "add host keys that are not known yet to known_hosts");
  app.add_option("--helper", line.helper_path, "the node-helper to bring to the hosts")
      ->type_name("FILE");
}

// Below it a slow network alone would take hosts back; above it nobody waits for one that is cut
// off.
constexpr std::chrono::seconds kLeastConfirmTimeout{5};
constexpr std::chrono::seconds kMostConfirmTimeout{3600};

void AddTransaction(CLI::App& app, CommandLine& line) {
  app.add_flag("!--no-rollback", line.rollback,
               "leave hosts as they are when a host fails (default: all go back)");
  app.add_option_function<std::string>(
         "--confirm-timeout",
         [&line](const std::string& text) {
           const auto span = ReadDuration(Value(text));
           if (!span || *span < kLeastConfirmTimeout || *span > kMostConfirmTimeout) {
             throw CLI::ValidationError("--confirm-timeout",
                                        "\"" + text + "\" is no span from 5s to 1h");
           }
           line.confirm_timeout = *span;
         },
         "a changed host goes back when it hears nothing for so long (default 30s, at least 5s)")
      ->type_name("SPAN");
}

void AddTelling(const std::string& command, CLI::App& app, CommandLine& line,
                std::vector<std::string>& debug) {
  std::vector<std::string> modes;
  for (const auto& [mode, help] : DebugModes()) {
    modes.push_back(mode);
  }
  app.add_flag("-v,--verbose", line.verbosity, "tell more; -vvvv tells most");
  const std::set<std::string> runs = {"rollout", "verify", "apply", "rollback"};
  std::vector<std::string> forms = {"human", "json"};
  const bool drill = command == "drill run";
  if (runs.contains(command) || drill) forms.emplace_back("jsonl");
  if (drill || command == "verify") forms.emplace_back("junit");
  app.add_option("--output", line.output,
                 drill                 ? "human, json, jsonl or junit"
                 : command == "verify" ? "human, json, jsonl (a line per check) or junit"
                 : runs.contains(command)
                     ? "human, json, or jsonl: one line for each thing that happens"
                     : "human or json")
      ->check(CLI::IsMember(forms))
      ->type_name("FORM");
  Many(app, "--debug", debug, "list, explain, stats, wire; several with commas")
      ->type_name("MODE")
      ->delimiter(',')
      ->check(CLI::IsMember(modes));
}

void TakeEnvironment(CommandLine& line, const Environment& environment) {
  if (line.inventories.empty()) {
    line.inventories = InventoriesOf(environment);
  }
  const auto fill = [&](std::string& option, const char* ours, const char* ansibles) {
    if (option.empty()) {
      option = environment(ours).value_or(environment(ansibles).value_or(""));
    }
  };
  fill(line.become_password_file, "DROVER_BECOME_PASSWORD_FILE", "ANSIBLE_BECOME_PASSWORD_FILE");
  fill(line.password_file, "DROVER_CONNECTION_PASSWORD_FILE", "ANSIBLE_CONNECTION_PASSWORD_FILE");
  fill(line.remote_user, "DROVER_REMOTE_USER", "ANSIBLE_REMOTE_USER");
  fill(line.private_key_file, "DROVER_PRIVATE_KEY_FILE", "ANSIBLE_PRIVATE_KEY_FILE");
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& DebugModes() {
  static const std::vector<std::pair<std::string, std::string>> kModes = {
      {"list", "list these modes"},
      {"explain", "the reason of every change and skip"},
      {"stats", "times and counts of every host"},
      {"wire", "what goes over the wire, without file contents and secrets"},
  };
  return kModes;
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> InventoriesOf(const Environment& environment) {
  for (const char* name : {"DROVER_INVENTORY", "ANSIBLE_INVENTORY"}) {
    const std::string value = environment(name).value_or("");
    if (value.empty()) {
      continue;
    }
    return value.ends_with(',') ? std::vector<std::string>{value} : SplitCommas({value});
  }
  return {};
}

CommandLineOrExit ParseCommandLine(const std::string& command, const std::string& help,
                                   const std::vector<std::string>& given,
                                   const Environment& environment) {
  const std::vector<std::string> arguments = command == "status" ? WithWatchJoined(given) : given;
  CommandLine line;
  std::vector<std::string> debug;
  CLI::App app{help, "drover " + command};
  if (command == "apply") {
    app.add_option("plan", line.plan_file, "what \"drover plan -o\" kept")
        ->required()
        ->type_name("FILE");
  } else {
    AddInputs(app, command, line);
  }
  AddOwn(command, app, line);
  const std::set<std::string> runs = {"rollout", "apply", "rollback", "add", "remove", "replace"};
  if (runs.contains(command)) {
    AddTransaction(app, line);
  }
  AddHow(app, line);
  AddTelling(command, app, line, debug);
  if (std::find(arguments.begin(), arguments.end(), "--debug=list") != arguments.end()) {
    debug = {"list"};
  }
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "--debug" && arguments[i + 1] == "list") {
      debug = {"list"};
    }
  }
  if (debug.empty()) {
    try {
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
      const int status = app.exit(error, std::cout, std::cerr);
      return {.line = {}, .exit = status == 0 ? kExitOk : kExitError};
    }
  }
  if (IsAboutHosts(command) && debug.empty()) {
    if (const std::string missing = TakeWords(command, line); !missing.empty()) {
      std::cerr << "drover " << command << ": " << missing << "\n"
                << "Run with --help for more information.\n";
      return {.line = {}, .exit = kExitError};
    }
  }
  line.debug.insert(debug.begin(), debug.end());
  line.tags = SplitCommas(line.tags);
  line.skip_tags = SplitCommas(line.skip_tags);
  line.rerun = SplitCommas(line.rerun);
  TakeEnvironment(line, environment);
  return {.line = std::move(line), .exit = std::nullopt};
}

}  // namespace drover
