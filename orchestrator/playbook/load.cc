#include "orchestrator/playbook/load.h"

#include "orchestrator/playbook/task_reader.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Replaces the name of a file of variables by its content.
bool ReadVarsFile(YamlNode& node, Playbook& playbook, const SourceReader& read,
                  Diagnostics& diagnostics) {
  const std::string path =
      node.scalar.starts_with('/') ? node.scalar : playbook.directory + "/" + node.scalar;
  auto file = read(path);
  if (!file) {
    for (auto why : file.error()) {
      why.place = node.place;  // the file is named there
      diagnostics.push_back(std::move(why));
    }
    return false;
  }
  playbook.files.push_back(*file);
  auto content = ParseYaml(*file);
  if (!content) {
    diagnostics.insert(diagnostics.end(), content.error().begin(), content.error().end());
    return false;
  }
  if (!content->is_mapping() && !content->is_null()) {
    diagnostics.push_back(
        Diagnostic{content->place,
                   "a file of variables is a mapping, not " + TypeName(ToValue(*content)), ""});
    return false;
  }
  CheckTemplates(*content, diagnostics);
  node = std::move(*content);
  return true;
}

}  // namespace

Parsed<Playbook> ReadPlaybook(const SourceFilePtr& file, const SourceReader& read) {
  auto document = ParseYaml(file);
  if (!document) return Wrong(document.error());
  Playbook playbook;
  playbook.path = file->name;
  playbook.directory = DirectoryOf(file->name);
  playbook.files.push_back(file);
  if (!document->is_sequence()) {
    return Wrong(document->place,
                 "a playbook is a list of plays, not " + TypeName(ToValue(*document)),
                 document->is_mapping() ? "begin the play with \"- \"" : "");
  }
  Diagnostics diagnostics;
  for (const auto& item : document->items) {
    auto play = ReadPlay(item, diagnostics);
    if (!play) continue;
    for (auto& vars_file : play->vars_files) {
      ReadVarsFile(vars_file, playbook, read, diagnostics);
    }
    playbook.plays.push_back(std::move(*play));
  }
  if (!diagnostics.empty()) return Wrong(std::move(diagnostics));
  if (playbook.plays.empty()) return Wrong(Place{file, 0, 0}, "the playbook has no plays");
  return playbook;
}

Parsed<Playbook> LoadPlaybook(const std::string& path) {
  auto file = ReadSource(path);
  if (!file) return Wrong(file.error());
  return ReadPlaybook(*file, ReadSource);
}

}  // namespace drover
