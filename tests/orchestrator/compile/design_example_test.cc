// The example of the design, without what this version does not carry out, gives exactly these
// states.
#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

constexpr const char* kExample = R"(
- name: Real servers
  hosts: real_servers
  tasks:
    - name: VIP on loopback, hidden from ARP
      real_server: {vip: "{{ vip }}"}            # /32 on lo, arp_ignore 1, arp_announce 2 on all and lo
- name: Directors
  hosts: directors
  tasks:
    - sysctl: {net.ipv4.conf.all.send_redirects: 0, net.ipv4.conf.default.send_redirects: 0}
    - virtual_service:
        address: "{{ vip }}:80"
        scheduler: rr
        forward: dr
        persistence: 0s
        real_servers: "{{ groups['real_servers'] }}"
- name: Proof
  hosts: probes
  tasks:
    - verify: {}
)";

Destination Server(const std::string& address) {
  Destination destination;
  destination.address = Ip(address);
  destination.port = 80;
  return destination;
}

TEST(DesignExample, GivesExactlyTheseStates) {
  const auto run = CompileText(kExample);
  ASSERT_TRUE(run) << Format(run.error());

  DesiredState real_server;
  real_server.addresses = {{"lo", *Prefix::Parse("10.0.0.100/32"), false}};
  real_server.sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"},
                         {"net/ipv4/conf/all/arp_announce", "2"},
                         {"net/ipv4/conf/lo/arp_ignore", "1"},
                         {"net/ipv4/conf/lo/arp_announce", "2"}};
  DesiredState director;
  director.sysctls = {{"net/ipv4/conf/all/send_redirects", "0"},
                      {"net/ipv4/conf/default/send_redirects", "0"}};
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80};
  service.scheduler = "rr";
  service.destinations = {Server("10.0.0.21"), Server("10.0.0.22"), Server("10.0.0.23")};
  director.services = {service};

  EXPECT_EQ(run->states, (std::map<std::string, DesiredState>{{"control", {}},
                                                              {"lb1", director},
                                                              {"lb2", director},
                                                              {"rs1", real_server},
                                                              {"rs2", real_server},
                                                              {"rs3", real_server}}));
}

TEST(DesignExample, WhatIsNotCarriedOutYetIsRefusedByName) {
  const std::string text = std::string(kExample) +
                           "    - drill: {fault: director-crash, max_outage: 4s}\n"
                           "    - vrrp_instance: {name: web}\n";
  EXPECT_EQ(CompileErrors(text),
            "site.yml:21:7: module \"drill\" is planned, not carried out by this version\n"
            "site.yml:22:7: module \"vrrp_instance\" is planned, not carried out by this version");
}

}  // namespace
}  // namespace drover
