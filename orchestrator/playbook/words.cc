#include "orchestrator/playbook/words.h"

#include <algorithm>
#include <cctype>

namespace drover {
namespace {

bool IsBlank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

}  // namespace

Evaluated<std::vector<Word>> SplitWords(const TemplateText& source) {
  const std::string& text = source.text;
  std::vector<Word> words;
  bool open = false;  // inside a word
  char quote = '\0';
  std::size_t quoted_at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && IsBlank(c)) {
      open = false;
      continue;
    }
    if (!open) words.push_back(Word{"", i});
    open = true;
    std::string& word = words.back().text;
    if (text.compare(i, 2, "{{") == 0) {
      const std::size_t end = text.find("}}", i);
      const std::size_t stop = end == std::string::npos ? text.size() : end + 2;
      word += text.substr(i, stop - i);
      i = stop - 1;
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
      quoted_at = i;
    } else if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() &&
               (quote == '\0' || text[i + 1] == '"' || text[i + 1] == '\\')) {
      word += text[++i];
    } else {
      word += c;
    }
  }
  if (quote != '\0') {
    return Offence(source.At(quoted_at), "quote is never closed");
  }
  return words;
}

Evaluated<YamlNode> ReadPairs(const YamlNode& text) {
  const TemplateText source = TemplateText::OfScalar(text);
  auto words = SplitWords(source);
  if (!words) return tl::unexpected(words.error());
  YamlNode mapping;
  mapping.kind = YamlNode::Kind::kMapping;
  mapping.place = text.place;
  for (const auto& word : *words) {
    const std::size_t equals = word.text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Offence(source.At(word.offset),
                     "\"" + word.text + "\" is no argument of the form key=value",
                     "write the arguments as a mapping below the module's name");
    }
    YamlNode key;
    key.kind = YamlNode::Kind::kScalar;
    key.place = source.At(word.offset);
    key.scalar = word.text.substr(0, equals);
    key.plain = false;
    YamlNode value = key;
    value.scalar = word.text.substr(equals + 1);
    value.place = source.At(std::min(word.offset + equals + 1, source.text.size()));
    if (mapping.Find(key.scalar) != nullptr) {
      return Offence(key.place, "argument \"" + key.scalar + "\" is given twice");
    }
    mapping.entries.push_back({std::move(key), std::move(value)});
  }
  return mapping;
}

}  // namespace drover
