// The expression half of the template parser; parser.h is the way in.
//
// Pure.
#pragma once

#include <string_view>

#include "orchestrator/template/ast.h"
#include "orchestrator/template/lexer.h"

namespace drover {

// Reads expressions from a token list, from the front.
class ExpressionParser {
 public:
  ExpressionParser(const TemplateText& source, const std::vector<Token>& tokens)
      : source_(source), tokens_(tokens) {}

  Evaluated<ExpressionPtr> Expr();
  // An expression without the inline if, as the list of a for has it.
  Evaluated<ExpressionPtr> WithoutCondition() { return Or(); }

  [[nodiscard]] const Token& Peek(std::size_t ahead = 0) const;
  [[nodiscard]] bool IsOperator(std::string_view text) const;
  [[nodiscard]] bool IsName(std::string_view text) const;
  bool TakeOperator(std::string_view text);
  bool TakeName(std::string_view text);
  Evaluated<std::string> Identifier(std::string_view what);
  // An error that names the current token.
  [[nodiscard]] tl::unexpected<Diagnostic> Unexpected(std::string_view wanted) const;
  Evaluated<std::monostate> ExpectEnd() const;

 private:
  using Parsing = Evaluated<ExpressionPtr> (ExpressionParser::*)();

  Evaluated<ExpressionPtr> Or();
  Evaluated<ExpressionPtr> And();
  Evaluated<ExpressionPtr> Not();
  Evaluated<ExpressionPtr> Comparison();
  Evaluated<ExpressionPtr> Sum();
  Evaluated<ExpressionPtr> Concatenation();
  Evaluated<ExpressionPtr> Product();
  Evaluated<ExpressionPtr> Factor() { return Unary(/*with_filters=*/true); }
  Evaluated<ExpressionPtr> Unary(bool with_filters);
  Evaluated<ExpressionPtr> Primary();
  Evaluated<ExpressionPtr> List(std::size_t offset);
  Evaluated<ExpressionPtr> Mapping(std::size_t offset);
  Evaluated<ExpressionPtr> Postfix(ExpressionPtr object);
  Evaluated<ExpressionPtr> Attribute(ExpressionPtr object);
  Evaluated<ExpressionPtr> Subscript(ExpressionPtr object);
  Evaluated<ExpressionPtr> Filters(ExpressionPtr input);
  Evaluated<ExpressionPtr> Filter(ExpressionPtr input);
  Evaluated<ExpressionPtr> Test(ExpressionPtr input);
  Evaluated<std::monostate> Arguments(Expression& call);
  Evaluated<ExpressionPtr> LeftToRight(Parsing next,
                                       const std::vector<std::string_view>& operators);
  [[nodiscard]] std::string ComparisonOperator() const;
  Evaluated<std::string> DottedName(std::string_view what);

  const TemplateText& source_;
  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace drover
