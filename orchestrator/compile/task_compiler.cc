#include "orchestrator/compile/task_compiler.h"

#include "orchestrator/playbook/modules.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

constexpr std::size_t kMaxRounds = 10000;

class HostTaskCompiler {
 public:
  HostTaskCompiler(const PlaybookTask& task, const std::string& host, RunContext& run,
                   Diagnostics& diagnostics)
      : task_(task), host_(host), run_(run), diagnostics_(diagnostics) {}

  std::vector<HostTask> Run(Variables& play_variables) {
    const auto& vars = task_.keywords.vars;
    if (vars.entries.empty() && !task_.loop) return Once(play_variables, "");
    Variables variables(&play_variables);
    for (const auto& [key, value] : vars.entries) {
      variables.Define(VariableRank::kTask, KeyOf(key), value);
    }
    return task_.loop ? Rounds(variables) : Once(variables, "");
  }

 private:
  std::vector<HostTask> Rounds(Variables& variables) {
    auto items = EvaluateNode(task_.loop->items, variables);
    if (!items) {
      diagnostics_.push_back(items.error());
      return {};
    }
    if (!items->is_array()) {
      Say(task_.loop->items.place, "a loop takes a list, not " + Describe(*items));
      return {};
    }
    if (items->size() > kMaxRounds) {
      Say(task_.loop->items.place,
          "the loop has more than " + std::to_string(kMaxRounds) + " items");
      return {};
    }
    std::vector<HostTask> rounds;
    if (items->empty()) rounds.push_back(Skipped("", "the loop has no items"));
    for (std::size_t i = 0; i < items->size(); ++i) {
      Variables round(&variables);
      round.DefineReady(VariableRank::kLoop, task_.loop->variable, Of((*items)[i]));
      if (!task_.loop->index_variable.empty()) {
        round.DefineReady(VariableRank::kLoop, task_.loop->index_variable, Of(i));
      }
      for (auto& done : Once(round, Label((*items)[i], round))) rounds.push_back(std::move(done));
    }
    return rounds;
  }

  std::string Label(const Value& item, Variables& variables) {
    if (task_.keywords.no_log.value_or(false)) return "(censored due to no_log)";
    if (!task_.loop->label) return PythonText(item);
    auto label = EvaluateNode(*task_.loop->label, variables);
    if (label) return PythonText(*label);
    diagnostics_.push_back(label.error());
    return "";
  }

  static HostTask Skipped(const std::string& item, std::string reason) {
    HostTask skipped;
    skipped.item = item;
    skipped.action = std::move(reason);
    return skipped;
  }

  std::vector<HostTask> Once(Variables& variables, const std::string& item) {
    if (task_.when) {
      auto first_false = FirstFalse(*task_.when, variables);
      if (!first_false) {
        diagnostics_.push_back(first_false.error());
        return {};
      }
      if (!first_false->empty()) return {Skipped(item, "when: " + *first_false)};
    }
    auto work = Work(variables);
    if (!work) return {};
    HostTask done;
    done.item = item;
    if (work->drill) {
      done.action = std::string("runs behind the last play, when all is confirmed");
      done.drill = std::move(work->drill);
      return {std::move(done)};
    }
    done.action = Finished(std::move(work->action));
    done.expectation = std::move(work->expectation);
    return {std::move(done)};
  }

  std::optional<ModuleWork> Work(Variables& variables) {
    const std::size_t before = diagnostics_.size();
    auto mapping = EvaluateArgument(task_.arguments, variables);
    if (!mapping) {
      diagnostics_.push_back(mapping.error());
      return std::nullopt;
    }
    ModuleContext context{run_, task_, host_, variables, std::nullopt};
    if (task_.free_form) {
      auto text = EvaluateArgument(*task_.free_form, variables);
      if (!text) {
        diagnostics_.push_back(text.error());
        return std::nullopt;
      }
      context.free_form = std::move(*text);
    }
    Arguments arguments(*mapping, "module \"" + task_.module + "\"", diagnostics_);
    const ModuleParser parser = ParserOf(task_.module);
    if (parser == nullptr) {
      Say(task_.module_place, "unknown module \"" + task_.module + "\"");
      return std::nullopt;
    }
    auto work = parser(arguments, context);
    if (work && diagnostics_.size() == before) Merge(*work, arguments);
    if (diagnostics_.size() != before) return std::nullopt;
    return work;
  }

  void Merge(const ModuleWork& work, const Arguments& arguments) {
    const auto* converge = std::get_if<ConvergeTask>(&work.action);
    if (converge == nullptr) return;
    Place place = work.place.value_or(task_.module_place);
    for (const char* key : {"address", "addresses", "fwmark", "vip", "vips"}) {
      if (!work.place && arguments.Has(key)) place = arguments.PlaceOf(key);
    }
    run_.cluster.Add(host_, converge->state, place, diagnostics_);
  }

  Task Finished(TaskAction action) const {
    Task task;
    task.name = task_.name.empty() ? task_.module : task_.name;
    task.action = std::move(action);
    task.check = task_.keywords.check_mode.value_or(run_.options.check);
    task.diff = task_.keywords.diff.value_or(run_.options.diff);
    task.secret = task_.keywords.no_log.value_or(false);
    task.ignore_errors = task_.keywords.ignore_errors.value_or(false);
    task.timeout = task_.timeout;
    return task;
  }

  void Say(const Place& place, std::string message) {
    diagnostics_.push_back(Diagnostic{place, std::move(message), ""});
  }

  const PlaybookTask& task_;
  const std::string& host_;
  RunContext& run_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::vector<HostTask> CompileForHost(const PlaybookTask& task, const std::string& host,
                                     Variables& play_variables, RunContext& run,
                                     Diagnostics& diagnostics) {
  return HostTaskCompiler(task, host, run, diagnostics).Run(play_variables);
}

}  // namespace drover
