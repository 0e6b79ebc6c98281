// Carries out parsed templates: expressions over the names that a host sees.
//
// Pure; bounded in steps and size, so that no template can run away.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/template/ast.h"
#include "orchestrator/template/operand.h"
#include "orchestrator/template/text.h"

namespace drover {

// Where a template finds its names.
class Names {
 public:
  virtual ~Names() = default;
  // An unknown name is Undefined; an error is a variable that cannot be worked out.
  virtual Evaluated<Operand> Find(const std::string& name, const Place& place) = 0;
};

class Evaluator {
 public:
  Evaluator(const TemplateText& source, Names& names) : source_(source), names_(names) {}

  Evaluated<Operand> Evaluate(const Expression& expression);
  // The text of a whole template.
  Evaluated<std::string> Render(const Parts& parts);

 private:
  using Scope = std::map<std::string, Operand>;

  Evaluated<ValuePtr> ValueOf(const Expression& expression);
  Evaluated<bool> TruthOf(const Expression& expression);
  Evaluated<Operand> Name(const Expression& expression);
  Evaluated<Operand> List(const Expression& expression);
  Evaluated<Operand> Mapping(const Expression& expression);
  Evaluated<Operand> Index(const Expression& expression);
  Evaluated<Operand> SliceOf(const Expression& expression);
  Evaluated<Operand> Call(const Expression& expression);
  Evaluated<Operand> Negate(const Expression& expression);
  Evaluated<Operand> Compute(const Expression& expression);
  Evaluated<Operand> Compare(const Expression& expression);
  Evaluated<bool> CompareTwo(const std::string& op, const Value& left, const Value& right,
                             const Place& place);
  Evaluated<Operand> Conditional(const Expression& expression);
  Evaluated<Operand> Either(const Expression& expression, bool stops_at);

  Evaluated<std::monostate> RenderInto(std::string& out, const Parts& parts);
  Evaluated<std::monostate> RenderPart(std::string& out, const Part& part);
  Evaluated<std::monostate> For(std::string& out, const Part& part);
  Evaluated<std::monostate> BindItem(const Part& part, const Value& item);
  Evaluated<std::monostate> If(std::string& out, const Part& part);
  Evaluated<std::monostate> Spend(std::size_t offset);
  // Loops come by the same offsets again and again, and working a place out reads the file.
  const Place& PlaceAt(std::size_t offset);

  const TemplateText& source_;
  Names& names_;
  std::vector<Scope> scopes_;  // of for and set, innermost last
  std::map<std::size_t, Place> places_;
  int steps_ = 0;
};

}  // namespace drover
