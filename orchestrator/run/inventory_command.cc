// `drover inventory`: what ansible-inventory prints.

#include <CLI/CLI.hpp>
#include <iostream>

#include "orchestrator/inventory/load.h"
#include "orchestrator/inventory/print.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

struct InventoryLine {
  std::vector<std::string> inventories;
  bool list = false;
  bool graph = false;
  std::string group;
  std::string host;
  std::string list_hosts;
  std::string playbook_dir;
};

void AddOptions(CLI::App& app, InventoryLine& line) {
  app.add_option("-i,--inventory", line.inventories,
                 "inventory file, directory or \"host1,host2,\"")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("INVENTORY");
  app.add_option("--playbook-dir", line.playbook_dir, "use group_vars/ and host_vars/ there too")
      ->type_name("DIR");
  auto* what = app.add_option_group("what to print");
  what->add_flag("--list", line.list, "all groups, hosts and variables as JSON");
  what->add_flag("--graph", line.graph, "the groups as a tree; with a group: only below it");
  what->add_option("--host", line.host, "the variables of one host as JSON")->type_name("HOST");
  what->add_option("--list-hosts", line.list_hosts, "the hosts that a pattern selects")
      ->type_name("PATTERN");
  what->require_option(1);
  app.add_option("group", line.group, "the group for --graph")->type_name("GROUP");
}

Parsed<std::string> TextOf(const Inventory& inventory, const InventoryLine& line) {
  if (line.list) {
    return PrintList(inventory);
  }
  if (line.graph) {
    return PrintGraph(inventory, line.group);
  }
  return line.host.empty() ? PrintHosts(inventory, line.list_hosts)
                           : PrintHost(inventory, line.host);
}

}  // namespace

int InventoryCommand(const std::vector<std::string>& arguments) {
  InventoryLine line;
  CLI::App app{"Shows how inventories are understood.", "drover inventory"};
  AddOptions(app, line);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  if (line.inventories.empty()) {
    line.inventories = InventoriesOf(ProcessEnvironment);
  }
  if (line.inventories.empty()) {
    PrintProblem("no inventory", "name one with -i, or set DROVER_INVENTORY");
    return kExitError;
  }
  const auto loaded = LoadInventory(line.inventories, line.playbook_dir);
  if (!loaded) {
    return PrintDiagnostics(loaded.error());
  }
  PrintWarnings(loaded->warnings);
  const auto text = TextOf(loaded->inventory, line);
  if (!text) {
    return PrintDiagnostics(text.error());
  }
  PrintOut(*text);
  return kExitOk;
}

}  // namespace drover
