// Answers questions about inventories for oracle_test.py, which asks Ansible the same.
//
// One JSON object per line on stdin: {"sources": [...], "playbook_dir": "", "ask": [["list"],
// ["graph", GROUP], ["host", PATTERN], ["hosts", PATTERN]]}. One JSON object per line on stdout:
// {"error": TEXT} or {"answers": [{"text": ...} or {"error": ...}, ...]}. With {"literal": TEXT} or
// {"yaml": TEXT} it answers with the value that this stands for.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "orchestrator/inventory/literal.h"
#include "orchestrator/inventory/load.h"
#include "orchestrator/inventory/pattern.h"
#include "orchestrator/inventory/print.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

using Json = nlohmann::json;

Json Answer(const Inventory& inventory, const Json& question) {
  const std::string what = question.at(0);
  const std::string about = question.size() > 1 ? question.at(1).get<std::string>() : "";
  if (what == "list") return {{"text", PrintList(inventory)}};
  if (what == "names") {
    const auto names = SelectHosts(inventory, about, {});
    if (!names) return {{"error", Format(names.error())}};
    return {{"text", *names}};
  }
  Parsed<std::string> text = what == "graph"  ? PrintGraph(inventory, about)
                             : what == "host" ? PrintHost(inventory, about)
                                              : PrintHosts(inventory, about);
  if (!text) return {{"error", Format(text.error())}};
  return {{"text", *text}};
}

Json AnswerAll(const Json& request) {
  if (request.contains("literal")) {
    const LiteralReading reading = ReadLiteral(request.at("literal").get<std::string>());
    if (!reading.problem.empty()) return {{"error", reading.problem}};
    return {{"text", PrintJson(reading.value)}};
  }
  if (request.contains("yaml")) {
    const auto file = std::make_shared<SourceFile>(SourceFile{"f.yml", request.at("yaml")});
    const auto node = ParseYaml(file);
    if (!node) return {{"error", Format(node.error())}};
    return {{"text", PrintJson(ToValue(*node))}};
  }
  const auto loaded = LoadInventory(request.at("sources"), request.value("playbook_dir", ""));
  if (!loaded) return {{"error", Format(loaded.error())}};
  Json answers = Json::array();
  for (const Json& question : request.at("ask")) {
    answers.push_back(Answer(loaded->inventory, question));
  }
  return {{"answers", answers}};
}

}  // namespace
}  // namespace drover

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << drover::AnswerAll(nlohmann::json::parse(line)).dump() << std::endl;
  }
}
