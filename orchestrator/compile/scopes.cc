#include "orchestrator/compile/scopes.h"

#include <algorithm>

#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

class HostVarsTable : public LazyMapping {
 public:
  HostVarsTable(Scopes& scopes, const Inventory& inventory)
      : scopes_(scopes), inventory_(inventory) {}

  Evaluated<std::optional<Operand>> Get(const std::string& key, const Place&) override {
    if (inventory_.FindHost(key) == nullptr) return std::optional<Operand>();
    std::shared_ptr<LazyMapping> row = std::make_shared<HostVariables>(key, scopes_.OfHost(key));
    return std::optional<Operand>(std::move(row));
  }
  [[nodiscard]] std::vector<std::string> Keys() const override { return inventory_.HostNames(); }
  [[nodiscard]] std::string Name() const override { return "hostvars"; }

 private:
  Scopes& scopes_;
  const Inventory& inventory_;
};

void DefineNode(Variables& variables, VariableRank rank, const YamlNode& mapping) {
  for (const auto& [key, value] : mapping.entries) variables.Define(rank, KeyOf(key), value);
}

}  // namespace

Scopes::Scopes(const Playbook& playbook, const Inventory& inventory, const CompileOptions& options)
    : playbook_(playbook), inventory_(inventory), options_(options) {
  Value groups = Value::object();
  for (const auto& group : inventory.GroupNames()) groups[group] = inventory.HostsOf(group);
  groups_ = std::make_shared<const Value>(std::move(groups));
  hostvars_ = std::make_shared<HostVarsTable>(*this, inventory);
}

Variables& Scopes::OfHost(const std::string& host) {
  auto& variables = hosts_[host];
  if (variables == nullptr) variables = MakeHost(host);
  return *variables;
}

std::unique_ptr<Variables> Scopes::MakeHost(const std::string& host) {
  auto variables = std::make_unique<Variables>();
  const bool known = inventory_.FindHost(host) != nullptr;
  if (known) variables->DefineAll(VariableRank::kInventory, inventory_.VarsOf(host));
  variables->DefineAll(VariableRank::kExtra, options_.extra_vars);
  const auto magic = [&](const std::string& name, Operand operand) {
    variables->DefineReady(VariableRank::kMagic, name, std::move(operand));
  };
  magic("inventory_hostname", Of(host));
  magic("inventory_hostname_short", Of(host.substr(0, host.find('.'))));
  magic("group_names", Of(known ? inventory_.GroupsOf(host) : std::vector<std::string>()));
  magic("groups", groups_);
  magic("hostvars", hostvars_);
  magic("playbook_dir", Of(playbook_.directory));
  magic("ansible_check_mode", Of(options_.check));
  magic("ansible_diff_mode", Of(options_.diff));
  magic("omit", Of(OmitMarker()));
  // Templates written for Ansible put this in a comment on top.
  variables->DefineReady(VariableRank::kInventory, "ansible_managed", Of("Managed by Drover"));
  return variables;
}

void Scopes::DefinePlay(Variables& variables, const Play& play) const {
  DefineNode(variables, VariableRank::kPlay, play.keywords.vars);
  for (const auto& file : play.vars_files) DefineNode(variables, VariableRank::kPlayFile, file);
}

std::unique_ptr<Variables> Scopes::OfPlay(const Play& play, const std::string& host,
                                          const ValuePtr& hosts) {
  auto variables = std::make_unique<Variables>(&OfHost(host));
  DefinePlay(*variables, play);
  for (const char* name :
       {"play_hosts", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch"}) {
    variables->DefineReady(VariableRank::kMagic, name, hosts);
  }
  variables->DefineReady(VariableRank::kMagic, "ansible_play_name", Of(play.name));
  return variables;
}

std::unique_ptr<Variables> Scopes::WithoutHost(const Play& play) {
  auto variables = std::make_unique<Variables>();
  DefinePlay(*variables, play);
  variables->DefineAll(VariableRank::kExtra, options_.extra_vars);
  variables->DefineReady(VariableRank::kMagic, "groups", groups_);
  variables->DefineReady(VariableRank::kMagic, "playbook_dir", Of(playbook_.directory));
  return variables;
}

}  // namespace drover
