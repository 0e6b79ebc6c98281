// What a module's parser gets and gives: one task, one host, arguments worked out.
//
// Values and references only; the parsers are pure but for the files that copy and template read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/arguments.h"
#include "orchestrator/compile/cluster_state.h"
#include "orchestrator/compile/compile.h"
#include "orchestrator/compile/host_address.h"
#include "orchestrator/compile/run_files.h"
#include "orchestrator/drill/request.h"
#include "orchestrator/playbook/playbook.h"
#include "orchestrator/template/variables.h"
#include "orchestrator/verify/expectation.h"
#include "protocol/program.h"

namespace drover {

// What all tasks of one compilation share.
struct RunContext {
  const Playbook& playbook;
  const Inventory& inventory;
  const CompileOptions& options;
  HostAddresses& addresses;
  ClusterState& cluster;
  RunFiles& files;
};

struct ModuleContext {
  RunContext& run;
  const PlaybookTask& task;
  const std::string& host;
  Variables& variables;
  std::optional<Argument> free_form;
};

// What a task asks of a host.
struct ModuleWork {
  TaskAction action;
  std::optional<VerifyExpectation> expectation;
  std::optional<Place> place = std::nullopt;  // of the resource, when it is not the module's word
  std::optional<DrillRequest> drill = std::nullopt;  // instead of an action
};

using ModuleParser = std::optional<ModuleWork> (*)(Arguments&, ModuleContext&);
// The parser of a module that playbook/modules.h knows.
ModuleParser ParserOf(const std::string& module);

std::optional<ModuleWork> ParseVip(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseRealServer(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseRoute(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseArp(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseSysctl(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseVirtualService(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseVrrpInstance(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseVrrpGroup(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseTracker(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseConnectionSync(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseMetrics(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseDrill(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseVerify(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseCommand(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseCopy(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseTemplateFile(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParsePackage(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseServiceUnit(Arguments& arguments, ModuleContext& context);
std::optional<ModuleWork> ParseWaitFor(Arguments& arguments, ModuleContext& context);

}  // namespace drover
