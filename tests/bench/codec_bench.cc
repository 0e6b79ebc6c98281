// How the wire form grows with the number of services in a program.

#include <benchmark/benchmark.h>

#include "protocol/codec.h"

namespace drover {
namespace {

Program ProgramWith(std::int64_t services) {
  ConvergeTask task;
  for (std::int64_t i = 0; i < services; ++i) {
    const IpAddress vip = IpAddress::V4(
        {10, 1, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)});
    VirtualService service{.key = SocketKey{Transport::kTcp, vip, 80}, .scheduler = "rr"};
    for (std::uint8_t server = 1; server <= 16; ++server) {
      service.destinations.push_back({.address = IpAddress::V4({10, 2, 0, server}), .port = 80});
    }
    task.state.services.push_back(service);
  }
  return Program{.tasks = {Task{.action = task}}};
}

void EncodeAndDecodeProgram(benchmark::State& run) {
  const Program program = ProgramWith(run.range(0));
  for (auto _ : run) benchmark::DoNotOptimize(DecodeProgram(EncodeProgram(program)));
  run.SetComplexityN(run.range(0));
}
BENCHMARK(EncodeAndDecodeProgram)->RangeMultiplier(4)->Range(4, 1024)->Complexity();

}  // namespace
}  // namespace drover
