#include "orchestrator/template/filters.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "orchestrator/template/call.h"
#include "orchestrator/template/operators.h"

namespace drover {
namespace {

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Mapped(std::string text, char (*change)(char)) {
  std::transform(text.begin(), text.end(), text.begin(), change);
  return text;
}

std::string Stripped(const std::string& text, const std::string& blanks) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Decimal numbers only: strtod would take "0x1" and "nan" as well.
bool ReadFloat(const std::string& text, double& number) {
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string::npos) return false;
  char* end = nullptr;
  number = std::strtod(text.c_str(), &end);
  return *end == '\0';
}

Evaluated<Operand> Default(const Bound& bound) {
  const auto fallback = [&] {
    return bound.Has("default_value") ? bound.arguments.at("default_value") : Of("");
  };
  if (std::holds_alternative<Undefined>(bound.call.input)) return fallback();
  auto boolean = bound.Flag("boolean", false);
  if (!boolean) return tl::unexpected(boolean.error());
  if (!*boolean) return bound.call.input;
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  return IsTrue(**value) ? Operand(*value) : fallback();
}

Evaluated<Operand> Mandatory(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  return Operand(*value);
}

Evaluated<Operand> Ternary(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if ((*value)->is_null() && bound.Has("none_val")) return bound.arguments.at("none_val");
  return bound.arguments.at(IsTrue(**value) ? "true_val" : "false_val");
}

Evaluated<Operand> Int(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  auto fallback = bound.Argument("default", 0);
  auto base = bound.Argument("base", 10);
  if (!fallback) return tl::unexpected(fallback.error());
  if (!base || !base->is_number_integer())
    return bound.Wrong("base of filter \"int\" is an integer");
  const Value& input = **value;
  if (input.is_boolean()) return Of(input.get<bool>() ? 1 : 0);
  if (input.is_number_integer()) return Operand(*value);
  double number = 0;
  if (input.is_number_float()) {
    number = input.get<double>();
  } else if (input.is_string()) {
    const std::string text = Stripped(input.get<std::string>(), " \t\r\n");
    char* end = nullptr;
    errno = 0;
    const long long whole = std::strtoll(text.c_str(), &end, base->get<int>());
    if (!text.empty() && *end == '\0' && errno == 0) return Of(static_cast<std::int64_t>(whole));
    if (!ReadFloat(text, number)) return Of(*fallback);
  } else {
    return Of(*fallback);
  }
  if (!std::isfinite(number) || std::fabs(number) > 9e18) return Of(*fallback);
  return Of(static_cast<std::int64_t>(number));
}

Evaluated<Operand> Float(const Bound& bound) {
  auto value = bound.Input();
  auto fallback = bound.Argument("default", 0.0);
  if (!value) return tl::unexpected(value.error());
  if (!fallback) return tl::unexpected(fallback.error());
  const Value& input = **value;
  if (input.is_boolean()) return Of(input.get<bool>() ? 1.0 : 0.0);
  if (input.is_number()) return Of(input.get<double>());
  if (!input.is_string()) return Of(*fallback);
  const std::string text = Stripped(input.get<std::string>(), " \t\r\n");
  double number = 0;
  return ReadFloat(text, number) ? Of(number) : Of(*fallback);
}

Evaluated<Operand> Bool(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if ((*value)->is_null() || (*value)->is_boolean()) return Operand(*value);
  const std::string text = Mapped(PythonText(**value), Lower);
  static const std::vector<std::string> kTrue = {"yes", "on", "1", "true"};
  return Of(std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end());
}

Evaluated<Operand> String(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  return Of(PythonText(**value));
}

Evaluated<Operand> Abs(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if ((*value)->is_number_float()) return Of(std::fabs((*value)->get<double>()));
  if (!(*value)->is_number_integer()) {
    return bound.Wrong("filter \"abs\" needs a number, not " + TypeName(**value));
  }
  const auto number = (*value)->get<std::int64_t>();
  if (number == INT64_MIN) return bound.Wrong("number in the template grows too large");
  return Of(number < 0 ? -number : number);
}

Evaluated<Operand> Round(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  auto precision = bound.Argument("precision", 0);
  auto method = bound.TextArgument("method", "common");
  if (!precision) return tl::unexpected(precision.error());
  if (!method) return tl::unexpected(method.error());
  if (!(*value)->is_number() || !precision->is_number_integer()) {
    return bound.Wrong("filter \"round\" needs numbers");
  }
  if (*method == "common" && (*value)->is_number_integer() && *precision >= 0)
    return Operand(*value);
  const double scale = std::pow(10.0, precision->get<double>());
  const double scaled = (*value)->get<double>() * scale;
  if (*method == "ceil") return Of(std::ceil(scaled) / scale);
  if (*method == "floor") return Of(std::floor(scaled) / scale);
  if (*method != "common") return bound.Wrong("filter \"round\" knows common, ceil and floor");
  return Of(std::nearbyint(scaled) / scale);
}

template <char (*kChange)(char)>
Evaluated<Operand> ChangeCase(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  return Of(Mapped(*text, kChange));
}

Evaluated<Operand> Capitalize(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  std::string result = Mapped(*text, Lower);
  if (!result.empty()) result[0] = Upper(result[0]);
  return Of(std::move(result));
}

Evaluated<Operand> Trim(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  auto characters = bound.TextArgument("chars", " \t\r\n\f\v");
  if (!characters) return tl::unexpected(characters.error());
  return Of(Stripped(*text, *characters));
}

Evaluated<Operand> Replace(const Bound& bound) {
  auto text = bound.Text();
  auto from = bound.TextArgument("old", "");
  auto to = bound.TextArgument("new", "");
  auto count = bound.Argument("count", nullptr);
  if (!text) return tl::unexpected(text.error());
  if (!from) return tl::unexpected(from.error());
  if (!to) return tl::unexpected(to.error());
  if (!count) return tl::unexpected(count.error());
  if (from->empty()) return bound.Wrong("filter \"replace\" cannot look for an empty text");
  std::int64_t left = count->is_number_integer() ? count->get<std::int64_t>() : INT64_MAX;
  std::string result;
  std::size_t at = 0;
  for (std::size_t found = text->find(*from); found != std::string::npos && left > 0;
       found = text->find(*from, at), --left) {
    result += text->substr(at, found - at) + *to;
    at = found + from->size();
    if (result.size() > kMaxTemplateSize)
      return bound.Wrong("text in the template grows too large");
  }
  return Of(result + text->substr(at));
}

Evaluated<Operand> Split(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  Value parts = Value::array();
  auto separator = bound.TextArgument("sep", "");
  if (!separator) return tl::unexpected(separator.error());
  if (bound.Has("sep") && separator->empty()) return bound.Wrong("cannot split at an empty text");
  std::size_t at = 0;
  if (!bound.Has("sep")) {
    constexpr const char* kBlanks = " \t\r\n\f\v";
    while ((at = text->find_first_not_of(kBlanks, at)) != std::string::npos) {
      const std::size_t end = std::min(text->find_first_of(kBlanks, at), text->size());
      parts.push_back(text->substr(at, end - at));
      at = end;
    }
    return Of(std::move(parts));
  }
  for (std::size_t end = text->find(*separator); end != std::string::npos;
       end = text->find(*separator, at)) {
    parts.push_back(text->substr(at, end - at));
    at = end + separator->size();
  }
  parts.push_back(text->substr(at));
  return Of(std::move(parts));
}

Evaluated<Operand> Indent(const Bound& bound) {
  auto text = bound.Text();
  auto width = bound.Argument("width", 4);
  auto first = bound.Flag("first", false);
  auto blank = bound.Flag("blank", false);
  if (!text) return tl::unexpected(text.error());
  if (!width) return tl::unexpected(width.error());
  if (!first || !blank || !width->is_number_integer() || *width < 0 || *width > 1000) {
    return bound.Wrong("filter \"indent\" takes a width from 0 to 1000");
  }
  const std::string blanks(width->get<std::size_t>(), ' ');
  std::string result = *first ? blanks : "";
  for (std::size_t i = 0; i < text->size(); ++i) {
    result += (*text)[i];
    if ((*text)[i] != '\n' || i + 1 == text->size()) continue;
    if (*blank || (*text)[i + 1] != '\n') result += blanks;
  }
  return Of(std::move(result));
}

// json.dumps separates with ", " and ": ".
void AppendJson(std::string& text, const Value& value) {
  if (value.is_array() && !value.empty()) {
    char before = '[';
    for (const auto& item : value) {
      text += before;
      if (before == ',') text += ' ';
      AppendJson(text, item);
      before = ',';
    }
    text += ']';
  } else if (value.is_object() && !value.empty()) {
    char before = '{';
    for (const auto& [key, item] : value.items()) {
      text += before;
      if (before == ',') text += ' ';
      text += Value(key).dump(-1, ' ', true, Value::error_handler_t::replace) + ": ";
      AppendJson(text, item);
      before = ',';
    }
    text += '}';
  } else if (value.is_number_float()) {
    text += PythonText(value);
  } else {
    text += value.dump(-1, ' ', true, Value::error_handler_t::replace);
  }
}

Evaluated<Operand> ToJson(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  std::string text;
  AppendJson(text, **value);
  return Of(std::move(text));
}

// Ansible sorts the keys of to_nice_json and indents by 4.
Evaluated<Operand> ToNiceJson(const Bound& bound) {
  auto value = bound.Input();
  auto indent = bound.Argument("indent", 4);
  auto sort = bound.Flag("sort_keys", true);
  if (!value) return tl::unexpected(value.error());
  if (!indent || !sort || !indent->is_number_integer()) {
    return bound.Wrong("filter \"to_nice_json\" takes an integer indent and a boolean sort_keys");
  }
  const int width = std::clamp(indent->get<int>(), 0, 64);
  constexpr auto kReplace = Value::error_handler_t::replace;
  if (!*sort) return Of((*value)->dump(width, ' ', true, kReplace));
  const nlohmann::json sorted = nlohmann::json::parse((*value)->dump(-1, ' ', true, kReplace));
  return Of(sorted.dump(width, ' ', true));
}

Evaluated<Operand> Basename(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  return Of(text->substr(text->rfind('/') + 1));
}

Evaluated<Operand> Dirname(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  const std::size_t slash = text->rfind('/');
  if (slash == std::string::npos) return Of("");
  return Of(slash == 0 ? "/" : text->substr(0, slash));
}

// For words of a command line (Ansible's quote, shlex.quote).
Evaluated<Operand> QuoteWord(const Bound& bound) {
  auto text = bound.Text();
  if (!text) return tl::unexpected(text.error());
  const auto harmless = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("@%+=:,./-_").find(c) != std::string_view::npos;
  };
  if (!text->empty() && std::all_of(text->begin(), text->end(), harmless)) return Of(*text);
  std::string quoted = "'";
  for (const char c : *text) quoted += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return Of(quoted + "'");
}

const CallTable& ScalarFilters() {
  static const CallTable kTable = {
      {"abs", {Abs, {}}},
      {"basename", {Basename, {}}},
      {"bool", {Bool, {}}},
      {"capitalize", {Capitalize, {}}},
      {"d", {Default, {"default_value", "boolean"}}},
      {"default", {Default, {"default_value", "boolean"}}},
      {"dirname", {Dirname, {}}},
      {"float", {Float, {"default"}}},
      {"indent", {Indent, {"width", "first", "blank"}}},
      {"int", {Int, {"default", "base"}}},
      {"lower", {ChangeCase<Lower>, {}}},
      {"mandatory", {Mandatory, {}}},
      {"quote", {QuoteWord, {}}},
      {"replace", {Replace, {"old", "new", "count"}, 2}},
      {"round", {Round, {"precision", "method"}}},
      {"split", {Split, {"sep"}}},
      {"string", {String, {}}},
      {"ternary", {Ternary, {"true_val", "false_val", "none_val"}, 2}},
      {"to_json", {ToJson, {}}},
      {"to_nice_json", {ToNiceJson, {"indent", "sort_keys"}}},
      {"trim", {Trim, {"chars"}}},
      {"upper", {ChangeCase<Upper>, {}}},
  };
  return kTable;
}

const CallTable& AllFilters() {
  static const CallTable kTable = [] {
    CallTable table = ScalarFilters();
    table.insert(ListFilters().begin(), ListFilters().end());
    return table;
  }();
  return kTable;
}

}  // namespace

Evaluated<std::string> Bound::Text() const {
  auto value = Input();
  if (!value) return tl::unexpected(value.error());
  return PythonText(**value);
}

Evaluated<std::vector<Value>> Bound::Items() const {
  auto value = Input();
  if (!value) return tl::unexpected(value.error());
  const Value& input = **value;
  std::vector<Value> items;
  if (input.is_array()) {
    items.assign(input.begin(), input.end());
  } else if (input.is_object()) {
    for (const auto& [key, item] : input.items()) items.emplace_back(key);
  } else if (input.is_string()) {
    for (auto& character : Characters(input.get<std::string>())) items.emplace_back(character);
  } else {
    return Wrong("\"" + call.name + "\" needs a list, not " + TypeName(input));
  }
  return items;
}

Evaluated<Value> Bound::Argument(const std::string& name, Value fallback) const {
  const auto found = arguments.find(name);
  if (found == arguments.end()) return fallback;
  auto value = Need(found->second, call.place);
  if (!value) return tl::unexpected(value.error());
  return **value;
}

Evaluated<std::string> Bound::TextArgument(const std::string& name,
                                           const std::string& fallback) const {
  auto value = Argument(name, fallback);
  if (!value) return tl::unexpected(value.error());
  return PythonText(*value);
}

Evaluated<bool> Bound::Flag(const std::string& name, bool fallback) const {
  auto value = Argument(name, fallback);
  if (!value) return tl::unexpected(value.error());
  return IsTrue(*value);
}

tl::unexpected<Diagnostic> Bound::Wrong(const std::string& message, const std::string& hint) const {
  return Offence(call.place, message, hint);
}

std::vector<std::string> NamesOf(const CallTable& table) {
  std::vector<std::string> names;
  for (const auto& [name, rule] : table) names.push_back(name);
  return names;
}

Evaluated<Operand> Run(const CallTable& table, std::string_view what, const TemplateCall& call) {
  const std::string title = std::string(what) + " \"" + call.name + "\"";
  const auto found = table.find(call.name);
  if (found == table.end()) {
    return Offence(call.place, "unknown " + title, DidYouMean(call.name, NamesOf(table)));
  }
  const CallRule& rule = found->second;
  Bound bound{call, {}, {}};
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i < rule.parameters.size() && !rule.variadic) {
      bound.arguments.emplace(rule.parameters[i], call.arguments[i]);
    } else if (rule.variadic) {
      bound.rest.push_back(call.arguments[i]);
    } else {
      return Offence(call.place, title + " takes at most " +
                                     std::to_string(rule.parameters.size()) + " arguments, not " +
                                     std::to_string(call.arguments.size()));
    }
  }
  for (const auto& [name, value] : call.named) {
    const auto& known = rule.parameters;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Offence(call.place, title + " has no argument \"" + name + "\"",
                     DidYouMean(name, known));
    }
    if (!bound.arguments.emplace(name, value).second) {
      return Offence(call.place, title + " has its argument \"" + name + "\" twice");
    }
  }
  const std::size_t given = bound.arguments.size() + bound.rest.size();
  if (given < rule.required) {
    return Offence(call.place, title + " needs " + std::to_string(rule.required) + " arguments");
  }
  return rule.body(bound);
}

bool IsKnownFilter(const std::string& name) { return AllFilters().contains(name); }

const std::vector<std::string>& FilterNames() {
  static const std::vector<std::string> kNames = NamesOf(AllFilters());
  return kNames;
}

Evaluated<Operand> ApplyFilter(const TemplateCall& call) {
  return Run(AllFilters(), "filter", call);
}

}  // namespace drover
