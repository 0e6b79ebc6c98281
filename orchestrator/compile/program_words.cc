#include "orchestrator/compile/program_words.h"

#include "orchestrator/playbook/words.h"

namespace drover {
namespace {

std::optional<std::vector<std::string>> WordsOf(const Argument& argument, Arguments& arguments) {
  std::vector<std::string> argv;
  if (argument.is_list()) {
    for (const Argument& item : argument.items) {
      const auto text = ReadText(item);
      if (!text) {
        arguments.Say(item.place, "a word of a program is a text, not " + Describe(item.value));
        return std::nullopt;
      }
      argv.push_back(*text);
    }
    return argv;
  }
  const auto text = ReadText(argument);
  if (!text) {
    arguments.Say(argument.place,
                  "a program is a text or a list of words, not " + Describe(argument.value));
    return std::nullopt;
  }
  const auto words =
      SplitWords(TemplateText{*text, argument.place, TemplateText::Origin::kElsewhere, 0});
  if (!words) {
    arguments.Say(argument.place, words.error().message);
    return std::nullopt;
  }
  for (const auto& word : *words) argv.push_back(word.text);
  return argv;
}

}  // namespace

std::optional<std::vector<std::string>> ReadProgram(const Argument& argument,
                                                    Arguments& arguments) {
  auto argv = WordsOf(argument, arguments);
  if (!argv) return std::nullopt;
  if (!argv->empty() && argv->front().starts_with('/')) return argv;
  arguments.Say(
      argument.place,
      argv->empty() ? "names no program" : "\"" + argv->front() + "\" is no absolute path",
      "no shell is run and no path is searched: write /usr/local/bin/…");
  return std::nullopt;
}

}  // namespace drover
