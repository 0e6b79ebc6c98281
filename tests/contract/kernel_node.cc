// The real kernel, in a network namespace of its own for every test. Needs root and, unless
// DROVER_CONTRACT_WITHOUT_IPVS=1 is set, a kernel with ip_vs.

#include <sched.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "node-helper/net/linux_kernel.h"
#include "tests/contract/contract_node.h"

namespace drover {
namespace {

void RunOrThrow(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

class KernelNode : public ContractNode {
 public:
  KernelNode() {
    // The old namespace goes with its last process and socket: this thread and the last node's.
    if (unshare(CLONE_NEWNET) != 0) {
      throw std::runtime_error(std::string("a network namespace: ") + std::strerror(errno));
    }
    RunOrThrow("ip link set lo up");
    RunOrThrow("ip link add eth0 type veth peer name peer0");
    // No link-local address that appears by itself in the middle of a comparison.
    RunOrThrow("ip link set eth0 addrgenmode none");
    RunOrThrow("ip link set peer0 addrgenmode none");
    RunOrThrow("ip link set eth0 up && ip link set peer0 up");
    Result<std::unique_ptr<Kernel>> kernel = OpenLinuxKernel();
    if (!kernel) throw std::runtime_error(kernel.error().message);
    kernel_ = std::move(*kernel);
  }
  Kernel& kernel() override { return *kernel_; }

 private:
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace

std::unique_ptr<ContractNode> MakeContractNode() { return std::make_unique<KernelNode>(); }

bool TestsServices() {
  const char* without = std::getenv("DROVER_CONTRACT_WITHOUT_IPVS");
  return without == nullptr || std::string(without) != "1";
}

}  // namespace drover
