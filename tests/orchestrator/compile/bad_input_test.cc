// Every kind of bad input gives one clear error with its place, before any host is touched.
#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

struct Row {
  const char* task;
  const char* want;
};

void Check(const std::vector<Row>& rows) {
  for (const auto& row : rows) EXPECT_EQ(CompileErrors(OneTask(row.task)), row.want) << row.task;
}

TEST(BadInput, YamlSyntax) {
  EXPECT_EQ(CompileErrors("- hosts: all\n  tasks: [a: {b\n").substr(0, 9), "site.yml:");
}

TEST(BadInput, UnknownModule) {
  Check({{"virtual_servce: {address: '10.0.0.1:80'}",
          "site.yml:3:7: unknown module \"virtual_servce\" [did you mean \"virtual_service\"?]"}});
}

TEST(BadInput, UnknownKey) {
  Check({{"virtual_service: {address: '10.0.0.1:80', schedular: rr}",
          "site.yml:3:49: unknown key \"schedular\" of module \"virtual_service\" [did you mean "
          "\"scheduler\"?]"},
         {"virtual_service: {address: '10.0.0.1:80', real_servers: [{host: rs1, wight: 1}]}",
          "site.yml:3:76: unknown key \"wight\" of a real server [did you mean \"weight\"?]"}});
}

TEST(BadInput, UndefinedVariable) {
  Check({{"vip: {address: \"{{ vpi }}\", interface: eth0}",
          "site.yml:3:26: undefined variable \"vpi\" [did you mean \"vip\"?]"},
         {"command: \"echo {{ ansible_default_ipv4.address }}\"",
          "site.yml:3:25: undefined variable \"ansible_default_ipv4\" [Drover gathers no facts; "
          "give the value in the inventory or in vars]"}});
}

TEST(BadInput, UndefinedVariableInABlockScalarIsPointedAtOnItsLine) {
  EXPECT_EQ(
      CompileErrors("- hosts: lb1\n  tasks:\n    - copy:\n        dest: /x\n        content: |\n"
                    "          one\n          two {{ nope }}\n"),
      "site.yml:7:18: undefined variable \"nope\"");
}

TEST(BadInput, WrongType) {
  Check({{"vip: {address: 10.0.0.100, interface: [eth0]}",
          "site.yml:3:45: \"interface\" of module \"vip\" takes a text, not a list"},
         {"virtual_service: {address: '10.0.0.1:80', weight: heavy}",
          "site.yml:3:57: \"weight\" of module \"virtual_service\" takes a number from 0 to 65535, "
          "not \"heavy\""},
         {"virtual_service: {address: '10.0.0.1:80', one_packet: 3}",
          "site.yml:3:61: \"one_packet\" of module \"virtual_service\" takes true or false, not 3"},
         {"virtual_service: {address: '10.0.0.1:80', persistence: long}",
          "site.yml:3:62: \"persistence\" of module \"virtual_service\" takes a span of time such "
          "as 50, \"50s\" or \"5m\", not \"long\""},
         {"verify: {connections: many}",
          "site.yml:3:7: \"verify\" has nothing to verify: the playbook gives no host a "
          "virtual_service over TCP or UDP, marks of one by fwmark, or a vrrp_instance"}});
}

TEST(BadInput, MissingKey) {
  Check(
      {{"vip: {address: 10.0.0.100}", "site.yml:3:12: module \"vip\" needs the key \"interface\""},
       {"real_server: {}", "site.yml:3:20: module \"real_server\" needs the key \"vip\""},
       {"virtual_service: {scheduler: rr}",
        "site.yml:3:24: module \"virtual_service\" needs the key \"address\" [write it as "
        "IP:PORT, or give \"fwmark\"]"}});
}

TEST(BadInput, VipThatIsNoAddress) {
  Check(
      {{"vip: {address: 10.0.0.300, interface: eth0}",
        "site.yml:3:22: \"10.0.0.300\" is no IP address"},
       {"real_server: {vip: example}", "site.yml:3:26: \"example\" is no IP address"},
       {"vip: {address: 0.0.0.0, interface: eth0}",
        "site.yml:3:22: 0.0.0.0 cannot be set on an interface"},
       {"virtual_service: {address: '10.0.0:80'}", "site.yml:3:34: \"10.0.0\" is no IP address"}});
}

TEST(BadInput, PortZeroOr70000) {
  Check(
      {{"virtual_service: {address: '10.0.0.1:0'}", "site.yml:3:34: \"0\" is no port (1 to 65535)"},
       {"virtual_service: {address: '10.0.0.1:70000'}",
        "site.yml:3:34: \"70000\" is no port (1 to 65535)"},
       {"virtual_service: {address: '10.0.0.1:80', real_servers: ['rs1:70000']}",
        "site.yml:3:64: \"70000\" is no port (1 to 65535)"},
       {"virtual_service: {address: '10.0.0.1:80', forward: nat, real_servers: [{host: rs1, "
        "port: 0}]}",
        "site.yml:3:96: \"port\" of a real server takes a number from 1 to 65535, not 0"},
       {"virtual_service: {address: '10.0.0.1'}",
        "site.yml:3:34: \"10.0.0.1\" has no port: write ADDRESS:PORT"}});
}

TEST(BadInput, DirectRoutingWithADifferingRealServerPort) {
  Check({{"virtual_service: {address: '10.0.0.1:80', real_servers: [{host: rs1, port: 8080}]}",
          "site.yml:3:82: real server 10.0.0.21:8080: forwarding method dr cannot change the port: "
          "it must be 80, as the service's (only nat translates ports)"},
         {"virtual_service: {address: '10.0.0.1:80', forward: tun, real_servers: ['rs1:81']}",
          "site.yml:3:78: real server 10.0.0.21:81: forwarding method tun cannot change the port: "
          "it must be 80, as the service's (only nat translates ports)"}});
}

TEST(BadInput, UnknownScheduler) {
  Check({{"virtual_service: {address: '10.0.0.1:80', scheduler: wrrr}",
          "site.yml:3:60: unknown scheduler \"wrrr\" [did you mean \"wrr\"?]"},
         {"virtual_service: {address: '10.0.0.1:80', scheduler: rr, scheduler_flags: [sh-port]}",
          "site.yml:3:81: scheduler rr has no flag \"sh-port\" (flag-1, flag-2, flag-3)"},
         {"virtual_service: {address: '10.0.0.1:80', forward: direct}",
          "site.yml:3:58: unknown forwarding method \"direct\" [one of: dr, nat, tun]"}});
}

TEST(BadInput, PatternWithoutAMatch) {
  const auto errors = CompileErrors("- hosts: directers\n  tasks: []\n");
  EXPECT_EQ(errors.substr(0, 13), "site.yml:1:10") << errors;
  EXPECT_NE(errors.find("directers"), std::string::npos) << errors;
  EXPECT_NE(errors.find("did you mean \"directors\"?"), std::string::npos) << errors;
}

TEST(BadInput, DuplicateService) {
  EXPECT_EQ(CompileErrors("- hosts: directors\n  tasks:\n"
                          "    - virtual_service: {address: '10.0.0.1:80'}\n"
                          "    - virtual_service: {address: '10.0.0.1:80', scheduler: rr}\n"),
            "site.yml:4:34: service tcp 10.0.0.1:80 is defined twice on one host [the first "
            "definition is at site.yml:3:34]");
}

TEST(BadInput, DuplicateRealServer) {
  Check({{"virtual_service: {address: '10.0.0.1:80', real_servers: [rs1, rs2, 10.0.0.21]}",
          "site.yml:3:74: real server 10.0.0.21:80 (rs1) is named twice [the first time is at "
          "site.yml:3:64]"}});
}

TEST(BadInput, ContradictingResourcesOfTwoTasksNameBothPlaces) {
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n"
                          "    - sysctl: {net.ipv4.ip_forward: 1}\n"
                          "    - sysctl: {net/ipv4/ip_forward: 0}\n"),
            "site.yml:4:7: sysctl net.ipv4.ip_forward is asked for twice on one host, with "
            "different settings [the first definition is at site.yml:3:7]");
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n"
                          "    - real_server: {vip: 10.0.0.1}\n"
                          "    - real_server: {vip: 10.0.0.2}\n"),
            "no error");
}

TEST(BadInput, RealServerThatNobodyKnows) {
  Check({{"virtual_service: {address: '10.0.0.1:80', real_servers: [rs9]}",
          "site.yml:3:64: real server \"rs9\" is no host of the inventory and no IP address [did "
          "you mean \"rs1\"?]"}});
}

TEST(BadInput, ADrillNeedsAFaultThatExists) {
  Check({{"drill: {max_outage: 4s}",
          "site.yml:3:14: module \"drill\" needs the key \"fault\" [\"drover drill list\" lists "
          "them]"},
         {"drill: {fault: director-crush}",
          "site.yml:3:22: \"director-crush\" is no fault [did you mean \"director-crash\"?]"},
         {"drill: {fault: vrrp-loss, loss: 2}",
          "site.yml:3:39: \"loss\" is a share of the adverts, above 0 and at most 1"},
         {"drill: {fault: handover, path: page}",
          "site.yml:3:38: the path \"page\" must start with / and have no blanks"},
         {"drill: {fault: handover, path: \"/a b\"}",
          "site.yml:3:38: the path \"/a b\" must start with / and have no blanks"}});
}

TEST(BadInput, TheSameErrorOfManyHostsIsSaidOnce) {
  EXPECT_EQ(CompileErrors(OneTask("command: \"echo {{ nope }}\"", "all")),
            "site.yml:3:25: undefined variable \"nope\"");
}

TEST(BadInput, AnErrorOfSomeHostsNamesThem) {
  auto inventory = SmallCluster();
  inventory.FindHost("rs1")->vars["own"] = 1;
  EXPECT_EQ(CompileErrors(OneTask("command: \"echo {{ own }}\"", "real_servers"), {}, inventory),
            "site.yml:3:25: undefined variable \"own\" (hosts: rs2, rs3)");
  inventory.FindHost("rs2")->vars["own"] = 1;
  EXPECT_EQ(CompileErrors(OneTask("command: \"echo {{ own }}\"", "real_servers"), {}, inventory),
            "site.yml:3:25: undefined variable \"own\" (host: rs3)");
}

TEST(BadInput, ErrorsOfAllTasksAreSaidAtOnce) {
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n    - vip: {address: x, interface: eth0}\n"
                          "    - command: '{{ nope }}'\n"),
            "site.yml:3:22: \"x\" is no IP address\nsite.yml:4:20: undefined variable \"nope\"");
}

TEST(BadInput, VerifyWithoutAnyService) {
  EXPECT_EQ(CompileErrors(OneTask("verify: {}", "control")),
            "site.yml:3:7: \"verify\" has nothing to verify: the playbook gives no host a "
            "virtual_service over TCP or UDP, marks of one by fwmark, or a vrrp_instance");
}

TEST(BadInput, RunOnceCannotStandAtClusterModules) {
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n    - vip: {address: 10.0.0.1, interface: lo}\n"
                          "      run_once: true\n"),
            "site.yml:3:7: \"run_once\" cannot stand at module \"vip\": it would depend on --limit "
            "which host gets it [use when: inventory_hostname == groups['…'][0]]");
}

}  // namespace
}  // namespace drover
