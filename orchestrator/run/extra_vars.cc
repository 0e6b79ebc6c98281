#include "orchestrator/run/extra_vars.h"

#include <memory>
#include <optional>
#include <utility>

#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

constexpr const char* kHint = "-e takes name=value pairs, a JSON object, or @FILE";

// The character that `\c` stands for in name=value text; none when the backslash stands for itself.
std::optional<char> Escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return std::nullopt;
  }
}

// One pair as written, without its quotes; a quoted blank does not end it.
struct Pair {
  std::string text;
  std::size_t equals = std::string::npos;
};

Parsed<std::vector<Pair>> SplitPairs(const std::string& text) {
  std::vector<Pair> pairs;
  std::optional<Pair> pair;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (blank && quote == 0) {
      if (pair) {
        pairs.push_back(*std::exchange(pair, std::nullopt));
      }
      continue;
    }
    if (!pair) {
      pair.emplace();
    }
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && i + 1 < text.size() && Escaped(text[i + 1])) {
      pair->text += *Escaped(text[++i]);
    } else {
      if (c == '=' && pair->equals == std::string::npos) {
        pair->equals = pair->text.size();
      }
      pair->text += c;
    }
  }
  if (quote != 0) {
    return Wrong(Place{}, "-e: a quote is not closed in: " + text);
  }
  if (pair) {
    pairs.push_back(*pair);
  }
  return pairs;
}

Parsed<Value> ReadPairs(const std::string& text) {
  const auto pairs = SplitPairs(text);
  if (!pairs) {
    return Wrong(pairs.error());
  }
  Value vars = Value::object();
  for (const Pair& pair : *pairs) {
    if (pair.equals == std::string::npos || pair.equals == 0) {
      return Wrong(Place{}, "-e: \"" + pair.text + "\" is not name=value", kHint);
    }
    vars[pair.text.substr(0, pair.equals)] = pair.text.substr(pair.equals + 1);
  }
  return vars;
}

Parsed<Value> ReadMapping(const SourceFilePtr& file) {
  const auto node = ParseYaml(file);
  if (!node) {
    return Wrong(node.error());
  }
  if (node->is_null()) {
    return Value::object();
  }
  if (!node->is_mapping()) {
    return Wrong(node->place, "extra variables must be a mapping of names to values", kHint);
  }
  return ToValue(*node);
}

Parsed<Value> ReadOne(const std::string& argument) {
  if (argument.starts_with('@')) {
    const auto file = ReadSource(argument.substr(1));
    if (!file) {
      return Wrong(file.error());
    }
    return ReadMapping(*file);
  }
  if (argument.starts_with('{') || argument.starts_with('[')) {
    return ReadMapping(std::make_shared<SourceFile>(SourceFile{"-e", argument}));
  }
  return ReadPairs(argument);
}

}  // namespace

Parsed<Value> ReadExtraVars(const std::vector<std::string>& arguments) {
  Value vars = Value::object();
  for (const std::string& argument : arguments) {
    const auto more = ReadOne(argument);
    if (!more) {
      return Wrong(more.error());
    }
    for (const auto& [name, value] : more->items()) {
      vars[name] = value;
    }
  }
  return vars;
}

}  // namespace drover
