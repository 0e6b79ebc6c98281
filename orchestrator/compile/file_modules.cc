// copy and template: files with content that is known here.
#include <algorithm>

#include "orchestrator/compile/module_context.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

constexpr std::uint32_t kMaxMode = 07777;

// 0644 and "0644" are octal. A plain 644 would be a decimal number, which is never meant.
std::optional<std::uint32_t> ReadMode(Arguments& arguments) {
  const Argument* argument = arguments.Find("mode");
  if (argument == nullptr) return std::nullopt;
  const Value& value = argument->value;
  const auto wrong = [&](const std::string& message, const std::string& hint) {
    arguments.Say(argument->place, message, hint);
    return std::nullopt;
  };
  if (value.is_number_integer()) {
    const std::string& written = argument->written;
    if (!written.empty() && !written.starts_with('0')) {
      return wrong("mode " + written + " is a decimal number, not octal",
                   "write 0" + written + " or \"0" + written + "\"");
    }
    const auto number = value.get<std::int64_t>();
    if (number >= 0 && number <= kMaxMode) return static_cast<std::uint32_t>(number);
  } else if (value.is_string()) {
    auto text = value.get<std::string>();
    if (text.starts_with("0o")) text = text.substr(2);
    const bool octal = !text.empty() && text.size() <= 5 &&
                       text.find_first_not_of("01234567") == std::string::npos;
    if (octal && std::stoul(text, nullptr, 8) <= kMaxMode) {
      return static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
    }
  }
  return wrong("\"mode\" takes an octal number such as \"0644\", not " + Describe(value),
               value.is_string() ? "symbolic modes are not carried out by this version" : "");
}

std::string Basename(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Everything but the content.
FileTask ReadFileTask(Arguments& arguments, const std::string& src) {
  FileTask task;
  arguments.Require("dest");
  if (const auto dest = arguments.Text("dest")) {
    task.dest = *dest;
    if (!dest->starts_with('/')) {
      arguments.Say(arguments.PlaceOf("dest"),
                    "\"dest\" takes an absolute path, not \"" + *dest + "\"");
    } else if (dest->ends_with('/')) {
      if (src.empty()) {
        arguments.Say(arguments.PlaceOf("dest"),
                      "\"dest\" is a directory, and \"content\" has no file name");
      }
      task.dest += Basename(src);
    }
  }
  task.attributes.owner = arguments.Text("owner").value_or("");
  task.attributes.group = arguments.Text("group").value_or("");
  task.attributes.mode = ReadMode(arguments);
  task.backup = arguments.Bool("backup").value_or(false);
  if (const auto command = arguments.Text("validate")) {
    task.validate = *command;
    if (command->find("%s") == std::string::npos) {
      arguments.Say(arguments.PlaceOf("validate"),
                    "\"validate\" must hold %s, which stands for the new file");
    }
  }
  return task;
}

SourceFilePtr ReadSourceFile(Arguments& arguments, ModuleContext& context, const std::string& name,
                             const char* folder) {
  if (name.ends_with('/')) {
    arguments.Say(arguments.PlaceOf("src"), "directories cannot be copied yet");
    return nullptr;
  }
  auto file = context.run.files.Read(name, folder);
  if (file) return *file;
  arguments.Say(arguments.PlaceOf("src"), file.error().message);
  return nullptr;
}

// A mapping or list as content becomes JSON, as in Ansible.
std::string ContentText(const Argument& argument) {
  if (argument.value.is_structured()) {
    return argument.value.dump(-1, ' ', false, Value::error_handler_t::replace);
  }
  return ReadText(argument).value_or("");
}

}  // namespace

std::optional<ModuleWork> ParseCopy(Arguments& arguments, ModuleContext& context) {
  const bool has_content =
      std::any_of(arguments.mapping().entries.begin(), arguments.mapping().entries.end(),
                  [](const auto& entry) { return entry.first == "content"; });
  if (has_content == arguments.Has("src")) {
    arguments.Say(context.task.module_place,
                  has_content ? "module \"copy\" takes either \"src\" or \"content\""
                              : "module \"copy\" needs \"src\" or \"content\"");
    return std::nullopt;
  }
  const std::string src = arguments.Text("src").value_or("");
  FileTask task = ReadFileTask(arguments, src);
  if (has_content) {
    if (const Argument* content = arguments.Find("content")) task.content = ContentText(*content);
  } else if (const auto file = ReadSourceFile(arguments, context, src, "files")) {
    task.content = file->text;
  }
  return ModuleWork{std::move(task), std::nullopt};
}

std::optional<ModuleWork> ParseTemplateFile(Arguments& arguments, ModuleContext& context) {
  arguments.Require("src");
  const std::string src = arguments.Text("src").value_or("");
  // A template's name usually ends in .j2; the file's own name does not.
  const std::string plain = src.ends_with(".j2") ? src.substr(0, src.size() - 3) : src;
  FileTask task = ReadFileTask(arguments, plain);
  if (src.empty()) return std::nullopt;
  const auto file = ReadSourceFile(arguments, context, src, "templates");
  if (file == nullptr) return std::nullopt;
  auto text = RenderFile(file, context.variables);
  if (!text) {
    arguments.diagnostics().push_back(text.error());
    return std::nullopt;
  }
  task.content = std::move(*text);
  return ModuleWork{std::move(task), std::nullopt};
}

}  // namespace drover
