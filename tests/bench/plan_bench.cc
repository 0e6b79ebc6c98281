// How planning grows with the number of services, at 16 real servers each. It should grow a little
// faster than linearly.

#include <benchmark/benchmark.h>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

IpAddress Numbered(std::uint8_t network, std::int64_t number) {
  return IpAddress::V4({10, network, static_cast<std::uint8_t>(number / 256),
                        static_cast<std::uint8_t>(number % 256)});
}

DesiredState ManyServices(std::int64_t services) {
  DesiredState state;
  for (std::int64_t i = 0; i < services; ++i) {
    VirtualService service{.key = SocketKey{Transport::kTcp, Numbered(1, i), 80},
                           .scheduler = "rr"};
    for (std::int64_t server = 0; server < 16; ++server) {
      service.destinations.push_back({.address = Numbered(2, server), .port = 80});
    }
    state.services.push_back(service);
  }
  return state;
}

void PlanWithoutDifference(benchmark::State& run) {
  const DesiredState state = ManyServices(run.range(0));
  for (auto _ : run) benchmark::DoNotOptimize(Plan(state, state));
  run.SetComplexityN(run.range(0));
}
BENCHMARK(PlanWithoutDifference)->RangeMultiplier(4)->Range(4, 1024)->Complexity();

void PlanFromNothing(benchmark::State& run) {
  const DesiredState state = ManyServices(run.range(0));
  for (auto _ : run) benchmark::DoNotOptimize(Plan(state, DesiredState{}));
  run.SetComplexityN(run.range(0));
}
BENCHMARK(PlanFromNothing)->RangeMultiplier(4)->Range(4, 1024)->Complexity();

}  // namespace
}  // namespace drover
