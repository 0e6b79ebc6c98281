// The variables that one host sees in one play or task. Each is templated when it is first asked
// for, in the light of the strongest definitions of all others; a circle is an error that names it.
//
// Pure. Belongs to one thread: looking a variable up remembers its value.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/source/yaml_node.h"
#include "orchestrator/template/evaluator.h"
#include "orchestrator/template/operand.h"

namespace drover {

// Who wins when a variable has several definitions, weakest first (Ansible's order).
enum class VariableRank { kInventory, kPlay, kPlayFile, kTask, kExtra, kLoop, kMagic };

class Variables : public Names {
 public:
  // `below`: the weaker variables this one adds to (a task's stand on its play's); outlives this.
  explicit Variables(Variables* below = nullptr) : below_(below) {}

  // A value whose strings may hold templates; it has no place of its own.
  void Define(VariableRank rank, const std::string& name, ValuePtr value);
  // Every entry of an object.
  void DefineAll(VariableRank rank, const Value& object);
  // A value as written in a file, with its place; the node outlives this.
  void Define(VariableRank rank, const std::string& name, const YamlNode& node);
  // Something ready that is never templated (magic variables, loop items).
  void DefineReady(VariableRank rank, const std::string& name, Operand operand);

  Evaluated<Operand> Find(const std::string& name, const Place& place) override;
  [[nodiscard]] bool Has(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> KnownNames() const;

 private:
  struct Definition {
    VariableRank rank = VariableRank::kInventory;
    ValuePtr value;
    const YamlNode* node = nullptr;
    std::shared_ptr<Operand> ready;
  };

  [[nodiscard]] const Definition* Strongest(const std::string& name) const;
  void Put(const std::string& name, Definition definition);
  Evaluated<Operand> WorkOut(const std::string& name, const Definition& definition,
                             const Place& place);
  [[nodiscard]] Undefined Unknown(const std::string& name, const Place& place) const;

  Variables* below_;
  std::map<std::string, Definition> own_;
  std::map<std::string, Operand> known_;  // worked out already
  std::vector<std::string> in_progress_;
};

// A host's variables as hostvars shows them.
class HostVariables : public LazyMapping {
 public:
  HostVariables(std::string host, Variables& variables)
      : host_(std::move(host)), variables_(variables) {}
  Evaluated<std::optional<Operand>> Get(const std::string& key, const Place& place) override;
  [[nodiscard]] std::vector<std::string> Keys() const override { return variables_.KnownNames(); }
  [[nodiscard]] std::string Name() const override { return "hostvars[\"" + host_ + "\"]"; }

 private:
  std::string host_;
  Variables& variables_;
};

}  // namespace drover
