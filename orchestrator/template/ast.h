// A parsed template: text, output, loops, conditions, and the expressions inside them.
//
// Values only; parser.h makes it, evaluator.h carries it out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/source/value.h"

namespace drover {

// One expression. What `children` mean depends on the kind and is said there.
struct Expression {
  enum class Kind {
    kLiteral,
    kName,
    kList,
    kMapping,      // key, value, key, value…
    kAttribute,    // object; `text` is the name
    kIndex,        // object, index
    kSlice,        // object, start, end; a missing bound is a null pointer
    kCall,         // arguments; `text` is a global function such as range
    kMethod,       // object, arguments; `text` is the method
    kFilter,       // input, arguments; `text` is the filter
    kTest,         // input, arguments; `text` is the test, `negated` for "is not"
    kNot,          // operand
    kNegate,       // operand
    kArithmetic,   // left, right; `text` is the operator
    kCompare,      // operands of a chain; `operators` stand between them
    kAnd,          // left, right
    kOr,           // left, right
    kConditional,  // condition, then, otherwise (may be a null pointer)
  };

  Kind kind = Kind::kLiteral;
  std::size_t offset = 0;
  std::string text;
  Value literal;
  std::vector<std::unique_ptr<Expression>> children;
  std::vector<std::pair<std::string, std::unique_ptr<Expression>>> named;  // keyword arguments
  std::vector<std::string> operators;
  bool negated = false;
};
using ExpressionPtr = std::unique_ptr<Expression>;

// One part of a template.
struct Part {
  enum class Kind {
    kText,
    kOutput,  // {{ expression }}
    kFor,     // for `names` in expression: body, else otherwise
    kIf,      // branches: condition and body; otherwise
    kSet,     // set `names`[0] = expression
  };
  struct Branch {
    ExpressionPtr condition;
    std::vector<Part> body;
  };

  Kind kind = Kind::kText;
  std::size_t offset = 0;
  std::string text;
  std::vector<std::string> names;
  ExpressionPtr expression;
  ExpressionPtr filter;  // for x in y if filter
  std::vector<Part> body;
  std::vector<Branch> branches;
  std::vector<Part> otherwise;
};
using Parts = std::vector<Part>;

}  // namespace drover
