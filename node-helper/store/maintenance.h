// The hosts under maintenance as a director remembers them (maintenance.json in the store's
// folder), so that neither a rollout nor a restart gives them connections again.
//
// One writer at a time: the holder of the session lock.
#pragma once

#include <string>
#include <vector>

#include "node-helper/store/store.h"
#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// Empty when there is no file.
Result<std::vector<Maintenance>> LoadMaintenance(const Store& store);
// On the disk when it returns.
Status SaveMaintenance(const Store& store, const std::vector<Maintenance>& list);

// The one that keeps new connections from the address; null: none.
const Maintenance* DrainOf(const std::vector<Maintenance>& list, const IpAddress& address);
// The one about this node itself; null: none.
const Maintenance* HoldOf(const std::vector<Maintenance>& list);

}  // namespace drover
