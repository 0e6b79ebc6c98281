// The schedulers of ip_vs that choose by what is open: lc, wlc, sed, nq. From the director's table
// before the probe it is told which real server each of the probe's connections gets, as long as
// nobody else's come in between.
//
// Pure. Follows net/netfilter/ipvs/ip_vs_{lc,wlc,sed,nq}.c as facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/verify/expectation.h"

namespace drover {

// What a real server had open, in the order of the service's list.
struct OpenConnections {
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
};

bool ChoosesByOpenConnections(const std::string& scheduler);

// Index of the real server that gets the next connection; nothing when none has a weight.
std::optional<std::size_t> ChooseLeast(const ExpectedService& service,
                                       const std::vector<OpenConnections>& open);

// The real servers of `count` connections that are opened and ended one after the other: each stays
// in the table as an inactive one, as does every connection over UDP (ip_vs_bind_dest), unless the
// service keeps none.
std::vector<std::string> ReplayLeast(const ExpectedService& service,
                                     std::vector<OpenConnections> open, std::size_t count);

}  // namespace drover
