// The example of the design gives exactly these states.
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
    - vrrp_instance:
        name: web
        interface: eth0
        virtual_router_id: 51
        priority: "{{ vrrp_priority }}"
        advert_interval: 1s
        addresses: ["{{ vip }}"]
    - virtual_service:
        address: "{{ vip }}:80"
        scheduler: rr
        forward: dr
        persistence: 0s
        real_servers: "{{ groups['real_servers'] }}"
        check: {http: {path: /, status: 200}, interval: 2s, timeout: 1s, fall: 3, rise: 2}
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

Inventory ClusterWithPriorities() {
  Inventory inventory = SmallCluster();
  inventory.FindHost("lb1")->vars["vrrp_priority"] = 150;
  inventory.FindHost("lb2")->vars["vrrp_priority"] = 100;
  return inventory;
}

TEST(DesignExample, GivesExactlyTheseStates) {
  const auto run = CompileText(kExample, {}, ClusterWithPriorities());
  ASSERT_TRUE(run) << Format(run.error());

  DesiredState real_server;
  real_server.addresses = {{"lo", *Prefix::Parse("10.0.0.100/32"), false}};
  real_server.sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"},
                         {"net/ipv4/conf/all/arp_announce", "2"},
                         {"net/ipv4/conf/lo/arp_ignore", "1"},
                         {"net/ipv4/conf/lo/arp_announce", "2"}};
  DesiredState director;
  director.sysctls = {{"net/ipv4/conf/all/send_redirects", "0"},
                      {"net/ipv4/conf/default/send_redirects", "0"},
                      {"net/ipv4/conf/eth0/arp_ignore", "1"},
                      {"net/ipv4/conf/eth0/arp_announce", "2"},
                      {"net/ipv4/conf/eth0/promote_secondaries", "1"}};
  VrrpInstance instance;
  instance.name = "web";
  instance.interface = "eth0";
  instance.vrid = 51;
  instance.priority = 150;
  instance.addresses = {*Prefix::Parse("10.0.0.100/32")};
  director.vrrp_instances = {instance};
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80};
  service.scheduler = "rr";
  service.destinations = {Server("10.0.0.21"), Server("10.0.0.22"), Server("10.0.0.23")};
  director.services = {service};
  ServiceWatch watch;
  watch.service = service.key;
  CheckSettings check;
  check.kind = HttpCheck{.status = {StatusRange{200, 200}}};
  watch.checks = {check};
  director.watches = {watch};
  DesiredState backup = director;
  backup.vrrp_instances.front().priority = 100;

  EXPECT_EQ(run->states, (std::map<std::string, DesiredState>{{"control", {}},
                                                              {"lb1", director},
                                                              {"lb2", backup},
                                                              {"rs1", real_server},
                                                              {"rs2", real_server},
                                                              {"rs3", real_server}}));
}

TEST(DesignExample, ADrillIsKeptForTheEndOfTheRun) {
  const auto run =
      CompileText(std::string(kExample) + "    - drill: {fault: director-crash, max_outage: 4s}\n",
                  {}, ClusterWithPriorities());
  ASSERT_TRUE(run) << Format(run.error());
  const HostTask& task = run->plays.at(2).tasks.at(1).hosts.at("control").at(0);
  ASSERT_TRUE(task.drill);
  EXPECT_EQ(task.drill->fault, Fault::kDirectorCrash);
  EXPECT_EQ(task.drill->max_outage, std::chrono::seconds(4));
  EXPECT_EQ(task.drill->prober, "control");
  // Programs have nothing to do for it.
  EXPECT_TRUE(std::holds_alternative<std::string>(task.action));
}

TEST(DesignExample, BothDirectorsMayHaveTheVipAndProofExpectsOne) {
  const auto run = CompileText(kExample, {}, ClusterWithPriorities());
  ASSERT_TRUE(run) << Format(run.error());
  const auto& expectation = run->plays.at(2).tasks.at(0).hosts.at("control").at(0).expectation;
  ASSERT_TRUE(expectation);
  EXPECT_EQ(expectation->directors, (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(expectation->holders.at(Ip("10.0.0.100")), (std::vector<std::string>{"lb1", "lb2"}));
}

}  // namespace
}  // namespace drover
