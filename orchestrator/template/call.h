// How filters, tests and methods read their input and arguments; shared by the files that hold
// them.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/template/filters.h"

namespace drover {

// Arguments of a call by the names of its parameters; `rest` is what a variadic one takes more.
struct Bound {
  const TemplateCall& call;
  std::map<std::string, Operand> arguments;
  std::vector<Operand> rest;

  [[nodiscard]] bool Has(const std::string& name) const { return arguments.contains(name); }
  // The input as a value.
  [[nodiscard]] Evaluated<ValuePtr> Input() const { return Need(call.input, call.place); }
  [[nodiscard]] Evaluated<std::string> Text() const;
  // The input's items: of a list, the keys of a mapping, the characters of a string.
  [[nodiscard]] Evaluated<std::vector<Value>> Items() const;
  [[nodiscard]] Evaluated<Value> Argument(const std::string& name, Value fallback) const;
  [[nodiscard]] Evaluated<std::string> TextArgument(const std::string& name,
                                                    const std::string& fallback) const;
  [[nodiscard]] Evaluated<bool> Flag(const std::string& name, bool fallback) const;
  [[nodiscard]] tl::unexpected<Diagnostic> Wrong(const std::string& message,
                                                 const std::string& hint = "") const;
};

using CallBody = Evaluated<Operand> (*)(const Bound&);

// One row of the tables: the parameters in order, and the body.
struct CallRule {
  CallBody body;
  std::vector<std::string> parameters;
  std::size_t required = 0;
  bool variadic = false;
};
using CallTable = std::map<std::string, CallRule>;

std::vector<std::string> NamesOf(const CallTable& table);
// Binds the arguments by the rule and runs the body; `what` is "filter", "test"…
Evaluated<Operand> Run(const CallTable& table, std::string_view what, const TemplateCall& call);

// The filters that work on lists (list_filters.cc).
const CallTable& ListFilters();

// Finds "a.b.0" in a value, for attribute= of filters.
Evaluated<Operand> LookUpPath(const Operand& object, const Value& path, const Place& place);

}  // namespace drover
