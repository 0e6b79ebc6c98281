#include "orchestrator/compile/compile.h"

#include <algorithm>
#include <set>

#include "orchestrator/compile/cluster_rules.h"
#include "orchestrator/compile/connection.h"
#include "orchestrator/compile/findings.h"
#include "orchestrator/compile/prune.h"
#include "orchestrator/compile/service_watch.h"
#include "orchestrator/compile/task_compiler.h"
#include "orchestrator/compile/virtual_routers.h"
#include "orchestrator/inventory/pattern.h"
#include "orchestrator/playbook/modules.h"
#include "orchestrator/playbook/tags.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

class Compiler {
 public:
  Compiler(const Playbook& playbook, const Inventory& inventory, const CompileOptions& options)
      : playbook_(playbook),
        inventory_(inventory),
        options_(options),
        scopes_(playbook, inventory, options),
        addresses_(scopes_, inventory, options),
        files_(playbook),
        context_{playbook, inventory, options, addresses_, cluster_, files_} {}

  Parsed<CompiledRun> Run() {
    for (const auto& play : playbook_.plays) SelectPlay(play);
    if (!diagnostics_.empty()) return Wrong(std::move(diagnostics_));
    const bool any = std::any_of(run_.plays.begin(), run_.plays.end(),
                                 [](const CompiledPlay& play) { return !play.hosts.empty(); });
    if (!any) {
      return Wrong(Place{}, "--limit \"" + options_.limit + "\" leaves no host of the playbook");
    }
    CompilePlays(/*verify=*/false);
    for (std::size_t i = 0; i < playbook_.plays.size(); ++i) Connect(i);
    ImplyAnswersFromVips(cluster_);
    cluster_.SettleImplied();
    if (diagnostics_.empty()) CheckCluster(cluster_, diagnostics_, run_.warnings);
    // What verify says of a playbook with errors would only repeat them.
    if (diagnostics_.empty()) CompilePlays(/*verify=*/true);
    if (!diagnostics_.empty()) return Wrong(std::move(diagnostics_));
    Finish();
    return std::move(run_);
  }

 private:
  // Hosts of a play before and after --limit, in the play's order.
  void SelectPlay(const Play& play) {
    CompiledPlay compiled;
    compiled.place = play.place;
    compiled.policy = play.policy;
    const auto pattern = PatternOf(play);
    auto hosts = pattern ? SelectHosts(inventory_, *pattern, play.hosts.place)
                         : Parsed<std::vector<std::string>>(std::vector<std::string>());
    if (!hosts) {
      diagnostics_.insert(diagnostics_.end(), hosts.error().begin(), hosts.error().end());
      hosts = std::vector<std::string>();
    }
    Order(play.order, *hosts);
    compiled.name = play.name.empty() ? pattern.value_or("") : NameOf(play);
    all_hosts_.push_back(*hosts);
    compiled.hosts = *hosts;
    if (!options_.limit.empty() && diagnostics_.empty()) {
      auto limited = ApplyLimit(inventory_, *hosts, options_.limit);
      if (!limited) {
        diagnostics_.insert(diagnostics_.end(), limited.error().begin(), limited.error().end());
      } else {
        compiled.hosts = std::move(*limited);
      }
    }
    run_.plays.push_back(std::move(compiled));
  }

  std::optional<std::string> PatternOf(const Play& play) {
    const auto variables = scopes_.WithoutHost(play);
    auto value = EvaluateNode(play.hosts, *variables);
    if (!value) {
      diagnostics_.push_back(value.error());
      return std::nullopt;
    }
    if (!value->is_array()) return PythonText(*value);
    std::string pattern;
    for (const auto& part : *value) pattern += (pattern.empty() ? "" : ",") + PythonText(part);
    return pattern;
  }

  std::string NameOf(const Play& play) {
    const auto variables = scopes_.WithoutHost(play);
    auto name = EvaluateText(
        TemplateText{play.name, play.place, TemplateText::Origin::kElsewhere, 0}, *variables);
    return name ? PythonText(*name) : play.name;
  }

  static void Order(Play::Order order, std::vector<std::string>& hosts) {
    const bool sorted = order == Play::Order::kSorted || order == Play::Order::kReverseSorted;
    if (sorted) std::sort(hosts.begin(), hosts.end());
    if (order == Play::Order::kReverseInventory || order == Play::Order::kReverseSorted) {
      std::reverse(hosts.begin(), hosts.end());
    }
  }

  // verify looks at what all other tasks ask for, so it comes in a second round.
  void CompilePlays(bool verify) {
    for (std::size_t i = 0; i < playbook_.plays.size(); ++i) {
      const Play& play = playbook_.plays[i];
      std::map<std::string, std::unique_ptr<Variables>> variables;
      const auto names = std::make_shared<const Value>(run_.plays[i].hosts);
      for (const auto& host : all_hosts_[i]) {
        variables[host] = scopes_.OfPlay(play, host, names);
      }
      for (std::size_t t = 0; t < play.tasks.size(); ++t) {
        if ((play.tasks[t].module == "verify") != verify) continue;
        CompileTask(i, t, variables);
      }
    }
  }

  void CompileTask(std::size_t play, std::size_t at,
                   std::map<std::string, std::unique_ptr<Variables>>& variables) {
    const PlaybookTask& task = playbook_.plays[play].tasks[at];
    const bool cluster = FindModule(task.module)->cluster;
    const bool selected = TagsSelect(task.keywords.tags, options_.tags, options_.skip_tags);
    if (!cluster && !selected) return;
    const auto& limited = run_.plays[play].hosts;
    CompiledTask compiled;
    compiled.module = task.module;
    compiled.place = task.place;
    compiled.secret = task.keywords.no_log.value_or(false);
    Findings findings;
    std::size_t looked_at = 0;
    // The state of hosts outside the limit is needed too: verify knows the whole cluster.
    for (const auto& host : cluster ? all_hosts_[play] : limited) {
      if (task.run_once && looked_at > 0) break;
      ++looked_at;
      Diagnostics diagnostics;
      auto rounds = CompileForHost(task, host, *variables[host], context_, diagnostics);
      findings.Add(host, diagnostics);
      const bool in = std::find(limited.begin(), limited.end(), host) != limited.end();
      if (!in || !selected) continue;
      if (compiled.name.empty()) compiled.name = TaskName(task, *variables[host]);
      compiled.hosts[host] = std::move(rounds);
    }
    findings.MoveInto(diagnostics_, looked_at);
    if (compiled.name.empty()) compiled.name = task.name.empty() ? task.module : task.name;
    if (selected) tasks_[{play, at}] = std::move(compiled);
  }

  static std::string TaskName(const PlaybookTask& task, Variables& variables) {
    if (task.name.empty()) return task.module;
    auto name = EvaluateText(
        TemplateText{task.name, task.place, TemplateText::Origin::kElsewhere, 0}, variables);
    return name ? PythonText(*name) : task.name;  // a name is no reason to fail
  }

  void Connect(std::size_t at) {
    const Play& play = playbook_.plays[at];
    const auto names = std::make_shared<const Value>(run_.plays[at].hosts);
    for (const auto& host : run_.plays[at].hosts) {
      const InventoryHost* known = inventory_.FindHost(host);
      const auto variables = scopes_.OfPlay(play, host, names);
      Diagnostics warnings;
      HostConnection connection =
          WorkOutConnection(host, known != nullptr, play, options_, *variables,
                            known != nullptr ? known->place : play.place, diagnostics_, warnings);
      const auto [first, added] = run_.connections.emplace(host, connection);
      if (added) {
        run_.warnings.insert(run_.warnings.end(), warnings.begin(), warnings.end());
        continue;
      }
      // One connection serves the host for the whole run.
      HostConnection& kept = first->second;
      const bool same = kept.kind == connection.kind && kept.address == connection.address &&
                        kept.port == connection.port && kept.user == connection.user;
      if (!same) {
        diagnostics_.push_back(
            Diagnostic{play.place,
                       "host \"" + host +
                           "\" would be reached in another way than in an earlier "
                           "play (user, address, port or connection)",
                       "give the host the same connection in all plays, best in the inventory"});
      }
      kept.become = kept.become || connection.become;
    }
  }

  // A host of the run whose task for the instance is carried out.
  bool Touches(const std::string& host, const std::string& instance) const {
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& task) {
      const auto rounds = task.second.hosts.find(host);
      if (rounds == task.second.hosts.end()) return false;
      return std::any_of(rounds->second.begin(), rounds->second.end(), [&](const HostTask& round) {
        const DesiredState* state = StateOf(round);
        return state != nullptr && FindInstance(*state, instance) != nullptr;
      });
    });
  }

  static const DesiredState* StateOf(const HostTask& round) {
    const auto* task = std::get_if<Task>(&round.action);
    const auto* converge = task == nullptr ? nullptr : std::get_if<ConvergeTask>(&task->action);
    return converge == nullptr ? nullptr : &converge->state;
  }

  void FillRouters() {
    run_.virtual_routers = FindVirtualRouters(cluster_.states());
    for (VirtualRouter& router : run_.virtual_routers) {
      for (const auto& [host, instance] : router.members) {
        if (!Touches(host, instance)) router.left_out.insert(host);
      }
    }
  }

  // The tasks whose resources need a setting carry it along.
  void AddImplied() {
    for (auto& [at, task] : tasks_) {
      for (auto& [host, rounds] : task.hosts) {
        const auto implied = cluster_.implied().find(host);
        if (implied == cluster_.implied().end()) continue;
        for (HostTask& round : rounds) AddImplied(implied->second, round);
      }
    }
  }

  static void AddImplied(const std::vector<ImpliedSysctl>& implied, HostTask& round) {
    auto* task = std::get_if<Task>(&round.action);
    auto* converge = task == nullptr ? nullptr : std::get_if<ConvergeTask>(&task->action);
    if (converge == nullptr) return;
    DesiredState& state = converge->state;
    std::set<std::string> names;
    for (const auto& instance : state.vrrp_instances) names.insert(drover::NameOf(instance));
    for (const auto& daemon : state.sync_daemons) names.insert(drover::NameOf(daemon));
    for (const auto& watch : state.watches) names.insert(drover::NameOf(watch));
    for (const ImpliedSysctl& one : implied) {
      if (names.contains(one.resource)) state.sysctls.push_back(one.sysctl);
    }
  }

  // The play that gives each host its VIPs as a real server, by host.
  std::map<std::string, std::size_t> PreparedIn() const {
    std::map<std::string, std::size_t> prepared;
    for (const auto& [at, task] : tasks_) {
      if (task.module != "real_server") continue;
      for (const auto& [host, rounds] : task.hosts) prepared.emplace(host, at.first);
    }
    return prepared;
  }

  // Plays are carried out as they are written, so connections would arrive at a server too early.
  void WarnOfLateRealServers() {
    const auto prepared = PreparedIn();
    std::set<std::pair<std::size_t, std::string>> said;
    for (const auto& [at, task] : tasks_) {
      for (const auto& [host, rounds] : task.hosts) {
        for (const HostTask& round : rounds) {
          const DesiredState* state = StateOf(round);
          if (state == nullptr) continue;
          for (const VirtualService& service : state->services) {
            for (const Destination& destination : service.destinations) {
              const std::string* server = HostAt(destination.endpoint().address);
              if (server == nullptr) continue;
              const auto play = prepared.find(*server);
              if (play == prepared.end() || play->second <= at.first) continue;
              if (!said.emplace(at.first, *server).second) continue;
              run_.warnings.push_back(Diagnostic{
                  task.place,
                  "directors send connections to " + *server + " before a later play prepares it",
                  "put the play of the real servers first"});
            }
          }
        }
      }
    }
  }

  const std::string* HostAt(const IpAddress& address) {
    for (const auto& [host, state] : cluster_.states()) {
      const auto own = addresses_.OfHost(host);
      if (own && *own == address) return &host;
    }
    return nullptr;
  }

  void Finish() {
    AddImplied();
    FillRouters();
    WarnOfLateRealServers();
    for (const auto& [host, state] : cluster_.states()) {
      if (const auto address = addresses_.OfHost(host)) run_.host_names.emplace(*address, host);
    }
    for (const auto& [host, services] : cluster_.services()) {
      for (const NamedService& named : services) {
        for (std::size_t i = 0; i < named.server_names.size(); ++i) {
          run_.real_servers[named.server_names[i]].insert(named.service.destinations[i].address);
        }
      }
    }
    for (auto& [at, task] : tasks_) run_.plays[at.first].tasks.push_back(std::move(task));
    run_.playbook = playbook_.path;
    run_.owner = OwnerOfPlaybook(playbook_.path);
    run_.playbook_hash = files_.Hash();
    run_.files = files_.All();
    run_.states = cluster_.states();
    for (const auto& [host, connection] : run_.connections) run_.states.try_emplace(host);
    AppendPruning(run_, playbook_, options_.check, options_.diff);
    std::uint32_t id = 0;
    for (auto& play : run_.plays) {
      for (auto& task : play.tasks) {
        for (auto& [host, rounds] : task.hosts) {
          for (auto& round : rounds) {
            auto* action = std::get_if<Task>(&round.action);
            if (action == nullptr) continue;
            action->id = ++id;
            action->name = task.name;
          }
        }
      }
    }
  }

  const Playbook& playbook_;
  const Inventory& inventory_;
  const CompileOptions& options_;
  Scopes scopes_;
  HostAddresses addresses_;
  ClusterState cluster_;
  RunFiles files_;
  RunContext context_;
  CompiledRun run_;
  std::vector<std::vector<std::string>> all_hosts_;  // of each play, before --limit
  std::map<std::pair<std::size_t, std::size_t>, CompiledTask> tasks_;  // by play and task
  Diagnostics diagnostics_;
};

}  // namespace

std::string OwnerOfPlaybook(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

Parsed<CompiledRun> Compile(const Playbook& playbook, const Inventory& inventory,
                            const CompileOptions& options) {
  return Compiler(playbook, inventory, options).Run();
}

}  // namespace drover
