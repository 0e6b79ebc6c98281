#include "tests/contract/contract_node.h"
#include "tests/fakes/fake_kernel.h"

namespace drover {
namespace {

class FakeNode : public ContractNode {
 public:
  FakeNode() {
    for (const char* key :
         {"net/ipv4/ip_forward", "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce",
          "net/ipv4/conf/eth0/arp_ignore", "net/ipv4/conf/lo/arp_ignore",
          "net/ipv4/conf/eth0/send_redirects", "net/ipv4/conf/all/accept_redirects"}) {
      kernel_.SetSysctlValue(key, "0");
    }
    kernel_.SetSysctlValue("net/ipv4/ip_local_port_range", "32768 60999");
    // The kernel is a host or a router: switching forwarding resets what belongs to it.
    kernel_.CoupleSysctl("net/ipv4/ip_forward", "net/ipv4/conf/all/accept_redirects", "0");
  }
  Kernel& kernel() override { return kernel_; }

 private:
  FakeKernel kernel_;
};

}  // namespace

std::unique_ptr<ContractNode> MakeContractNode() { return std::make_unique<FakeNode>(); }

bool TestsServices() { return true; }

}  // namespace drover
