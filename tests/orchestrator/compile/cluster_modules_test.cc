#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

InterfaceAddress Address(const std::string& interface, const std::string& prefix, bool announce) {
  return InterfaceAddress{interface, *Prefix::Parse(prefix), announce};
}

TEST(VipModule, SetsAddressesAndAnnouncesThem) {
  EXPECT_EQ(StateOf("vip: {address: '{{ vip }}', interface: eth0}").addresses,
            std::vector{Address("eth0", "10.0.0.100/32", true)});
  EXPECT_EQ(StateOf("vip: {address: 10.0.0.1/24, interface: eth0, announce: no}").addresses,
            std::vector{Address("eth0", "10.0.0.1/24", false)});
  EXPECT_EQ(StateOf("vip: {addresses: [10.0.0.1, '2001:db8::1'], interface: eth0}").addresses,
            (std::vector{Address("eth0", "10.0.0.1/32", true),
                         Address("eth0", "2001:db8::1/128", true)}));
  EXPECT_EQ(StateOf("vip: {address: 10.0.0.1, prefix: 24, interface: eth0}").addresses,
            std::vector{Address("eth0", "10.0.0.1/24", true)});
}

TEST(RealServerModule, HidesTheVipFromArp) {
  const auto state = StateOf("real_server: {vip: 10.0.0.100}");
  EXPECT_EQ(state.addresses, std::vector{Address("lo", "10.0.0.100/32", false)});
  EXPECT_EQ(state.sysctls, (std::vector<Sysctl>{{"net/ipv4/conf/all/arp_ignore", "1"},
                                                {"net/ipv4/conf/all/arp_announce", "2"},
                                                {"net/ipv4/conf/lo/arp_ignore", "1"},
                                                {"net/ipv4/conf/lo/arp_announce", "2"}}));
}

TEST(RealServerModule, NeedsNoSettingsForIpv6) {
  const auto state = StateOf("real_server: {vip: '2001:db8::100'}");
  EXPECT_EQ(state.addresses, std::vector{Address("lo", "2001:db8::100/128", false)});
  EXPECT_TRUE(state.sysctls.empty());
}

TEST(RealServerModule, HidesTheVipByAFilterInsteadOfSettings) {
  const auto state = StateOf("real_server: {vip: 10.0.0.100, arp: filter, sender: 10.0.0.7}");
  EXPECT_EQ(state.path, (std::vector<PathPart>{ArpFilter{*IpAddress::Parse("10.0.0.100"),
                                                         *IpAddress::Parse("10.0.0.7")}}));
  EXPECT_TRUE(state.sysctls.empty());
}

TEST(RealServerModule, TakesPacketsFromATunnel) {
  const auto state = StateOf("real_server: {vip: 10.0.0.100, tunnel: gre, sender: 10.0.0.7}");
  EXPECT_EQ(
      state.path,
      (std::vector<PathPart>{Tunnel{"lvs-gre", TunnelKind::kGre, *IpAddress::Parse("10.0.0.7")}}));
  EXPECT_EQ(state.addresses, std::vector{Address("lvs-gre", "10.0.0.100/32", false)});
  EXPECT_EQ(state.sysctls.back(), (Sysctl{"net/ipv4/conf/lvs-gre/rp_filter", "2"}));
}

TEST(RealServerModule, TakesGueAtAPortAndUnwrapsTheIpipInside) {
  const auto device = Tunnel{"lvs-ipip", TunnelKind::kIpip, *IpAddress::Parse("10.0.0.7")};
  const auto usual = StateOf("real_server: {vip: 10.0.0.100, tunnel: gue, sender: 10.0.0.7}");
  EXPECT_EQ(usual.path, (std::vector<PathPart>{device, GueReceiver{6080}}));
  EXPECT_EQ(usual.addresses, std::vector{Address("lvs-ipip", "10.0.0.100/32", false)});
  EXPECT_EQ(usual.sysctls.back(), (Sysctl{"net/ipv4/conf/lvs-ipip/rp_filter", "2"}));
  const auto other =
      StateOf("real_server: {vip: 10.0.0.100, tunnel: gue, tunnel_port: 6666, sender: 10.0.0.7}");
  EXPECT_EQ(other.path, (std::vector<PathPart>{device, GueReceiver{6666}}));
}

TEST(RealServerModule, RefusesWhatATunnelCannotDo) {
  EXPECT_EQ(CompileErrors(OneTask("real_server: {vip: 10.0.0.100, tunnel: gre, tunnel_port: 1}")),
            "site.yml:3:64: \"tunnel_port\" needs \"tunnel: gue\" [ipip and gre do not travel over "
            "UDP]");
  EXPECT_EQ(CompileErrors(OneTask("real_server: {vip: '2001:db8::1', tunnel: gue}")),
            "site.yml:3:26: only IPv4 comes out of a device of kind ipip [tunnel: gre]");
}

TEST(VirtualServiceModule, WrapsInGueToAPort) {
  const std::string start =
      "virtual_service: {address: '10.0.0.100:80', real_servers: [10.0.0.11], forward: tun, ";
  const auto wrapping = [&start](const std::string& rest) {
    return StateOf(start + rest + "}").services.at(0).destinations.at(0).tunnel;
  };
  EXPECT_EQ(wrapping("tunnel: gue"), (Wrapping{TunnelKind::kGue, 6080}));
  EXPECT_EQ(wrapping("tunnel: gue, tunnel_port: 6666, tunnel_checksum: remcsum"),
            (Wrapping{TunnelKind::kGue, 6666, TunnelChecksum::kRemote}));
  EXPECT_EQ(wrapping("tunnel: gre"), Wrapping{TunnelKind::kGre});
  EXPECT_EQ(wrapping("weight: 1"), Wrapping{});
}

TEST(VirtualServiceModule, SettingsOfGueNeedGue) {
  const std::string start = "virtual_service: {address: '10.0.0.100:80', forward: tun, ";
  EXPECT_EQ(CompileErrors(OneTask(start + "tunnel_port: 6080}")),
            "site.yml:3:78: \"tunnel_port\" needs \"tunnel: gue\" [ipip and gre do not travel over "
            "UDP]");
  EXPECT_EQ(CompileErrors(OneTask(start + "tunnel: gre, tunnel_checksum: csum}")),
            "site.yml:3:95: \"tunnel_checksum\" needs \"tunnel: gue\" [ipip and gre do not travel "
            "over UDP]");
  EXPECT_EQ(CompileErrors(OneTask(start + "tunnel: gue, tunnel_port: 0}")),
            "site.yml:3:91: \"tunnel_port\" of module \"virtual_service\" takes a number from 1 to "
            "65535, not 0");
}

TEST(RouteModule, TakesNetworksAndTheDefault) {
  EXPECT_EQ(
      StateOf("route: {to: default, via: 10.0.0.1}").path,
      (std::vector<PathPart>{Route{*Prefix::Parse("0.0.0.0/0"), *IpAddress::Parse("10.0.0.1")}}));
  EXPECT_EQ(
      StateOf("route: {to: 10.9.0.0/16, via: 10.0.0.1}").path,
      (std::vector<PathPart>{Route{*Prefix::Parse("10.9.0.0/16"), *IpAddress::Parse("10.0.0.1")}}));
}

TEST(VirtualServiceModule, MarksThePacketsOfAFwmark) {
  const auto state = StateOf(
      "virtual_service: {fwmark: 7, real_servers: [10.0.0.11], "
      "marks: ['10.0.0.100:80', 'udp 10.0.0.100:443']}");
  const IpAddress vip = *IpAddress::Parse("10.0.0.100");
  EXPECT_EQ(state.path, (std::vector<PathPart>{PacketMark{{Transport::kTcp, vip, 80}, 7},
                                               PacketMark{{Transport::kUdp, vip, 443}, 7}}));
}

TEST(VirtualServiceModule, MarksNoPacketsThatAnotherDirectorSends) {
  auto inventory = SmallCluster();
  inventory.FindHost("lb1")->vars["drover_mac"] = "02:00:00:00:00:01";
  inventory.FindHost("lb2")->vars["drover_mac"] = "02:00:00:00:00:02";
  const auto task = [](const std::string& from) {
    return OneTask(
        "virtual_service: {fwmark: 7, real_servers: [10.0.0.11], marks: '10.0.0.100:80', "
        "except_from: " +
        from + "}");
  };
  const auto run =
      CompileText(task("\"{{ groups['directors'] + ['02:00:00:00:00:09'] }}\""), {}, inventory);
  ASSERT_TRUE(run) << Format(run.error());
  const SocketKey web{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};
  EXPECT_EQ(run->states.at("lb1").path,
            (std::vector<PathPart>{PacketMark{web, 7, {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 9}}}}));
  EXPECT_EQ(CompileErrors(task("[rs1]"), {}, inventory),
            "site.yml:3:101: \"rs1\" cannot be excepted: rs1 has no drover_mac [set drover_mac of "
            "this host to the MAC that it forwards packets with]");
  EXPECT_EQ(CompileErrors(task("[lb3]"), {}, inventory),
            "site.yml:3:101: \"lb3\" is no host of the inventory and no MAC [did you mean "
            "\"lb1\"?]");
}

TEST(ArpModule, SetsWhatIsNamedOnEveryInterface) {
  EXPECT_EQ(StateOf("arp: {interfaces: [all, eth0.5], ignore: 1, filter: true}").sysctls,
            (std::vector<Sysctl>{{"net/ipv4/conf/all/arp_ignore", "1"},
                                 {"net/ipv4/conf/eth0.5/arp_ignore", "1"},
                                 {"net/ipv4/conf/all/arp_filter", "1"},
                                 {"net/ipv4/conf/eth0.5/arp_filter", "1"}}));
  EXPECT_EQ(CompileErrors(OneTask("arp: {ignore: 9}")),
            "site.yml:3:21: \"ignore\" of module \"arp\" takes a number from 0 to 8, not 9");
  EXPECT_EQ(CompileErrors(OneTask("arp: {interfaces: [../x], ignore: 1}")),
            "site.yml:3:25: \"../x\" is no interface name");
  EXPECT_EQ(CompileErrors(OneTask("arp: {}")),
            "site.yml:3:12: module \"arp\" names no setting [one of: ignore, announce, filter, "
            "notify, accept]");
}

TEST(SysctlModule, TakesNamesAndValuesOrAnsiblesForm) {
  const std::vector<Sysctl> forward = {{"net/ipv4/ip_forward", "1"}};
  EXPECT_EQ(StateOf("sysctl: {net.ipv4.ip_forward: 1}").sysctls, forward);
  EXPECT_EQ(StateOf("sysctl: {net/ipv4/ip_forward: yes}").sysctls, forward);
  EXPECT_EQ(StateOf("ansible.posix.sysctl: {name: net.ipv4.ip_forward, value: '1', state: present, "
                    "sysctl_set: yes, reload: yes}")
                .sysctls,
            forward);
  EXPECT_EQ(StateOf("sysctl: {net.ipv4.tcp_rmem: \"4096\\t131072  6291456\"}").sysctls,
            (std::vector<Sysctl>{{"net/ipv4/tcp_rmem", "4096 131072 6291456"}}));
  EXPECT_EQ(CompileErrors(OneTask("sysctl: {../x: 1}")),
            "site.yml:3:16: \"../x\" is no sysctl name");
  EXPECT_EQ(CompileErrors(OneTask("sysctl: {net.ipv4.ip_forward: [1]}")),
            "site.yml:3:37: setting \"net.ipv4.ip_forward\" takes a text or a number, not a list");
  EXPECT_EQ(CompileErrors(OneTask("sysctl: {name: net.ipv4.ip_forward, valu: 1}")),
            "site.yml:3:43: unknown key \"valu\" of module \"sysctl\" [did you mean \"value\"?]\n"
            "site.yml:3:15: module \"sysctl\" needs the key \"value\"");
}

VirtualService ServiceOf(const std::string& arguments) {
  const auto state = StateOf("virtual_service: {" + arguments + "}");
  EXPECT_EQ(state.services.size(), 1U);
  return state.services.empty() ? VirtualService{} : state.services[0];
}

Destination Server(const std::string& address, std::uint16_t port) {
  Destination destination;
  destination.address = Ip(address);
  destination.port = port;
  return destination;
}

TEST(VirtualServiceModule, HasTheDefaultsOfIpvsadm) {
  const auto service = ServiceOf("address: '{{ vip }}:80', real_servers: [rs1, 10.0.0.99]");
  EXPECT_EQ(ToString(service.key), "tcp 10.0.0.100:80");
  EXPECT_EQ(service.scheduler, "wlc");
  EXPECT_FALSE(service.persistence);
  EXPECT_EQ(service.destinations, (std::vector{Server("10.0.0.21", 80), Server("10.0.0.99", 80)}));
}

TEST(VirtualServiceModule, TakesRealServersInEveryShape) {
  const auto service = ServiceOf(
      "address: '10.0.0.100:80', forward: nat, weight: 5, real_servers: [rs1, '10.0.0.99:8080', "
      "'rs2:81', {host: rs3, port: 8080, weight: 0, upper_threshold: 9, lower_threshold: 3}, "
      "{address: '10.0.0.98', forward: tun}]");
  ASSERT_EQ(service.destinations.size(), 5U);
  EXPECT_EQ(service.destinations[0].endpoint().ToString(), "10.0.0.21:80");
  EXPECT_EQ(service.destinations[0].weight, 5U);
  EXPECT_EQ(service.destinations[1].endpoint().ToString(), "10.0.0.99:8080");
  EXPECT_EQ(service.destinations[2].endpoint().ToString(), "10.0.0.22:81");
  EXPECT_EQ(service.destinations[3].endpoint().ToString(), "10.0.0.23:8080");
  EXPECT_EQ(service.destinations[3].weight, 0U);
  EXPECT_EQ(service.destinations[3].upper_threshold, 9U);
  EXPECT_EQ(service.destinations[3].lower_threshold, 3U);
  EXPECT_EQ(service.destinations[4].forward, Forwarding::kTun);
}

TEST(VirtualServiceModule, TakesPersistenceInEveryShape) {
  EXPECT_FALSE(ServiceOf("address: '10.0.0.1:80', persistence: 0s").persistence);
  EXPECT_FALSE(ServiceOf("address: '10.0.0.1:80', persistence: 0").persistence);
  EXPECT_EQ(ServiceOf("address: '10.0.0.1:80', persistence: 50s").persistence->timeout,
            std::chrono::seconds(50));
  EXPECT_EQ(ServiceOf("address: '10.0.0.1:80', persistence: 5m, persistence_netmask: 24")
                .persistence->netmask_length,
            24);
  EXPECT_EQ(ServiceOf("address: '10.0.0.1:80', persistence: 50, persistence_netmask: 255.255.0.0")
                .persistence->netmask_length,
            16);
  EXPECT_EQ(ServiceOf("address: '[2001:db8::1]:80', persistence: 50").persistence->netmask_length,
            128);
  EXPECT_EQ(ToString(ServiceOf("address: '10.0.0.1:0', persistence: 50").key), "tcp 10.0.0.1:0");
  EXPECT_EQ(CompileErrors(OneTask("virtual_service: {address: '10.0.0.1:80', persistence: 5, "
                                  "persistence_netmask: 255.0.255.0}")),
            "site.yml:3:86: \"persistence_netmask\" takes a length from 1 to 32 or a netmask, not "
            "\"255.0.255.0\"");
}

TEST(VirtualServiceModule, KnowsProtocolsMarksAndFlags) {
  EXPECT_EQ(ToString(ServiceOf("address: '10.0.0.1:53', protocol: udp, one_packet: true").key),
            "udp 10.0.0.1:53");
  const auto mark = ServiceOf("fwmark: 7, real_servers: [rs1]");
  EXPECT_EQ(ToString(mark.key), "fwmark 7 ipv4");
  EXPECT_EQ(mark.destinations, std::vector{Server("10.0.0.21", 0)});
  EXPECT_EQ(ToString(ServiceOf("fwmark: 8, family: ipv6, real_servers: ['2001:db8::21']").key),
            "fwmark 8 ipv6");
  EXPECT_EQ(ServiceOf("address: '10.0.0.1:80', scheduler: sh, scheduler_flags: [sh-port, "
                      "sh-fallback]")
                .scheduler_flags,
            (std::vector<std::string>{"sh-fallback", "sh-port"}));
  EXPECT_EQ(CompileErrors(OneTask("virtual_service: {address: '10.0.0.1:80', one_packet: true}")),
            "site.yml:3:34: one-packet scheduling is for UDP only");
}

TEST(VirtualServiceModule, TakesWeightsFromTheInventoryUnlessTheListSaysOtherwise) {
  auto inventory = SmallCluster();
  inventory.FindHost("rs1")->vars["drover_weight"] = 5;
  inventory.FindHost("rs2")->vars["drover_weight"] = 6;
  const std::string task = OneTask(
      "virtual_service: {address: '10.0.0.1:80', weight: 2, "
      "real_servers: [rs1, {host: rs2, weight: 7}, rs3]}");
  const auto run = CompileText(task, {}, inventory);
  ASSERT_TRUE(run) << Format(run.error());
  std::vector<std::uint32_t> weights;
  for (const auto& server : run->states.at("lb1").services[0].destinations) {
    weights.push_back(server.weight);
  }
  EXPECT_EQ(weights, (std::vector<std::uint32_t>{5, 7, 2}));
  inventory.FindHost("rs1")->vars["drover_weight"] = "heavy";
  EXPECT_EQ(CompileErrors(task, {}, inventory),
            "site.yml:3:75: drover_weight of \"rs1\" takes a number from 0 to 65535, not "
            "\"heavy\"");
}

TEST(VirtualServiceModule, FindsTheAddressOfARealServer) {
  auto inventory = SmallCluster();
  inventory.FindHost("rs1")->vars["drover_address"] = "192.168.0.21";
  inventory.FindHost("rs2")->vars["ansible_host"] = "rs2.example";
  CompileOptions options;
  options.resolve = [](const std::string& name) -> Result<IpAddress> {
    if (name == "rs2.example") return Ip("192.168.0.22");
    return Fail(ErrorCode::kNotFound, "no such name");
  };
  const auto run =
      CompileText(OneTask("virtual_service: {address: '10.0.0.1:80', real_servers: [rs1, rs2]}"),
                  options, inventory);
  ASSERT_TRUE(run) << Format(run.error());
  const auto& servers = run->states.at("lb1").services[0].destinations;
  EXPECT_EQ(servers[0].address, Ip("192.168.0.21"));
  EXPECT_EQ(servers[1].address, Ip("192.168.0.22"));
}

}  // namespace
}  // namespace drover
