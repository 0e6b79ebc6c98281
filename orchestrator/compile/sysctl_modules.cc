// sysctl and arp: settings of the kernel.
#include <algorithm>

#include "orchestrator/compile/module_context.h"

namespace drover {
namespace {

// A setting's value as /proc shows it: true is 1, texts and numbers stand as they are.
std::optional<std::string> SettingText(const Argument& argument) {
  if (argument.value.is_boolean()) return argument.value.get<bool>() ? "1" : "0";
  if (argument.value.is_number()) return PythonText(argument.value);
  const auto text = ReadText(argument);
  if (!text) return std::nullopt;
  return NormalizeSysctlValue(*text);
}

void AddSetting(DesiredState& state, const std::string& key, const Place& key_place,
                const Argument& value, Arguments& arguments) {
  const auto name = ParseSysctlKey(key);
  if (!name) {
    arguments.Say(key_place, name.error().message);
    return;
  }
  const auto text = SettingText(value);
  if (!text || text->empty()) {
    arguments.Say(value.place,
                  "setting \"" + key + "\" takes a text or a number, not " + Describe(value.value));
    return;
  }
  state.sysctls.push_back(Sysctl{*name, *text});
}

// Ansible's form: name, value, state; where it is written to a file is Drover's own business.
void AnsibleForm(DesiredState& state, Arguments& arguments) {
  arguments.CheckKeys({"name", "key", "value", "val", "state", "sysctl_set", "reload",
                       "ignoreerrors", "sysctl_file"});
  for (const char* key : {"ignoreerrors", "sysctl_file"}) {
    if (!arguments.Has(key)) continue;
    arguments.Say(arguments.PlaceOf(key), std::string("key \"") + key +
                                              "\" of module \"sysctl\" is Ansible's, this version "
                                              "of Drover does not carry it out");
  }
  const std::string name_key = arguments.Has("key") ? "key" : "name";
  const std::string value_key = arguments.Has("val") ? "val" : "value";
  const auto word = arguments.Text("state");
  if (word && *word != "present") {
    arguments.Say(arguments.PlaceOf("state"),
                  "state \"" + *word + "\" of module \"sysctl\" is not carried out",
                  "take the task out of the playbook: what left it is no longer kept");
  }
  arguments.Bool("sysctl_set");
  arguments.Bool("reload");
  const Argument* value = arguments.Require(value_key);
  const auto name = arguments.Text(name_key);
  if (value == nullptr || !name) return;
  AddSetting(state, *name, arguments.PlaceOf(name_key), *value, arguments);
}

struct ArpSetting {
  const char* key;
  const char* setting;
  int most;
};
constexpr ArpSetting kArpSettings[] = {{"ignore", "arp_ignore", 8},
                                       {"announce", "arp_announce", 2},
                                       {"filter", "arp_filter", 1},
                                       {"notify", "arp_notify", 1},
                                       {"accept", "arp_accept", 2}};

}  // namespace

std::optional<ModuleWork> ParseSysctl(Arguments& arguments, ModuleContext&) {
  DesiredState state;
  const auto& entries = arguments.mapping().entries;
  const bool ansible = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.first == "name" || entry.first == "key";
  });
  if (ansible) {
    AnsibleForm(state, arguments);
  } else if (entries.empty()) {
    arguments.Say(arguments.place(), "module \"sysctl\" names no setting",
                  "write it like net.ipv4.ip_forward: 1");
  } else {
    for (const auto& [key, value] : entries) {
      AddSetting(state, key, value.key_place, value, arguments);
    }
  }
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

std::optional<ModuleWork> ParseArp(Arguments& arguments, ModuleContext&) {
  std::vector<std::string> interfaces =
      arguments.Texts(arguments.Has("interface") ? "interface" : "interfaces", /*commas=*/true);
  if (!arguments.Has("interface") && !arguments.Has("interfaces")) interfaces = {"all", "lo"};
  DesiredState state;
  bool any = false;
  for (const auto& [key, setting, most] : kArpSettings) {
    const Argument* argument = arguments.Find(key);
    if (argument == nullptr) continue;
    any = true;
    std::optional<std::int64_t> number;
    if (argument->value.is_boolean() && most == 1) {
      number = argument->value.get<bool>() ? 1 : 0;
    } else {
      number = arguments.Integer(key, 0, most);
    }
    if (!number) continue;
    for (const auto& interface : interfaces) {
      const std::string name = "net/ipv4/conf/" + interface + "/" + setting;
      if (const auto parsed = ParseSysctlKey(name);
          !parsed || *parsed != name || interface.find('/') != std::string::npos) {
        arguments.Say(arguments.PlaceOf("interfaces"),
                      "\"" + interface + "\" is no interface name");
        continue;
      }
      state.sysctls.push_back(Sysctl{name, std::to_string(*number)});
    }
  }
  if (!any) {
    arguments.Say(arguments.place(), "module \"arp\" names no setting",
                  "one of: ignore, announce, filter, notify, accept");
  }
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

}  // namespace drover
