#include "orchestrator/verify/hash_scheduler.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "orchestrator/verify/kernel_hash.h"

namespace drover {
namespace {

constexpr int kBucketBits = 8;  // CONFIG_IP_VS_SH_TAB_BITS, CONFIG_IP_VS_DH_TAB_BITS
constexpr std::uint64_t kFirstKey = 2654435761;
constexpr std::uint64_t kSecondKey = 2654446892;
constexpr int kMaglevWeightBits = 6;  // CONFIG_IP_VS_MH_TAB_INDEX / 2

bool HasFlag(const ExpectedService& service, const std::string& name, const std::string& other) {
  const auto& flags = service.scheduler_flags;
  return std::find(flags.begin(), flags.end(), name) != flags.end() ||
         std::find(flags.begin(), flags.end(), other) != flags.end();
}

std::uint32_t MaglevHash(const IpAddress& address, std::uint16_t port, std::uint64_t key,
                         std::uint32_t offset) {
  return SipHash13Of32(offset + port + FoldAddress(address), key);
}

// mh keeps the share of a server that was drained, so that the others' clients stay where they are.
std::uint32_t LastWeight(const ExpectedServer& server) {
  return server.destination.weight > 0 ? server.destination.weight : server.last_weight;
}

// How many places each server takes in one turn.
std::vector<std::uint32_t> MaglevTurns(const ExpectedService& service) {
  std::uint32_t divisor = 0;
  std::uint32_t most = 0;
  for (const ExpectedServer& server : service.servers) {
    divisor = std::gcd(divisor, LastWeight(server));
    most = std::max(most, LastWeight(server));
  }
  std::vector<std::uint32_t> turns(service.servers.size(), 0);
  if (divisor == 0) return turns;
  const int shift =
      std::max(0, static_cast<int>(std::bit_width(most / divisor)) - kMaglevWeightBits);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const std::uint32_t weight = LastWeight(service.servers[i]);
    turns[i] = weight == 0 ? 0 : std::max(1U, weight / divisor >> shift);
  }
  return turns;
}

}  // namespace

bool HashesPorts(const ExpectedService& service) {
  const std::string& name = service.scheduler;
  return (name == "sh" || name == "mh") && HasFlag(service, name + "-port", "flag-2");
}

std::optional<HashScheduler> HashScheduler::Of(const ExpectedService& service,
                                               std::uint32_t maglev_size) {
  HashScheduler scheduler;
  if (service.servers.empty()) return std::nullopt;
  if (service.scheduler == "sh") {
    scheduler.kind_ = Kind::kSource;
  } else if (service.scheduler == "mh") {
    scheduler.kind_ = Kind::kMaglev;
  } else if (service.scheduler == "dh") {
    scheduler.kind_ = Kind::kDestination;
  } else {
    return std::nullopt;
  }
  const std::string& name = service.scheduler;
  scheduler.falls_back_ = HasFlag(service, name + "-fallback", "flag-1");
  scheduler.by_port_ = HashesPorts(service);
  scheduler.vip_ = service.key.address;
  for (const ExpectedServer& server : service.servers) {
    scheduler.in_use_.push_back(server.destination.weight > 0);
  }
  if (scheduler.kind_ == Kind::kMaglev) {
    scheduler.FillMaglev(service, maglev_size);
  } else {
    scheduler.FillBuckets(service);
  }
  return scheduler;
}

// The kernel walks its list from the one added last to the first one; each fills as many buckets in
// a row as it has weight (dh: one), and one at least.
void HashScheduler::FillBuckets(const ExpectedService& service) {
  std::size_t server = service.servers.size() - 1;
  std::uint32_t filled = 0;
  for (std::size_t i = 0; i < std::size_t{1} << kBucketBits; ++i) {
    table_.push_back(server);
    const bool one = kind_ == Kind::kDestination;
    if (++filled >= (one ? 1 : service.servers[server].destination.weight)) {
      server = server == 0 ? service.servers.size() - 1 : server - 1;
      filled = 0;
    }
  }
}

// Maglev (Eisenbud et al., NSDI 2016, 3.4): every server has its own order of all places, and takes
// the next free one whenever it is its turn.
void HashScheduler::FillMaglev(const ExpectedService& service, std::uint32_t size) {
  const std::vector<std::uint32_t> turns = MaglevTurns(service);
  constexpr std::size_t kFree = static_cast<std::size_t>(-1);
  if (std::all_of(turns.begin(), turns.end(), [](std::uint32_t turn) { return turn == 0; })) return;
  std::vector<std::uint32_t> next;
  std::vector<std::uint32_t> skip;
  for (const ExpectedServer& server : service.servers) {
    const Destination& to = server.destination;
    next.push_back(MaglevHash(to.address, to.port, kFirstKey, 0) % size);
    skip.push_back(MaglevHash(to.address, to.port, kSecondKey, 0) % (size - 1) + 1);
  }
  table_.assign(size, kFree);
  std::uint32_t taken = 0;
  while (true) {
    for (std::size_t i = service.servers.size(); i-- > 0;) {
      for (std::uint32_t turn = 0; turn < turns[i]; ++turn) {
        while (table_[next[i]] != kFree) next[i] = (next[i] + skip[i]) % size;
        table_[next[i]] = i;
        if (++taken == size) return;
      }
    }
  }
}

std::size_t HashScheduler::PlaceOf(const IpAddress& client, std::uint16_t port,
                                   std::uint32_t offset) const {
  switch (kind_) {
    case Kind::kSource:
      return (offset + GoldenHash32(port + FoldAddress(client), kBucketBits)) % table_.size();
    case Kind::kMaglev:
      return MaglevHash(client, port, kFirstKey, offset) % table_.size();
    case Kind::kDestination:
      return GoldenHash32(FoldAddress(vip_), kBucketBits);
  }
  return 0;
}

std::optional<std::size_t> HashScheduler::Choose(const IpAddress& client,
                                                 std::uint16_t port) const {
  if (table_.empty()) return std::nullopt;
  const std::uint16_t hashed_port = by_port_ ? port : 0;
  const std::size_t first = PlaceOf(client, hashed_port, 0);
  if (in_use_[table_[first]]) return table_[first];
  if (!falls_back_ || kind_ == Kind::kDestination) return std::nullopt;
  for (std::size_t step = 0; step < table_.size(); ++step) {
    const auto offset = static_cast<std::uint32_t>((step + first) % table_.size());
    const std::size_t server = table_[PlaceOf(client, hashed_port, offset)];
    if (in_use_[server]) return server;
  }
  return std::nullopt;
}

}  // namespace drover
