// command: a program with its arguments, without a shell.
#include <map>

#include "orchestrator/compile/module_context.h"
#include "orchestrator/playbook/words.h"

namespace drover {
namespace {

std::optional<std::vector<std::string>> WordsOf(const std::string& text, const Place& place,
                                                Arguments& arguments) {
  const auto words = SplitWords(TemplateText{text, place, TemplateText::Origin::kElsewhere, 0});
  if (!words) {
    arguments.Say(place, words.error().message);
    return std::nullopt;
  }
  std::vector<std::string> argv;
  for (const auto& word : *words) argv.push_back(word.text);
  return argv;
}

// "ls creates=/x chdir=/tmp": such words are arguments of the module, as in Ansible.
void TakeOptions(CommandTask& task, Arguments& arguments) {
  const std::map<std::string, std::string*> options = {{"chdir", &task.chdir},
                                                       {"creates", &task.creates},
                                                       {"removes", &task.removes},
                                                       {"stdin", &task.stdin_text}};
  std::vector<std::string> argv;
  for (auto& word : task.argv) {
    const std::size_t equals = word.find('=');
    const auto option = options.find(word.substr(0, equals));
    if (equals == std::string::npos || option == options.end()) {
      argv.push_back(std::move(word));
    } else if (arguments.Has(option->first)) {
      arguments.Say(arguments.PlaceOf(option->first),
                    "\"" + option->first + "\" of module \"command\" is given twice");
    } else {
      *option->second = word.substr(equals + 1);
    }
  }
  task.argv = std::move(argv);
}

void ReadArgv(CommandTask& task, Arguments& arguments, ModuleContext& context) {
  const int given = (context.free_form ? 1 : 0) + (arguments.Has("cmd") ? 1 : 0) +
                    (arguments.Has("argv") ? 1 : 0);
  if (given != 1) {
    arguments.Say(given == 0 ? context.task.module_place : arguments.place(),
                  given == 0 ? "module \"command\" names no command"
                             : "module \"command\" names more than one command",
                  "write the command behind \"command:\", or give \"cmd\" or \"argv\"");
    return;
  }
  if (arguments.Has("argv")) {
    task.argv = arguments.Texts("argv");
  } else {
    const Place place = context.free_form ? context.free_form->place : arguments.PlaceOf("cmd");
    const auto text = context.free_form ? ReadText(*context.free_form) : arguments.Text("cmd");
    if (context.free_form && !text) {
      arguments.Say(place,
                    "module \"command\" takes a text, not " + Describe(context.free_form->value));
    }
    if (!text) return;
    auto words = WordsOf(*text, place, arguments);
    if (!words) return;
    task.argv = std::move(*words);
    if (context.free_form) TakeOptions(task, arguments);
  }
  if (task.argv.empty() || task.argv[0].empty()) {
    arguments.Say(arguments.place(), "module \"command\" names no command");
  }
  for (const auto& word : task.argv) {
    if (word.find('\0') == std::string::npos) continue;
    arguments.Say(arguments.place(), "a command cannot hold a zero byte");
  }
}

}  // namespace

std::optional<ModuleWork> ParseCommand(Arguments& arguments, ModuleContext& context) {
  CommandTask task;
  task.reports_change = context.task.reports_change;
  ReadArgv(task, arguments, context);
  if (const auto text = arguments.Text("chdir")) task.chdir = *text;
  if (const auto text = arguments.Text("creates")) task.creates = *text;
  if (const auto text = arguments.Text("removes")) task.removes = *text;
  if (const auto text = arguments.Text("stdin")) {
    task.stdin_text = *text;
    // Ansible ends it with a newline unless told not to.
    if (arguments.Bool("stdin_add_newline").value_or(true)) task.stdin_text += "\n";
  }
  return ModuleWork{std::move(task), std::nullopt};
}

}  // namespace drover
