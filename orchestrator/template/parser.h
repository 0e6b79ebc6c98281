// Parses templates and bare expressions. What Drover does not know (a filter, a test, a statement)
// is found here, before anything is evaluated.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/template/ast.h"
#include "orchestrator/template/operand.h"
#include "orchestrator/template/text.h"

namespace drover {

// White space around statements; Ansible's defaults.
struct TemplateOptions {
  bool trim_blocks = true;     // the line end right after a statement or comment is dropped
  bool lstrip_blocks = false;  // blanks before a statement at the start of a line are dropped
};

Evaluated<Parts> ParseTemplate(const TemplateText& source, const TemplateOptions& options = {});
// A bare expression, as `when` has it.
Evaluated<ExpressionPtr> ParseExpression(const TemplateText& source);

// True when the text holds anything that a template would replace.
bool HasTemplate(const std::string& text);

}  // namespace drover
