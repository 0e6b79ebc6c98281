#include "orchestrator/playbook/modules.h"

#include <algorithm>
#include <map>

namespace drover {
namespace {

const std::map<std::string, std::string, std::less<>>& Aliases() {
  static const std::map<std::string, std::string, std::less<>> kAliases = {
      {"apt", "package"}, {"systemd", "service"}, {"systemd_service", "service"}};
  return kAliases;
}

// Without "ansible.builtin." and the like, which only generic modules may carry.
std::string_view WithoutPrefix(std::string_view name) {
  for (const std::string_view prefix : {"ansible.builtin.", "ansible.legacy.", "ansible.posix."}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

// Ansible's modules that playbooks use most, to tell "not ours" from a slip of the finger.
constexpr const char* kAnsible[] = {
    "add_host",
    "apt_key",
    "apt_repository",
    "assemble",
    "assert",
    "async_status",
    "blockinfile",
    "cron",
    "debconf",
    "debug",
    "dnf",
    "expect",
    "fail",
    "fetch",
    "file",
    "find",
    "firewalld",
    "gather_facts",
    "get_url",
    "getent",
    "git",
    "group",
    "group_by",
    "hostname",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "ini_file",
    "iptables",
    "known_hosts",
    "lineinfile",
    "meta",
    "modprobe",
    "mount",
    "package_facts",
    "pause",
    "ping",
    "pip",
    "raw",
    "reboot",
    "replace",
    "rpm_key",
    "script",
    "service_facts",
    "set_fact",
    "set_stats",
    "setup",
    "shell",
    "slurp",
    "stat",
    "synchronize",
    "sysvinit",
    "tempfile",
    "unarchive",
    "uri",
    "user",
    "validate_argument_spec",
    "wait_for_connection",
    "yum",
    "yum_repository",
    "authorized_key",
};

std::string HintFor(std::string_view name) {
  if (name == "shell" || name == "raw" || name == "script") {
    return "use command; a script can be put there with copy and run with command";
  }
  if (name == "setup" || name == "gather_facts") return "Drover gathers no facts; leave it out";
  if (name == "dnf" || name == "yum") return "use package";
  if (name == "set_fact") return "use vars of the play or the task";
  if (name == "import_tasks" || name == "include_tasks") return "write the tasks in this file";
  return "use command, or do this part with Ansible";
}

}  // namespace

const std::vector<ModuleSpec>& KnownModules() {
  const std::vector<std::string> file_keys = {"src",  "dest",   "owner",   "group",
                                              "mode", "backup", "validate"};
  static const std::vector<ModuleSpec> kModules = [&file_keys] {
    std::vector<std::string> copy_keys = file_keys;
    copy_keys.emplace_back("content");
    const std::vector<std::string> foreign_file = {
        "force",    "follow",  "attributes",    "selevel",        "serole",
        "setype",   "seuser",  "unsafe_writes", "directory_mode", "remote_src",
        "checksum", "decrypt", "local_follow"};
    const std::vector<std::string> foreign_template = {"force",
                                                       "follow",
                                                       "trim_blocks",
                                                       "lstrip_blocks",
                                                       "block_start_string",
                                                       "block_end_string",
                                                       "variable_start_string",
                                                       "variable_end_string",
                                                       "newline_sequence",
                                                       "output_encoding",
                                                       "comment_start_string",
                                                       "comment_end_string"};
    return std::vector<ModuleSpec>{
        {"vip", true, {"address", "addresses", "interface", "prefix", "announce"}, {}},
        {"real_server",
         true,
         {"vip", "vips", "interface", "arp", "sender", "tunnel", "tunnel_port"},
         {}},
        {"arp",
         true,
         {"interfaces", "interface", "ignore", "announce", "filter", "notify", "accept"},
         {}},
        {"route", true, {"to", "via"}, {}},
        {"sysctl", true, {}, {}, /*any_key=*/true},
        {"virtual_service",
         true,
         {"address",
          "fwmark",
          "family",
          "protocol",
          "scheduler",
          "scheduler_flags",
          "forward",
          "tunnel",
          "tunnel_port",
          "tunnel_checksum",
          "marks",
          "except_from",
          "persistence",
          "persistence_netmask",
          "persistence_engine",
          "one_packet",
          "real_servers",
          "weight",
          "upper_threshold",
          "lower_threshold",
          "check",
          "on_failure",
          "slow_start",
          "quorum",
          "hysteresis",
          "sorry_server"},
         {}},
        {"vrrp_instance",
         true,
         {"name",
          "interface",
          "virtual_router_id",
          "priority",
          "version",
          "advert_interval",
          "down_adverts",
          "preempt",
          "preempt_delay",
          "addresses",
          "excluded_addresses",
          "unicast_peers",
          "source_address",
          "password",
          "authentication",
          "checksum",
          "vmac",
          "garp",
          "lease",
          "linger",
          "on_rival",
          "sync_wait",
          "track"},
         {}},
        {"vrrp_group", true, {"name", "instances", "track"}, {}},
        {"tracker",
         true,
         {"name", "interface", "process", "file", "script", "service", "interval", "timeout",
          "rise", "fall", "quorum"},
         {}},
        {"connection_sync", true, {"interface", "id", "group", "port", "ttl", "profile"}, {}},
        {"metrics", true, {"listen"}, {}},
        {"verify", false, {"connections", "http", "timeout", "services", "wait_persistence"}, {}},
        {"drill",
         false,
         {"fault", "target", "service", "probe", "path", "unit", "duration", "max_outage", "loss",
          "delay", "rate", "connections", "settle", "control_probe", "may_cut_ssh"},
         {}},
        {"command",
         false,
         {"cmd", "argv", "chdir", "creates", "removes", "stdin", "stdin_add_newline"},
         {"executable", "strip_empty_ends", "expand_argument_vars", "warn"},
         false,
         /*free_form=*/true},
        {"copy", false, copy_keys, foreign_file},
        {"template", false, file_keys, foreign_template},
        {"package",
         false,
         {"name", "pkg", "state", "update_cache"},
         {"cache_valid_time", "install_recommends", "force", "purge", "autoremove", "autoclean",
          "deb", "default_release", "dpkg_options", "upgrade", "only_upgrade", "use",
          "allow_downgrade", "allow_unauthenticated", "fail_on_autoremove", "policy_rc_d",
          "lock_timeout", "clean"}},
        {"service",
         false,
         {"name", "state", "enabled"},
         {"daemon_reload", "daemon_reexec", "masked", "scope", "force", "no_block", "pattern",
          "sleep", "arguments", "args", "runlevel", "use"}},
        {"wait_for",
         false,
         {"host", "port", "path", "state", "timeout", "delay", "sleep"},
         {"connect_timeout", "search_regex", "exclude_hosts", "active_connection_states", "msg"}},
    };
  }();
  return kModules;
}

const ModuleSpec* FindModule(std::string_view name) {
  const std::string_view plain = WithoutPrefix(name);
  const auto alias = Aliases().find(plain);
  const std::string_view wanted =
      alias == Aliases().end() ? plain : std::string_view(alias->second);
  for (const auto& module : KnownModules()) {
    if (module.name != wanted) continue;
    // Our own cluster modules are in no collection of Ansible's.
    const bool ours = (module.cluster && module.name != "sysctl") || module.name == "verify" ||
                      module.name == "drill";
    return ours && plain != name ? nullptr : &module;
  }
  return nullptr;
}

bool IsAnsibleModule(std::string_view name) {
  const std::string_view plain = WithoutPrefix(name);
  return std::find(std::begin(kAnsible), std::end(kAnsible), plain) != std::end(kAnsible);
}

Diagnostic UnknownModule(std::string_view name, const Place& place) {
  const std::string quoted = "module \"" + std::string(name) + "\"";
  const std::string_view plain = WithoutPrefix(name);
  if (plain == "shell") {
    return Diagnostic{place, "Drover runs no shell", HintFor(plain)};
  }
  if (IsAnsibleModule(name)) {
    return Diagnostic{
        place, quoted + " is an Ansible module that this version of Drover does not carry out",
        HintFor(plain)};
  }
  std::vector<std::string> names;
  for (const auto& module : KnownModules()) names.push_back(module.name);
  for (const auto& [alias, target] : Aliases()) names.push_back(alias);
  return Diagnostic{place, "unknown " + quoted, DidYouMean(plain, names)};
}

}  // namespace drover
