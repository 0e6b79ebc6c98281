#include "orchestrator/inventory/builder.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "orchestrator/inventory/host_name.h"

namespace drover {
namespace {

bool IsPlainName(std::string_view name) {
  for (const char c : name) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!fine) return false;
  }
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9');
}

std::optional<std::int64_t> AsInteger(const Value& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void InventoryBuilder::Complain(Place place, std::string message, std::string hint) {
  errors_.push_back({std::move(place), std::move(message), std::move(hint)});
}

void InventoryBuilder::Warn(Place place, std::string message, std::string hint) {
  warnings_.push_back({std::move(place), std::move(message), std::move(hint)});
}

void InventoryBuilder::Group(const std::string& name, const Place& place) {
  if (name.empty()) {
    Complain(place, "a group needs a name");
    return;
  }
  if (!IsPlainName(name) && !warned_of_name_) {
    warned_of_name_ = true;
    Warn(place, "the group name \"" + name + "\" cannot be used as a variable's name",
         "letters, digits and _ are safe; this is said once");
  }
  inventory_.AddGroup(name, place);
}

void InventoryBuilder::Child(const std::string& parent, const std::string& child,
                             const Place& place) {
  // One that could not be declared was complained about then.
  if (inventory_.FindGroup(parent) == nullptr || inventory_.FindGroup(child) == nullptr) return;
  const std::string problem = inventory_.AddChild(parent, child);
  if (!problem.empty()) Complain(place, problem);
}

void InventoryBuilder::GroupVar(const std::string& group, InventoryVar var) {
  InventoryGroup* found = inventory_.FindGroup(group);
  if (found == nullptr) return;
  if (var.name != "ansible_group_priority") {
    SetVar(found->vars, var.name, std::move(var.value));
    return;
  }
  if (const auto priority = AsInteger(var.value)) {
    found->priority = *priority;
  } else {
    Complain(var.place, "ansible_group_priority must be a whole number");
  }
}

void InventoryBuilder::Host(const std::string& name, const std::string& group, const Place& place) {
  inventory_.AddHost(name, place);
  if (inventory_.FindGroup(group) != nullptr) inventory_.AddHostToGroup(name, group);
}

void InventoryBuilder::HostVar(const std::string& host, const InventoryVar& var) {
  if (inventory_.FindGroup(host) != nullptr) {
    GroupVar(host, var);
    return;
  }
  SetVar(inventory_.FindHost(host)->vars, var.name, var.value);
}

void InventoryBuilder::Hosts(const std::string& pattern, const std::string& group,
                             const Place& place, const std::vector<InventoryVar>& vars) {
  const HostNames hosts = ExpandHostPattern(pattern);
  if (!hosts.problem.empty()) {
    Complain(place, hosts.problem, hosts.hint);
    return;
  }
  for (const std::string& name : hosts.names) {
    if (name.empty()) {
      Complain(place, "a host needs a name");
      return;
    }
    const bool fresh = inventory_.FindHost(name) == nullptr;
    Host(name, group, place);
    // Ansible takes the port from where a host is named first, and drops later ones in silence.
    if (hosts.port && fresh) {
      SetVar(inventory_.FindHost(name)->vars, "ansible_port", *hosts.port);
    } else if (hosts.port) {
      Warn(place, "the port of \"" + name + "\" is ignored: the host was named before",
           "write ansible_port=" + std::to_string(*hosts.port));
    }
    for (const InventoryVar& var : vars) HostVar(name, var);
  }
}

}  // namespace drover
