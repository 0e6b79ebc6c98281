// Splits a command line into words as a shell would (quotes, backslashes), leaving {{ … }} whole.
// Nothing is expanded: no globs, no variables.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/template/operand.h"
#include "orchestrator/template/text.h"

namespace drover {

// One word: unquoted, and where it stands.
struct Word {
  std::string text;
  std::size_t offset = 0;  // where it begins in the text
};
Evaluated<std::vector<Word>> SplitWords(const TemplateText& source);

// "src=a dest=/b" as a mapping; a word without "=" is an error.
Evaluated<YamlNode> ReadPairs(const YamlNode& text);

}  // namespace drover
