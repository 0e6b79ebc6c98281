#include "orchestrator/template/expression_parser.h"

#include <algorithm>

#include "orchestrator/template/filters.h"

namespace drover {
namespace {

constexpr int kMaxDepth = 100;

ExpressionPtr Make(Expression::Kind kind, std::size_t offset, std::string text = "") {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->offset = offset;
  expression->text = std::move(text);
  return expression;
}

// Ansible's collections may stand before a filter's name.
std::string WithoutCollection(const std::string& name) {
  for (const std::string prefix : {"ansible.builtin.", "ansible.legacy."}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

}  // namespace

const Token& ExpressionParser::Peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool ExpressionParser::IsOperator(std::string_view text) const {
  return Peek().kind == Token::Kind::kOperator && Peek().text == text;
}

bool ExpressionParser::IsName(std::string_view text) const {
  return Peek().kind == Token::Kind::kName && Peek().text == text;
}

bool ExpressionParser::TakeOperator(std::string_view text) {
  if (!IsOperator(text)) return false;
  ++at_;
  return true;
}

bool ExpressionParser::TakeName(std::string_view text) {
  if (!IsName(text)) return false;
  ++at_;
  return true;
}

Evaluated<std::string> ExpressionParser::Identifier(std::string_view what) {
  if (Peek().kind != Token::Kind::kName) return Unexpected(what);
  return tokens_[at_++].text;
}

tl::unexpected<Diagnostic> ExpressionParser::Unexpected(std::string_view wanted) const {
  const Token& token = Peek();
  std::string found = "end of the expression";
  if (token.kind == Token::Kind::kLiteral) {
    found = token.literal.dump(-1, ' ', false, Value::error_handler_t::replace);
  }
  if (token.kind == Token::Kind::kName || token.kind == Token::Kind::kOperator) {
    found = "\"" + token.text + "\"";
  }
  return Offence(source_.At(token.offset),
                 "expected " + std::string(wanted) + " in the template, found " + found);
}

Evaluated<std::monostate> ExpressionParser::ExpectEnd() const {
  if (Peek().kind == Token::Kind::kEnd) return std::monostate{};
  return Unexpected("the end of the expression");
}

Evaluated<ExpressionPtr> ExpressionParser::Expr() {
  if (++depth_ > kMaxDepth) {
    return Offence(source_.At(Peek().offset), "template expression is nested too deeply");
  }
  auto value = Or();
  while (value && IsName("if")) {
    auto conditional = Make(Expression::Kind::kConditional, Peek().offset);
    ++at_;
    auto condition = Or();
    if (!condition) return condition;
    ExpressionPtr otherwise;
    if (TakeName("else")) {
      auto parsed = Expr();
      if (!parsed) return parsed;
      otherwise = std::move(*parsed);
    }
    conditional->children.push_back(std::move(*condition));
    conditional->children.push_back(std::move(*value));
    conditional->children.push_back(std::move(otherwise));
    value = std::move(conditional);
  }
  --depth_;
  return value;
}

Evaluated<ExpressionPtr> ExpressionParser::Or() {
  auto left = And();
  while (left && IsName("or")) {
    auto both = Make(Expression::Kind::kOr, Peek().offset);
    ++at_;
    auto right = And();
    if (!right) return right;
    both->children.push_back(std::move(*left));
    both->children.push_back(std::move(*right));
    left = std::move(both);
  }
  return left;
}

Evaluated<ExpressionPtr> ExpressionParser::And() {
  auto left = Not();
  while (left && IsName("and")) {
    auto both = Make(Expression::Kind::kAnd, Peek().offset);
    ++at_;
    auto right = Not();
    if (!right) return right;
    both->children.push_back(std::move(*left));
    both->children.push_back(std::move(*right));
    left = std::move(both);
  }
  return left;
}

Evaluated<ExpressionPtr> ExpressionParser::Not() {
  if (!IsName("not")) return Comparison();
  if (++depth_ > kMaxDepth) {
    return Offence(source_.At(Peek().offset), "template expression is nested too deeply");
  }
  auto negation = Make(Expression::Kind::kNot, Peek().offset);
  ++at_;
  auto operand = Not();
  --depth_;
  if (!operand) return operand;
  negation->children.push_back(std::move(*operand));
  return negation;
}

std::string ExpressionParser::ComparisonOperator() const {
  static constexpr std::string_view kOperators[] = {"==", "!=", "<", "<=", ">", ">="};
  for (const auto text : kOperators) {
    if (IsOperator(text)) return std::string(text);
  }
  if (IsName("in")) return "in";
  const bool not_in = IsName("not") && Peek(1).kind == Token::Kind::kName && Peek(1).text == "in";
  return not_in ? "not in" : "";
}

Evaluated<ExpressionPtr> ExpressionParser::Comparison() {
  auto first = Sum();
  if (!first) return first;
  auto chain = Make(Expression::Kind::kCompare, (*first)->offset);
  for (std::string op = ComparisonOperator(); !op.empty(); op = ComparisonOperator()) {
    at_ += op == "not in" ? 2 : 1;
    auto next = Sum();
    if (!next) return next;
    chain->operators.push_back(op);
    chain->children.push_back(std::move(*next));
  }
  if (chain->operators.empty()) return first;
  chain->children.insert(chain->children.begin(), std::move(*first));
  return chain;
}

Evaluated<ExpressionPtr> ExpressionParser::LeftToRight(
    Parsing next, const std::vector<std::string_view>& operators) {
  auto left = (this->*next)();
  const auto here = [&] {
    return std::any_of(operators.begin(), operators.end(),
                       [&](std::string_view text) { return IsOperator(text); });
  };
  while (left && here()) {
    auto both = Make(Expression::Kind::kArithmetic, Peek().offset, Peek().text);
    ++at_;
    auto right = (this->*next)();
    if (!right) return right;
    both->children.push_back(std::move(*left));
    both->children.push_back(std::move(*right));
    left = std::move(both);
  }
  return left;
}

Evaluated<ExpressionPtr> ExpressionParser::Sum() {
  return LeftToRight(&ExpressionParser::Concatenation, {"+", "-"});
}

Evaluated<ExpressionPtr> ExpressionParser::Concatenation() {
  return LeftToRight(&ExpressionParser::Product, {"~"});
}

Evaluated<ExpressionPtr> ExpressionParser::Product() {
  auto left = LeftToRight(&ExpressionParser::Factor, {"*", "/", "//", "%"});
  if (left && IsOperator("**")) {
    return Offence(source_.At(Peek().offset), "Drover's templates do not know the operator \"**\"");
  }
  return left;
}

Evaluated<ExpressionPtr> ExpressionParser::Unary(bool with_filters) {
  if (++depth_ > kMaxDepth) {
    return Offence(source_.At(Peek().offset), "template expression is nested too deeply");
  }
  const std::size_t offset = Peek().offset;
  Evaluated<ExpressionPtr> value = nullptr;
  if (TakeOperator("-")) {
    value = Unary(false);
    if (value) {
      auto negation = Make(Expression::Kind::kNegate, offset);
      negation->children.push_back(std::move(*value));
      value = std::move(negation);
    }
  } else if (TakeOperator("+")) {
    value = Unary(false);
  } else {
    value = Primary();
  }
  --depth_;
  if (value) value = Postfix(std::move(*value));
  if (value && with_filters) value = Filters(std::move(*value));
  return value;
}

Evaluated<ExpressionPtr> ExpressionParser::Primary() {
  const Token& token = Peek();
  if (token.kind == Token::Kind::kLiteral) {
    auto literal = Make(Expression::Kind::kLiteral, token.offset);
    literal->literal = token.literal;
    ++at_;
    // Adjacent strings are one, as in Python.
    while (literal->literal.is_string() && Peek().kind == Token::Kind::kLiteral &&
           Peek().literal.is_string()) {
      literal->literal =
          literal->literal.get<std::string>() + tokens_[at_++].literal.get<std::string>();
    }
    return literal;
  }
  if (token.kind == Token::Kind::kName) {
    ++at_;
    auto literal = Make(Expression::Kind::kLiteral, token.offset);
    const bool is_true = token.text == "true" || token.text == "True";
    const bool is_false = token.text == "false" || token.text == "False";
    if (is_true || is_false) literal->literal = is_true;
    if (is_true || is_false || token.text == "none" || token.text == "None") return literal;
    return Make(Expression::Kind::kName, token.offset, token.text);
  }
  if (TakeOperator("(")) {
    auto inner = Expr();
    if (!inner) return inner;
    if (IsOperator(",")) {
      return Offence(source_.At(Peek().offset), "Drover's templates do not know tuples",
                     "write a list: [a, b]");
    }
    if (!TakeOperator(")")) return Unexpected("\")\"");
    return inner;
  }
  if (TakeOperator("[")) return List(token.offset);
  if (TakeOperator("{")) return Mapping(token.offset);
  return Unexpected("a value");
}

Evaluated<ExpressionPtr> ExpressionParser::List(std::size_t offset) {
  auto list = Make(Expression::Kind::kList, offset);
  while (!TakeOperator("]")) {
    if (!list->children.empty() && !TakeOperator(",")) return Unexpected("\",\" or \"]\"");
    if (TakeOperator("]")) break;
    auto item = Expr();
    if (!item) return item;
    list->children.push_back(std::move(*item));
  }
  return list;
}

Evaluated<ExpressionPtr> ExpressionParser::Mapping(std::size_t offset) {
  auto mapping = Make(Expression::Kind::kMapping, offset);
  while (!TakeOperator("}")) {
    if (!mapping->children.empty() && !TakeOperator(",")) return Unexpected("\",\" or \"}\"");
    if (TakeOperator("}")) break;
    auto key = Expr();
    if (!key) return key;
    if (!TakeOperator(":")) return Unexpected("\":\"");
    auto value = Expr();
    if (!value) return value;
    mapping->children.push_back(std::move(*key));
    mapping->children.push_back(std::move(*value));
  }
  return mapping;
}

Evaluated<ExpressionPtr> ExpressionParser::Postfix(ExpressionPtr object) {
  while (true) {
    Evaluated<ExpressionPtr> next = nullptr;
    const std::size_t offset = Peek().offset;
    if (TakeOperator(".")) {
      next = Attribute(std::move(object));
    } else if (TakeOperator("[")) {
      next = Subscript(std::move(object));
    } else if (IsOperator("(")) {
      if (object->kind != Expression::Kind::kName && object->kind != Expression::Kind::kAttribute) {
        return Offence(source_.At(offset), "this part of the template cannot be called");
      }
      const bool method = object->kind == Expression::Kind::kAttribute;
      if (!method && !IsKnownFunction(object->text)) {
        return Offence(source_.At(object->offset),
                       "Drover's templates do not know the function \"" + object->text + "\"",
                       DidYouMean(object->text, FunctionNames()));
      }
      if (method && !IsKnownMethod(object->text)) {
        return Offence(source_.At(object->offset),
                       "Drover's templates do not know the method \"" + object->text + "\"",
                       DidYouMean(object->text, MethodNames()));
      }
      object->kind = method ? Expression::Kind::kMethod : Expression::Kind::kCall;
      if (auto arguments = Arguments(*object); !arguments) {
        return tl::unexpected(arguments.error());
      }
      next = std::move(object);
    } else {
      return object;
    }
    if (!next) return next;
    object = std::move(*next);
  }
}

Evaluated<ExpressionPtr> ExpressionParser::Attribute(ExpressionPtr object) {
  const Token& token = Peek();
  auto part = Make(Expression::Kind::kAttribute, token.offset, token.text);
  if (token.kind == Token::Kind::kLiteral && token.literal.is_number_integer()) {
    part->kind = Expression::Kind::kIndex;
    auto index = Make(Expression::Kind::kLiteral, token.offset);
    index->literal = token.literal;
    part->children.push_back(std::move(object));
    part->children.push_back(std::move(index));
  } else if (token.kind == Token::Kind::kName) {
    part->children.push_back(std::move(object));
  } else {
    return Unexpected("a name after \".\"");
  }
  ++at_;
  return part;
}

Evaluated<ExpressionPtr> ExpressionParser::Subscript(ExpressionPtr object) {
  auto part = Make(Expression::Kind::kIndex, Peek().offset);
  part->children.push_back(std::move(object));
  ExpressionPtr start;
  if (!IsOperator(":")) {
    auto parsed = Expr();
    if (!parsed) return parsed;
    start = std::move(*parsed);
  }
  part->children.push_back(std::move(start));
  if (TakeOperator(":")) {
    part->kind = Expression::Kind::kSlice;
    ExpressionPtr end;
    if (!IsOperator("]") && !IsOperator(":")) {
      auto parsed = Expr();
      if (!parsed) return parsed;
      end = std::move(*parsed);
    }
    part->children.push_back(std::move(end));
    if (IsOperator(":")) {
      return Offence(source_.At(Peek().offset),
                     "Drover's templates do not know slices with a step");
    }
  }
  if (!TakeOperator("]")) return Unexpected("\"]\"");
  return part;
}

Evaluated<std::monostate> ExpressionParser::Arguments(Expression& call) {
  if (!TakeOperator("(")) return Unexpected("\"(\"");
  bool first = true;
  while (!TakeOperator(")")) {
    if (!first && !TakeOperator(",")) return Unexpected("\",\" or \")\"");
    if (TakeOperator(")")) break;
    first = false;
    const bool named = Peek().kind == Token::Kind::kName &&
                       Peek(1).kind == Token::Kind::kOperator && Peek(1).text == "=";
    std::string name;
    if (named) {
      name = Peek().text;
      at_ += 2;
    }
    auto value = Expr();
    if (!value) return tl::unexpected(value.error());
    if (named) {
      call.named.emplace_back(name, std::move(*value));
    } else if (!call.named.empty()) {
      return Offence(source_.At((*value)->offset),
                     "an argument without a name may not follow one with a name");
    } else {
      call.children.push_back(std::move(*value));
    }
  }
  return std::monostate{};
}

Evaluated<std::string> ExpressionParser::DottedName(std::string_view what) {
  auto name = Identifier(what);
  while (name && IsOperator(".")) {
    ++at_;
    auto part = Identifier(what);
    if (!part) return part;
    *name += "." + *part;
  }
  return name;
}

Evaluated<ExpressionPtr> ExpressionParser::Filters(ExpressionPtr input) {
  while (true) {
    Evaluated<ExpressionPtr> next = nullptr;
    if (TakeOperator("|")) {
      next = Filter(std::move(input));
    } else if (TakeName("is")) {
      next = Test(std::move(input));
      if (next && IsName("is")) {
        return Offence(source_.At(Peek().offset), "two tests with \"is\" cannot follow each other",
                       "put the first into parentheses");
      }
    } else {
      return input;
    }
    if (!next) return next;
    input = std::move(*next);
  }
}

Evaluated<ExpressionPtr> ExpressionParser::Filter(ExpressionPtr input) {
  const std::size_t offset = Peek().offset;
  auto name = DottedName("a filter");
  if (!name) return tl::unexpected(name.error());
  const std::string plain = WithoutCollection(*name);
  if (!IsKnownFilter(plain)) {
    return Offence(source_.At(offset), "unknown filter \"" + *name + "\"",
                   DidYouMean(plain, FilterNames()));
  }
  auto filter = Make(Expression::Kind::kFilter, offset, plain);
  filter->children.push_back(std::move(input));
  if (IsOperator("(")) {
    if (auto arguments = Arguments(*filter); !arguments) return tl::unexpected(arguments.error());
  }
  return filter;
}

Evaluated<ExpressionPtr> ExpressionParser::Test(ExpressionPtr input) {
  const bool negated = TakeName("not");
  const Token& token = Peek();
  auto name = DottedName("a test");
  if (!name) return tl::unexpected(name.error());
  const std::string plain = WithoutCollection(*name);
  if (!IsKnownTest(plain)) {
    return Offence(source_.At(token.offset), "unknown test \"" + *name + "\"",
                   DidYouMean(plain, TestNames()));
  }
  auto test = Make(Expression::Kind::kTest, token.offset, plain);
  test->negated = negated;
  test->children.push_back(std::move(input));
  static constexpr std::string_view kFollowing[] = {"else", "or", "and", "is", "if", "in", "not"};
  const Token& next = Peek();
  const bool word =
      next.kind == Token::Kind::kName &&
      std::find(std::begin(kFollowing), std::end(kFollowing), next.text) == std::end(kFollowing);
  if (IsOperator("(")) {
    if (auto arguments = Arguments(*test); !arguments) return tl::unexpected(arguments.error());
  } else if (word || next.kind == Token::Kind::kLiteral || IsOperator("[")) {
    auto argument = Primary();
    if (argument) argument = Postfix(std::move(*argument));
    if (!argument) return argument;
    test->children.push_back(std::move(*argument));
  }
  return test;
}

}  // namespace drover
