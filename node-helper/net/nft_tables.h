// Filters of ARP and firewall marks in the kernel's nftables.
//
// One thread at a time. What the rules are is left to nft_rules.
#pragma once

#include <memory>
#include <vector>

#include "node-helper/net/netlink_socket.h"
#include "node-helper/net/nft_rules.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

class NftBatch;

class NftTables {
 public:
  // Opens nothing yet: most nodes have no part here.
  NftTables();
  ~NftTables();
  NftTables(NftTables&& other) noexcept;
  NftTables& operator=(NftTables&&) = delete;

  // The parts that are whole. A kernel without nftables has none; nothing is loaded by looking.
  Result<std::vector<PathPart>> List();
  // Sets all its rules at once, in the place of what there is under its name.
  Status Put(const PathPart& part);
  // Also what is left of it; with the last rule goes the table.
  Status Remove(const PathPart& part);

 private:
  Status Open();
  Result<std::vector<ListedRule>> ListRules();
  Status Send(NftBatch& batch, const PathPart& part);

  std::unique_ptr<NetlinkSocket> asking_;
  int changing_ = -1;
  bool loaded_ = false;  // nf_tables was seen; modules in use do not go
  std::uint32_t sequence_ = 1;
};

}  // namespace drover
