// The network address of a host as clients and directors reach it: drover_address, else
// ansible_host, else the host's name, else what the resolver says. And the MAC of its card, which
// nothing but drover_mac tells.
//
// Resolving names is given from outside; otherwise pure.
#pragma once

#include <map>
#include <string>

#include "orchestrator/compile/compile.h"
#include "orchestrator/compile/scopes.h"
#include "protocol/address.h"
#include "protocol/mac_address.h"

namespace drover {

class HostAddresses {
 public:
  HostAddresses(Scopes& scopes, const Inventory& inventory, const CompileOptions& options)
      : scopes_(scopes), inventory_(inventory), options_(options) {}

  // Of a host of the inventory.
  Result<IpAddress> OfHost(const std::string& host);
  // Of any name: a host of the inventory, an address, a name that can be resolved.
  Result<IpAddress> OfName(const std::string& name);
  // What a host of the inventory has in drover_mac.
  Result<MacAddress> MacOf(const std::string& host);
  // The text of a variable of the host; empty when it has none of this name.
  Result<std::string> TextOf(const std::string& host, const std::string& variable);

 private:
  Result<IpAddress> WorkOut(const std::string& host);
  Result<IpAddress> Resolve(const std::string& name) const;

  Scopes& scopes_;
  const Inventory& inventory_;
  const CompileOptions& options_;
  std::map<std::string, Result<IpAddress>> known_;
};

}  // namespace drover
