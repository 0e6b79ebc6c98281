#include "orchestrator/template/evaluator.h"

#include <algorithm>

#include "orchestrator/template/filters.h"
#include "orchestrator/template/operators.h"

namespace drover {
namespace {

constexpr int kMaxSteps = 500000;

// What a loop goes over: items of a list, keys of a mapping.
Evaluated<std::vector<Value>> LoopItems(const Value& value, const Place& place) {
  std::vector<Value> items;
  if (value.is_array()) {
    items.assign(value.begin(), value.end());
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) items.emplace_back(key);
  } else if (value.is_string()) {
    for (auto& character : Characters(value.get<std::string>())) items.emplace_back(character);
  } else {
    return Offence(place, "cannot loop over " + TypeName(value));
  }
  return items;
}

Value LoopState(std::size_t index, std::size_t length) {
  return Value{{"index", index + 1},
               {"index0", index},
               {"revindex", length - index},
               {"revindex0", length - index - 1},
               {"first", index == 0},
               {"last", index + 1 == length},
               {"length", length}};
}

}  // namespace

Evaluated<std::monostate> Evaluator::Spend(std::size_t offset) {
  if (++steps_ > kMaxSteps) return Offence(PlaceAt(offset), "template takes too many steps");
  return std::monostate{};
}

const Place& Evaluator::PlaceAt(std::size_t offset) {
  const auto found = places_.find(offset);
  if (found != places_.end()) return found->second;
  return places_.emplace(offset, source_.At(offset)).first->second;
}

Evaluated<Operand> Evaluator::Evaluate(const Expression& expression) {
  if (auto left = Spend(expression.offset); !left) return tl::unexpected(left.error());
  using Kind = Expression::Kind;
  switch (expression.kind) {
    case Kind::kLiteral:
      return Of(expression.literal);
    case Kind::kName:
      return Name(expression);
    case Kind::kList:
      return List(expression);
    case Kind::kMapping:
      return Mapping(expression);
    case Kind::kAttribute: {
      auto object = Evaluate(*expression.children[0]);
      if (!object) return object;
      return LookInto(*object, expression.text, PlaceAt(expression.offset));
    }
    case Kind::kIndex:
      return Index(expression);
    case Kind::kSlice:
      return SliceOf(expression);
    case Kind::kCall:
    case Kind::kMethod:
    case Kind::kFilter:
    case Kind::kTest:
      return Call(expression);
    case Kind::kNot: {
      auto truth = TruthOf(*expression.children[0]);
      if (!truth) return tl::unexpected(truth.error());
      return Of(!*truth);
    }
    case Kind::kNegate:
      return Negate(expression);
    case Kind::kArithmetic:
      return Compute(expression);
    case Kind::kCompare:
      return Compare(expression);
    case Kind::kAnd:
      return Either(expression, /*stops_at=*/false);
    case Kind::kOr:
      return Either(expression, /*stops_at=*/true);
    case Kind::kConditional:
      return Conditional(expression);
  }
  return Offence(PlaceAt(expression.offset), "unknown kind of expression");
}

Evaluated<ValuePtr> Evaluator::ValueOf(const Expression& expression) {
  auto operand = Evaluate(expression);
  if (!operand) return tl::unexpected(operand.error());
  if (const auto* value = std::get_if<ValuePtr>(&*operand)) return *value;
  return Need(*operand, PlaceAt(expression.offset));
}

Evaluated<bool> Evaluator::TruthOf(const Expression& expression) {
  auto value = ValueOf(expression);
  if (!value) return tl::unexpected(value.error());
  return IsTrue(**value);
}

Evaluated<Operand> Evaluator::Name(const Expression& expression) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->find(expression.text);
    if (found != scope->end()) return found->second;
  }
  return names_.Find(expression.text, PlaceAt(expression.offset));
}

Evaluated<Operand> Evaluator::List(const Expression& expression) {
  Value list = Value::array();
  for (const auto& child : expression.children) {
    auto value = ValueOf(*child);
    if (!value) return tl::unexpected(value.error());
    list.push_back(**value);
  }
  return Of(std::move(list));
}

Evaluated<Operand> Evaluator::Mapping(const Expression& expression) {
  Value mapping = Value::object();
  for (std::size_t i = 0; i + 1 < expression.children.size(); i += 2) {
    auto key = ValueOf(*expression.children[i]);
    auto value = ValueOf(*expression.children[i + 1]);
    if (!key) return tl::unexpected(key.error());
    if (!value) return tl::unexpected(value.error());
    mapping[PythonText(**key)] = **value;
  }
  return Of(std::move(mapping));
}

Evaluated<Operand> Evaluator::Index(const Expression& expression) {
  auto object = Evaluate(*expression.children[0]);
  if (!object) return object;
  auto key = ValueOf(*expression.children[1]);
  if (!key) return tl::unexpected(key.error());
  return LookInto(*object, **key, PlaceAt(expression.offset));
}

Evaluated<Operand> Evaluator::SliceOf(const Expression& expression) {
  auto object = ValueOf(*expression.children[0]);
  if (!object) return tl::unexpected(object.error());
  Value bounds[2];
  for (std::size_t i = 0; i < 2; ++i) {
    if (expression.children[i + 1] == nullptr) continue;
    auto bound = ValueOf(*expression.children[i + 1]);
    if (!bound) return tl::unexpected(bound.error());
    bounds[i] = **bound;
  }
  return Slice(**object, bounds[0], bounds[1], PlaceAt(expression.offset));
}

Evaluated<Operand> Evaluator::Call(const Expression& expression) {
  TemplateCall call;
  call.name = expression.text;
  call.place = PlaceAt(expression.offset);
  std::size_t first = 0;
  if (expression.kind != Expression::Kind::kCall) {
    auto input = Evaluate(*expression.children[0]);
    if (!input) return input;
    call.input = std::move(*input);
    first = 1;
  }
  for (std::size_t i = first; i < expression.children.size(); ++i) {
    auto argument = Evaluate(*expression.children[i]);
    if (!argument) return argument;
    call.arguments.push_back(std::move(*argument));
  }
  for (const auto& [name, value] : expression.named) {
    auto argument = Evaluate(*value);
    if (!argument) return argument;
    call.named.emplace_back(name, std::move(*argument));
  }
  if (expression.kind == Expression::Kind::kCall) return CallFunction(call);
  if (expression.kind == Expression::Kind::kMethod) return CallMethod(call);
  if (expression.kind == Expression::Kind::kFilter) return ApplyFilter(call);
  auto holds = ApplyTest(call);
  if (!holds) return tl::unexpected(holds.error());
  return Of(*holds != expression.negated);
}

Evaluated<Operand> Evaluator::Negate(const Expression& expression) {
  auto value = ValueOf(*expression.children[0]);
  if (!value) return tl::unexpected(value.error());
  auto negative = Arithmetic("-", 0, **value, PlaceAt(expression.offset));
  if (!negative) return tl::unexpected(negative.error());
  return Of(std::move(*negative));
}

Evaluated<Operand> Evaluator::Compute(const Expression& expression) {
  auto left = ValueOf(*expression.children[0]);
  if (!left) return tl::unexpected(left.error());
  auto right = ValueOf(*expression.children[1]);
  if (!right) return tl::unexpected(right.error());
  auto result = Arithmetic(expression.text, **left, **right, PlaceAt(expression.offset));
  if (!result) return tl::unexpected(result.error());
  if (result->is_string() && result->get_ref<const std::string&>().size() > kMaxTemplateSize) {
    return Offence(PlaceAt(expression.offset), "text in the template grows too large");
  }
  return Of(std::move(*result));
}

Evaluated<bool> Evaluator::CompareTwo(const std::string& op, const Value& left, const Value& right,
                                      const Place& place) {
  if (op == "==") return PythonEqual(left, right);
  if (op == "!=") return !PythonEqual(left, right);
  if (op == "in" || op == "not in") {
    auto found = Contains(right, left, place);
    if (!found) return found;
    return *found == (op == "in");
  }
  const auto order = PythonCompare(left, right);
  if (!order) {
    const bool mixed = left.is_string() != right.is_string();
    return Offence(place, "cannot compare " + TypeName(left) + " with " + TypeName(right),
                   mixed ? "make a number of the string with | int" : "");
  }
  if (op == "<") return *order < 0;
  if (op == "<=") return *order <= 0;
  return op == ">" ? *order > 0 : *order >= 0;
}

Evaluated<Operand> Evaluator::Compare(const Expression& expression) {
  auto left = ValueOf(*expression.children[0]);
  if (!left) return tl::unexpected(left.error());
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    auto right = ValueOf(*expression.children[i + 1]);
    if (!right) return tl::unexpected(right.error());
    auto holds = CompareTwo(expression.operators[i], **left, **right,
                            PlaceAt(expression.children[i + 1]->offset));
    if (!holds) return tl::unexpected(holds.error());
    if (!*holds) return Of(false);
    left = std::move(right);
  }
  return Of(true);
}

// Python's and/or give the deciding operand itself.
Evaluated<Operand> Evaluator::Either(const Expression& expression, bool stops_at) {
  auto left = ValueOf(*expression.children[0]);
  if (!left) return tl::unexpected(left.error());
  if (IsTrue(**left) == stops_at) return Operand(*left);
  return Evaluate(*expression.children[1]);
}

Evaluated<Operand> Evaluator::Conditional(const Expression& expression) {
  auto truth = TruthOf(*expression.children[0]);
  if (!truth) return tl::unexpected(truth.error());
  if (*truth) return Evaluate(*expression.children[1]);
  if (expression.children[2] != nullptr) return Evaluate(*expression.children[2]);
  return Undefined{Diagnostic{PlaceAt(expression.offset),
                              "the condition is false and there is no \"else\"", ""}};
}

Evaluated<std::string> Evaluator::Render(const Parts& parts) {
  std::string out;
  scopes_.emplace_back();
  auto done = RenderInto(out, parts);
  scopes_.pop_back();
  if (!done) return tl::unexpected(done.error());
  return out;
}

Evaluated<std::monostate> Evaluator::RenderInto(std::string& out, const Parts& parts) {
  for (const auto& part : parts) {
    if (auto left = Spend(part.offset); !left) return left;
    if (auto done = RenderPart(out, part); !done) return done;
    if (out.size() > kMaxTemplateSize) {
      return Offence(PlaceAt(part.offset), "text made by the template grows too large");
    }
  }
  return std::monostate{};
}

Evaluated<std::monostate> Evaluator::RenderPart(std::string& out, const Part& part) {
  switch (part.kind) {
    case Part::Kind::kText:
      out += part.text;
      return std::monostate{};
    case Part::Kind::kOutput: {
      auto value = ValueOf(*part.expression);
      if (!value) return tl::unexpected(value.error());
      // Ansible prints nothing for none.
      if (!(*value)->is_null()) out += PythonText(**value);
      return std::monostate{};
    }
    case Part::Kind::kFor:
      return For(out, part);
    case Part::Kind::kIf:
      return If(out, part);
    case Part::Kind::kSet: {
      auto value = Evaluate(*part.expression);
      if (!value) return tl::unexpected(value.error());
      scopes_.back()[part.names[0]] = std::move(*value);
      return std::monostate{};
    }
  }
  return std::monostate{};
}

Evaluated<std::monostate> Evaluator::BindItem(const Part& part, const Value& item) {
  if (part.names.size() == 1) {
    scopes_.back()[part.names[0]] = Of(item);
    return std::monostate{};
  }
  if (!item.is_array() || item.size() != part.names.size()) {
    return Offence(PlaceAt(part.offset),
                   "the loop has " + std::to_string(part.names.size()) +
                       " variables, but its items are not lists of that length",
                   "loop over mapping.items()");
  }
  for (std::size_t i = 0; i < part.names.size(); ++i) {
    scopes_.back()[part.names[i]] = Of(item[i]);
  }
  return std::monostate{};
}

Evaluated<std::monostate> Evaluator::For(std::string& out, const Part& part) {
  auto list = ValueOf(*part.expression);
  if (!list) return tl::unexpected(list.error());
  auto items = LoopItems(**list, PlaceAt(part.expression->offset));
  if (!items) return tl::unexpected(items.error());
  scopes_.emplace_back();
  Evaluated<std::monostate> done = std::monostate{};
  if (part.filter != nullptr) {
    std::vector<Value> kept;
    for (auto& item : *items) {
      done = BindItem(part, item);
      if (!done) break;
      auto wanted = TruthOf(*part.filter);
      if (!wanted) done = tl::unexpected(wanted.error());
      if (!wanted) break;
      if (*wanted) kept.push_back(std::move(item));
    }
    *items = std::move(kept);
  }
  for (std::size_t i = 0; done && i < items->size(); ++i) {
    scopes_.back().clear();  // what {% set %} set in the round before
    scopes_.back()["loop"] = Of(LoopState(i, items->size()));
    done = BindItem(part, (*items)[i]);
    if (done) done = RenderInto(out, part.body);
  }
  scopes_.pop_back();
  if (done && items->empty()) return RenderInto(out, part.otherwise);
  return done;
}

Evaluated<std::monostate> Evaluator::If(std::string& out, const Part& part) {
  for (const auto& branch : part.branches) {
    auto truth = TruthOf(*branch.condition);
    if (!truth) return tl::unexpected(truth.error());
    if (*truth) return RenderInto(out, branch.body);
  }
  return RenderInto(out, part.otherwise);
}

}  // namespace drover
