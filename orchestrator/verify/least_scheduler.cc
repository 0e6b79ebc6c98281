#include "orchestrator/verify/least_scheduler.h"

#include "orchestrator/verify/identity.h"

namespace drover {
namespace {

// An active connection counts as much as so many inactive ones (ip_vs_dest_conn_overhead).
constexpr std::uint64_t kActiveShare = 256;

}  // namespace

bool ChoosesByOpenConnections(const std::string& scheduler) {
  return scheduler == "lc" || scheduler == "wlc" || scheduler == "sed" || scheduler == "nq";
}

// The kernel's list begins with the server that was added last, and the first one wins ties.
std::optional<std::size_t> ChooseLeast(const ExpectedService& service,
                                       const std::vector<OpenConnections>& open) {
  const std::string& name = service.scheduler;
  const bool counts_all = name == "lc" || name == "wlc";
  std::optional<std::size_t> least;
  std::uint64_t least_load = 0;
  std::uint64_t least_weight = 1;
  for (std::size_t i = service.servers.size(); i-- > 0;) {
    const std::uint64_t weight = service.servers[i].destination.weight;
    if (weight == 0) continue;
    if (name == "nq" && open[i].active == 0) return i;
    const std::uint64_t load = counts_all ? open[i].active * kActiveShare + open[i].inactive
                                          : std::uint64_t{open[i].active} + 1;
    const std::uint64_t share = name == "lc" ? 1 : weight;
    if (!least || load * least_weight < least_load * share) {
      least = i;
      least_load = load;
      least_weight = share;
    }
  }
  return least;
}

std::vector<std::string> ReplayLeast(const ExpectedService& service,
                                     std::vector<OpenConnections> open, std::size_t count) {
  std::vector<std::string> sequence;
  for (std::size_t i = 0; i < count; ++i) {
    const auto server = ChooseLeast(service, open);
    if (server && !service.one_packet) ++open[*server].inactive;
    sequence.push_back(server ? service.servers[*server].name : std::string(kNoAnswer));
  }
  return sequence;
}

}  // namespace drover
