// A node with a kernel, for tests that hold the fake and the real one to the same rules. Each of
// the two test programs links one MakeContractNode.
#pragma once

#include <memory>

#include "node-helper/converge/kernel.h"

namespace drover {

// Fresh for every test: interfaces lo (up) and eth0 (up, no address), forwarding off, no service.
class ContractNode {
 public:
  virtual ~ContractNode() = default;
  virtual Kernel& kernel() = 0;
};

std::unique_ptr<ContractNode> MakeContractNode();

// False when the tests of services are left out on purpose (DROVER_CONTRACT_WITHOUT_IPVS=1 on a
// kernel that has none). Without that wish a missing ip_vs makes them fail.
bool TestsServices();

}  // namespace drover
