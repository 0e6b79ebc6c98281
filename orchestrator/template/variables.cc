#include "orchestrator/template/variables.h"

#include <algorithm>
#include <set>

#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

constexpr std::size_t kMaxChain = 60;

// Names of facts, which Ansible would have gathered.
bool LooksLikeFact(const std::string& name) {
  return name == "ansible_facts" || name.starts_with("ansible_");
}

}  // namespace

void Variables::Put(const std::string& name, Definition definition) {
  const auto [found, added] = own_.try_emplace(name, definition);
  if (!added && found->second.rank <= definition.rank) found->second = std::move(definition);
}

void Variables::Define(VariableRank rank, const std::string& name, ValuePtr value) {
  Put(name, Definition{rank, std::move(value), nullptr, nullptr});
}

void Variables::DefineAll(VariableRank rank, const Value& object) {
  const auto shared = std::make_shared<const Value>(object);
  for (const auto& [name, value] : shared->items()) Define(rank, name, ValuePtr(shared, &value));
}

void Variables::Define(VariableRank rank, const std::string& name, const YamlNode& node) {
  Put(name, Definition{rank, nullptr, &node, nullptr});
}

void Variables::DefineReady(VariableRank rank, const std::string& name, Operand operand) {
  Put(name, Definition{rank, nullptr, nullptr, std::make_shared<Operand>(std::move(operand))});
}

const Variables::Definition* Variables::Strongest(const std::string& name) const {
  const Definition* best = nullptr;
  for (const Variables* layer = this; layer != nullptr; layer = layer->below_) {
    const auto found = layer->own_.find(name);
    if (found == layer->own_.end()) continue;
    if (best == nullptr || best->rank < found->second.rank) best = &found->second;
  }
  return best;
}

bool Variables::Has(const std::string& name) const { return Strongest(name) != nullptr; }

std::vector<std::string> Variables::KnownNames() const {
  std::set<std::string> names;
  for (const Variables* layer = this; layer != nullptr; layer = layer->below_) {
    for (const auto& [name, definition] : layer->own_) names.insert(name);
  }
  return {names.begin(), names.end()};
}

Undefined Variables::Unknown(const std::string& name, const Place& place) const {
  const std::string near = Nearest(name, KnownNames());
  std::string hint = near.empty() ? "" : "did you mean \"" + near + "\"?";
  if (near.empty() && LooksLikeFact(name)) {
    hint = "Drover gathers no facts; give the value in the inventory or in vars";
  }
  return Undefined{Diagnostic{place, "undefined variable \"" + name + "\"", hint}};
}

Evaluated<Operand> Variables::Find(const std::string& name, const Place& place) {
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  const Definition* definition = Strongest(name);
  if (definition == nullptr) return Unknown(name, place);
  if (definition->ready != nullptr) return *definition->ready;

  const auto again = std::find(in_progress_.begin(), in_progress_.end(), name);
  if (again != in_progress_.end()) {
    std::string chain;
    for (auto step = again; step != in_progress_.end(); ++step) chain += *step + " -> ";
    return Offence(place, "variable \"" + name + "\" is defined by itself: " + chain + name);
  }
  if (in_progress_.size() >= kMaxChain) {
    return Offence(place, "variable \"" + name + "\" stands at the end of too long a chain");
  }
  in_progress_.push_back(name);
  auto operand = WorkOut(name, *definition, place);
  in_progress_.pop_back();
  if (operand) known_[name] = *operand;
  return operand;
}

Evaluated<Operand> Variables::WorkOut(const std::string& name, const Definition& definition,
                                      const Place& place) {
  if (definition.node != nullptr) {
    auto value = EvaluateNode(*definition.node, *this);
    if (!value) return tl::unexpected(value.error());
    return Of(std::move(*value));
  }
  auto value = EvaluateValue(definition.value, place, *this);
  if (value) return Operand(std::move(*value));
  Diagnostic why = value.error();
  // The inventory's variables have no place: say whose template it is.
  if (!why.message.starts_with("in variable ") &&
      why.message.find(" is defined by itself") == std::string::npos) {
    why.message = "in variable \"" + name + "\": " + why.message;
  }
  return tl::unexpected(std::move(why));
}

Evaluated<std::optional<Operand>> HostVariables::Get(const std::string& key, const Place& place) {
  if (!variables_.Has(key)) return std::optional<Operand>();
  auto operand = variables_.Find(key, place);
  if (!operand) return tl::unexpected(operand.error());
  return std::optional<Operand>(std::move(*operand));
}

}  // namespace drover
