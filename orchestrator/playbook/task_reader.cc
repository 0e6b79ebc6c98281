#include "orchestrator/playbook/task_reader.h"

#include <algorithm>

#include "orchestrator/playbook/foreign_words.h"
#include "orchestrator/playbook/keyword_reader.h"
#include "orchestrator/playbook/keywords.h"
#include "orchestrator/playbook/modules.h"
#include "orchestrator/playbook/words.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

constexpr int kMaxTimeout = 30 * 24 * 3600;

class TaskReader {
 public:
  TaskReader(const YamlNode& node, const Play& play, Diagnostics& diagnostics)
      : node_(node), play_(play), diagnostics_(diagnostics), read_(diagnostics) {}

  std::optional<PlaybookTask> Run() {
    const std::size_t before = diagnostics_.size();
    task_.place = node_.place;
    if (!node_.is_mapping()) {
      read_.Say(node_.place,
                "a task is a mapping with a module's name as key, not " + TypeName(ToValue(node_)));
      return std::nullopt;
    }
    for (const auto& [key, value] : node_.entries) Entry(key, value);
    if (module_ == nullptr && diagnostics_.size() == before) {
      read_.Say(node_.place, "the task names no module");
    }
    if (module_ != nullptr) {
      Arguments();
      Finish();
    }
    if (diagnostics_.size() != before) return std::nullopt;
    return std::move(task_);
  }

 private:
  void Entry(const YamlNode& key, const YamlNode& value) {
    const std::string word = KeyOf(key);
    const auto& known = TaskKeywords();
    if (std::find(known.begin(), known.end(), word) != known.end()) {
      Keyword(word, key, value);
    } else if (IsForeignKeyword(word)) {
      diagnostics_.push_back(ForeignKeyword(word, key.place));
    } else {
      Module(word, key, value);
    }
  }

  void Keyword(const std::string& word, const YamlNode& key, const YamlNode& value) {
    if (read_.Common(word, value, task_.keywords)) return;
    if (word == "name") {
      if (value.is_scalar()) {
        task_.name = value.scalar;
      } else if (!value.is_null()) {
        read_.Say(value.place, "keyword \"name\" takes a text, not " + TypeName(ToValue(value)));
      }
      CheckTemplates(value, diagnostics_);
    } else if (word == "when") {
      task_.when = value;
      CheckCondition(value, diagnostics_);
    } else if (word == "loop" || word == "with_items") {
      StartLoop(word, key, value);
    } else if (word == "loop_control") {
      loop_control_ = &value;
    } else if (word == "args") {
      more_arguments_ = &value;
    } else if (word == "changed_when") {
      changed_when_ = &value;
    } else if (word == "run_once") {
      task_.run_once = read_.Bool(word, value).value_or(false);
    } else if (word == "timeout") {
      const auto seconds = read_.Integer(word, value, 0, kMaxTimeout);
      task_.timeout = std::chrono::seconds(seconds.value_or(0));
    }
  }

  void StartLoop(const std::string& word, const YamlNode& key, const YamlNode& value) {
    if (task_.loop) {
      read_.Say(key.place, "the task has two loops", "keep either \"loop\" or \"with_items\"");
      return;
    }
    const bool templated = value.is_scalar() && HasTemplate(value.scalar);
    if (!value.is_sequence() && !templated) {
      read_.Say(value.place, "\"" + word + "\" takes a list, not " + TypeName(ToValue(value)));
      return;
    }
    CheckTemplates(value, diagnostics_);
    task_.loop = Loop{value, "item", "", std::nullopt};
  }

  void Module(const std::string& word, const YamlNode& key, const YamlNode& value) {
    const ModuleSpec* module = FindModule(word);
    if (module == nullptr) {
      // A near keyword is likelier meant than a module when the module is there already.
      const std::string near = Nearest(word, TaskKeywords());
      const Diagnostic unknown = UnknownModule(word, key.place);
      if (!near.empty() && unknown.hint.find("did you mean") == std::string::npos &&
          !IsAnsibleModule(word)) {
        read_.Say(key.place, "unknown keyword \"" + word + "\"", "did you mean \"" + near + "\"?");
      } else if (seen_module_ && !IsAnsibleModule(word)) {
        read_.Say(key.place, "unknown keyword \"" + word + "\" in a task", unknown.hint);
      } else {
        diagnostics_.push_back(unknown);
      }
      seen_module_ = true;
      return;
    }
    if (module_ != nullptr) {
      read_.Say(key.place,
                "the task names two modules: \"" + task_.module + "\" and \"" + module->name + "\"",
                "begin a new task with \"- \"");
      return;
    }
    seen_module_ = true;
    module_ = module;
    arguments_ = &value;
    task_.module = module->name;
    task_.module_place = key.place;
  }

  void Arguments() {
    task_.arguments.kind = YamlNode::Kind::kMapping;
    task_.arguments.place = arguments_->is_null() ? task_.module_place : arguments_->place;
    if (arguments_->is_mapping()) {
      task_.arguments = *arguments_;
    } else if (arguments_->is_scalar() && module_->free_form) {
      task_.free_form = *arguments_;
    } else if (arguments_->is_scalar() && arguments_->scalar.find('=') != std::string::npos) {
      auto pairs = ReadPairs(*arguments_);
      if (!pairs) {
        diagnostics_.push_back(pairs.error());
        return;
      }
      task_.arguments = std::move(*pairs);
    } else if (!arguments_->is_null()) {
      read_.Say(arguments_->place, "module \"" + module_->name + "\" takes a mapping, not " +
                                       TypeName(ToValue(*arguments_)));
      return;
    }
    MoreArguments();
    CheckKeys();
    CheckTemplates(*arguments_, diagnostics_);
  }

  void MoreArguments() {
    if (more_arguments_ == nullptr || more_arguments_->is_null()) return;
    if (!more_arguments_->is_mapping()) {
      read_.Say(more_arguments_->place,
                "\"args\" takes a mapping, not " + TypeName(ToValue(*more_arguments_)));
      return;
    }
    for (const auto& [key, value] : more_arguments_->entries) {
      if (task_.arguments.Find(KeyOf(key)) != nullptr) {
        read_.Say(key.place, "argument \"" + KeyOf(key) + "\" is given twice");
      }
      task_.arguments.entries.push_back({key, value});
    }
    CheckTemplates(*more_arguments_, diagnostics_);
  }

  void CheckKeys() {
    if (module_->any_key) return;
    const auto has = [](const std::vector<std::string>& list, const std::string& word) {
      return std::find(list.begin(), list.end(), word) != list.end();
    };
    for (const auto& [key, value] : task_.arguments.entries) {
      const std::string word = KeyOf(key);
      if (has(module_->keys, word)) continue;
      const std::string quoted = "key \"" + word + "\" of module \"" + module_->name + "\"";
      if (has(module_->foreign_keys, word)) {
        read_.Say(key.place,
                  quoted + " is Ansible's, this version of Drover does not carry it out");
      } else {
        const std::string hint = HintForForeignWord(module_->name, word);
        read_.Say(key.place, "unknown " + quoted,
                  hint.empty() ? DidYouMean(word, module_->keys) : hint);
      }
    }
  }

  void LoopControl() {
    if (loop_control_ == nullptr) return;
    if (!task_.loop || !loop_control_->is_mapping()) {
      read_.Say(loop_control_->place, task_.loop ? "\"loop_control\" takes a mapping"
                                                 : "\"loop_control\" stands without \"loop\"");
      return;
    }
    for (const auto& [key, value] : loop_control_->entries) {
      const std::string word = KeyOf(key);
      if (word == "label") {
        task_.loop->label = value;
        CheckTemplates(value, diagnostics_);
      } else if (word == "loop_var") {
        task_.loop->variable = read_.Text(word, value).value_or("item");
      } else if (word == "index_var") {
        task_.loop->index_variable = read_.Text(word, value).value_or("");
      } else {
        read_.Say(key.place, "unknown key \"" + word + "\" of \"loop_control\"",
                  DidYouMean(word, {"label", "loop_var", "index_var"}));
      }
    }
  }

  void Finish() {
    LoopControl();
    if (changed_when_ != nullptr) {
      const Value value = ToValue(*changed_when_);
      if (task_.module != "command" || !value.is_boolean()) {
        read_.Say(changed_when_->place,
                  "\"changed_when\" can be true or false, at module \"command\" only");
      } else {
        task_.reports_change = value.get<bool>();
      }
    }
    if (task_.run_once && module_->cluster) {
      read_.Say(task_.place,
                "\"run_once\" cannot stand at module \"" + task_.module +
                    "\": it would depend on --limit which host gets it",
                "use when: inventory_hostname == groups['…'][0]");
    }
    auto& own = task_.keywords;
    const auto& from = play_.keywords;
    own.become = own.become || from.become;
    if (!own.no_log) own.no_log = from.no_log;
    if (!own.ignore_errors) own.ignore_errors = from.ignore_errors;
    if (!own.check_mode) own.check_mode = from.check_mode;
    if (!own.diff) own.diff = from.diff;
    own.tags.insert(own.tags.end(), from.tags.begin(), from.tags.end());
  }

  const YamlNode& node_;
  const Play& play_;
  Diagnostics& diagnostics_;
  KeywordReader read_;
  PlaybookTask task_;
  const ModuleSpec* module_ = nullptr;
  bool seen_module_ = false;
  const YamlNode* arguments_ = nullptr;
  const YamlNode* more_arguments_ = nullptr;
  const YamlNode* loop_control_ = nullptr;
  const YamlNode* changed_when_ = nullptr;
};

}  // namespace

std::optional<PlaybookTask> ReadTask(const YamlNode& node, const Play& play,
                                     Diagnostics& diagnostics) {
  return TaskReader(node, play, diagnostics).Run();
}

}  // namespace drover
