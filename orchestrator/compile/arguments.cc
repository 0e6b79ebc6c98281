#include "orchestrator/compile/arguments.h"

#include <algorithm>
#include <charconv>

#include "orchestrator/source/duration.h"
#include "orchestrator/playbook/foreign_words.h"
#include "orchestrator/playbook/tags.h"
#include "protocol/words.h"

namespace drover {

std::optional<bool> ReadBool(const Value& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer() && (value == 0 || value == 1)) return value == 1;
  if (!value.is_string()) return std::nullopt;
  auto word = value.get<std::string>();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* yes : {"yes", "true", "on", "y", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"no", "false", "off", "n", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> ReadInteger(const Value& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<std::string> ReadText(const Argument& argument) {
  const Value& value = argument.value;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_structured() || value.is_null()) return std::nullopt;
  return argument.written.empty() ? PythonText(value) : argument.written;
}

std::string PlaceText(const Place& place) {
  if (place.file == nullptr) return "the command line";
  return place.file->name + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

const Argument* Arguments::Find(const std::string& key) const {
  for (const auto& [name, argument] : mapping_.entries) {
    if (name == key) return argument.value.is_null() ? nullptr : &argument;
  }
  return nullptr;
}

Place Arguments::PlaceOf(const std::string& key) const {
  const Argument* argument = Find(key);
  return argument == nullptr ? mapping_.place : argument->place;
}

const Argument* Arguments::Require(const std::string& key, const std::string& hint) {
  const Argument* argument = Find(key);
  if (argument == nullptr) Say(mapping_.place, owner_ + " needs the key \"" + key + "\"", hint);
  return argument;
}

void Arguments::Say(const Place& place, std::string message, std::string hint) {
  diagnostics_.push_back(Diagnostic{place, std::move(message), std::move(hint)});
}

void Arguments::WrongType(const std::string& key, const Argument& argument,
                          const std::string& wanted) {
  Say(argument.place,
      "\"" + key + "\" of " + owner_ + " takes " + wanted + ", not " + Describe(argument.value));
}

std::optional<std::string> Arguments::Text(const std::string& key) {
  const Argument* argument = Find(key);
  if (argument == nullptr) return std::nullopt;
  auto text = ReadText(*argument);
  if (!text) WrongType(key, *argument, "a text");
  return text;
}

std::optional<bool> Arguments::Bool(const std::string& key) {
  const Argument* argument = Find(key);
  if (argument == nullptr) return std::nullopt;
  const auto value = ReadBool(argument->value);
  if (!value) WrongType(key, *argument, "true or false");
  return value;
}

std::optional<std::int64_t> Arguments::Integer(const std::string& key, std::int64_t least,
                                               std::int64_t most) {
  const Argument* argument = Find(key);
  if (argument == nullptr) return std::nullopt;
  const auto number = ReadInteger(argument->value);
  if (number && *number >= least && *number <= most) return number;
  WrongType(key, *argument,
            "a number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Arguments::Duration(const std::string& key) {
  const Argument* argument = Find(key);
  if (argument == nullptr) return std::nullopt;
  const auto span = ReadDuration(argument->value);
  if (!span) WrongType(key, *argument, "a span of time such as 50, \"50s\" or \"5m\"");
  return span;
}

std::optional<std::chrono::milliseconds> Arguments::Duration(const std::string& key,
                                                             std::chrono::milliseconds least,
                                                             std::chrono::milliseconds most) {
  const auto span = Duration(key);
  if (!span || (*span >= least && *span <= most)) return span;
  Say(PlaceOf(key), "\"" + key + "\" of " + owner_ + " takes " + DurationText(least) + " to " +
                        DurationText(most) + ", not " + DurationText(*span));
  return std::nullopt;
}

std::optional<std::string> Arguments::OneOf(const std::string& key,
                                            const std::vector<std::string>& words) {
  const Argument* argument = Find(key);
  const auto text = Text(key);
  if (!text) return std::nullopt;
  if (std::find(words.begin(), words.end(), *text) != words.end()) return text;
  Say(argument->place, "unknown " + key + " \"" + *text + "\" of " + owner_,
      DidYouMean(*text, words));
  return std::nullopt;
}

std::vector<const Argument*> Arguments::Several(const std::string& key) {
  std::vector<const Argument*> several;
  const Argument* argument = Find(key);
  if (argument == nullptr) return several;
  if (!argument->is_list()) return {argument};
  for (const auto& item : argument->items) several.push_back(&item);
  return several;
}

std::vector<std::string> Arguments::Texts(const std::string& key, bool commas) {
  std::vector<std::string> texts;
  for (const Argument* item : Several(key)) {
    const auto text = ReadText(*item);
    if (!text) {
      WrongType(key, *item, "a text or a list of texts");
    } else if (commas) {
      for (auto& part : SplitTags(*text)) texts.push_back(std::move(part));
    } else {
      texts.push_back(*text);
    }
  }
  return texts;
}

void Arguments::CheckKeys(const std::vector<std::string>& known, std::string_view foreign_owner) {
  for (const auto& [name, argument] : mapping_.entries) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string hint = HintForForeignWord(foreign_owner, name);
    Say(argument.key_place, "unknown key \"" + name + "\" of " + owner_,
        hint.empty() ? DidYouMean(name, known) : hint);
  }
}

}  // namespace drover
