// The way in: from a node of a user's file, or a template's text, to values for one host.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/source/yaml_node.h"
#include "orchestrator/template/evaluator.h"
#include "orchestrator/template/operand.h"
#include "orchestrator/template/parser.h"
#include "orchestrator/template/text.h"

namespace drover {

// The variable `omit`: an argument with this value counts as not given.
const Value& OmitMarker();
bool IsOmit(const Value& value);

// A text that is one {{ expression }} and nothing else keeps the expression's type; any other is a
// string. `source` need not hold a template.
Evaluated<Value> EvaluateText(const TemplateText& source, Names& names);
// A whole tree. Keys of mappings are templated too; entries and items that are `omit` are dropped.
Evaluated<Value> EvaluateNode(const YamlNode& node, Names& names);
// A value without places; errors are said at `place`.
Evaluated<ValuePtr> EvaluateValue(const ValuePtr& value, const Place& place, Names& names);
// The text of a template file. A first line "#jinja2: trim_blocks: False, lstrip_blocks: True" sets
// options and is dropped.
Evaluated<std::string> RenderFile(const SourceFilePtr& file, Names& names);

// `when`: a bare expression, a boolean, or a list of these of which all must hold. The result must
// be a boolean, a number or nothing; text and lists are errors, because "false" as text would hold.
// Gives the text of the first condition that does not hold; empty when all hold.
Evaluated<std::string> FirstFalse(const YamlNode& when, Names& names);

// All that can be told of the templates in a tree without any variable: syntax, unknown filters.
void CheckTemplates(const YamlNode& node, Diagnostics& diagnostics);
// The same for `when`.
void CheckCondition(const YamlNode& when, Diagnostics& diagnostics);

}  // namespace drover
