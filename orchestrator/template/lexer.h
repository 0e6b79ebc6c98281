// Cuts the inside of {{ … }} and {% … %} into tokens, by Jinja's rules.
//
// Pure; what the tokens mean is parser.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/source/value.h"
#include "orchestrator/template/operand.h"
#include "orchestrator/template/text.h"

namespace drover {

// A name, a literal or an operator, with its offset in the template.
struct Token {
  enum class Kind { kName, kLiteral, kOperator, kEnd };

  Kind kind = Kind::kEnd;
  std::string text;  // of names and operators
  Value literal;
  std::size_t offset = 0;
};

// Tokens up to `closing` ("}}", "%}"; empty: the end of the text), which brackets hide; the last
// token is kEnd at the closing.
struct Tokens {
  std::vector<Token> list;
  std::size_t after = 0;      // offset behind the closing
  bool strips_after = false;  // closed by "-}}"
  bool keeps_after = false;   // closed by "+%}"
};
Evaluated<Tokens> Tokenize(const TemplateText& source, std::size_t offset,
                           std::string_view closing);

}  // namespace drover
