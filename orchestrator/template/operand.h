// What an expression yields: a value, something undefined that may still be caught by default(), or
// a mapping worked out only where it is looked into (hostvars).
//
// Pure. Values are shared, so that looking into a large list copies nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"

namespace drover {

// A T, or the first thing that is wrong.
template <typename T>
using Evaluated = tl::expected<T, Diagnostic>;

inline tl::unexpected<Diagnostic> Offence(Place place, std::string message, std::string hint = "") {
  return tl::unexpected<Diagnostic>(
      Diagnostic{std::move(place), std::move(message), std::move(hint)});
}

using ValuePtr = std::shared_ptr<const Value>;

// Something that is not there. It becomes an error when its value is needed.
struct Undefined {
  Diagnostic why;
};

class LazyMapping;
using Operand = std::variant<ValuePtr, Undefined, std::shared_ptr<LazyMapping>>;

// A mapping whose values are worked out one by one, when they are asked for.
class LazyMapping {
 public:
  virtual ~LazyMapping() = default;
  // Nothing: no such key. `place` is where it is asked for.
  virtual Evaluated<std::optional<Operand>> Get(const std::string& key, const Place& place) = 0;
  [[nodiscard]] virtual std::vector<std::string> Keys() const = 0;
  // For messages: "hostvars", "hostvars[\"rs1\"]".
  [[nodiscard]] virtual std::string Name() const = 0;
};

inline Operand Of(Value value) { return std::make_shared<const Value>(std::move(value)); }

// The value of an operand; an undefined one gives its reason.
Evaluated<ValuePtr> Need(const Operand& operand, const Place& place);

// Text as Python prints it: True, None, 1.0, ['a', 1], {'k': 'v'}. Strings stand as they are.
std::string PythonText(const Value& value);
// "string", "integer", "list" and so on, for messages.
std::string TypeName(const Value& value);
// Python's truth: empty and zero are false.
bool IsTrue(const Value& value);
// Python's ==: 1 == 1.0 == True.
bool PythonEqual(const Value& left, const Value& right);
// Python's ordering; nothing when the two cannot be ordered.
std::optional<int> PythonCompare(const Value& left, const Value& right);
// Characters of a UTF-8 string, one by one.
std::vector<std::string> Characters(const std::string& text);

}  // namespace drover
