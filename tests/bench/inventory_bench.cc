// How merging an inventory grows with its hosts: in ten groups, with variables at group and host.

#include <benchmark/benchmark.h>

#include "orchestrator/inventory/inventory.h"

namespace drover {
namespace {

void BuildAndMergeHosts(benchmark::State& run) {
  for (auto _ : run) {
    Inventory inventory;
    for (std::int64_t i = 0; i < run.range(0); ++i) {
      const std::string name = "host" + std::to_string(i);
      const std::string group = "group" + std::to_string(i % 10);
      inventory.AddHost(name, Place{}).vars["number"] = i;
      inventory.AddGroup(group, Place{}).vars["shared"] = group;
      inventory.AddHostToGroup(name, group);
    }
    inventory.Finish();
    for (const std::string& host : inventory.HostNames())
      benchmark::DoNotOptimize(inventory.VarsOf(host));
  }
  run.SetComplexityN(run.range(0));
}
BENCHMARK(BuildAndMergeHosts)
    ->RangeMultiplier(10)
    ->Range(100, 10000)
    ->Complexity()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace drover
