// What only the real kernel can show: that other programs see what we set and we see what they set,
// that announcements reach the wire, and the kernel's own words.

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/dry_run_kernel.h"
#include "node-helper/net/connection_table.h"
#include "node-helper/net/gratuitous_arp.h"
#include "node-helper/net/ipvs_stats.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"
#include "tests/shell.h"

namespace drover {
namespace {

// Standard output of a shell command, as lines.
std::vector<std::string> Lines(const std::string& command) {
  std::vector<std::string> lines;
  std::istringstream stream(Output(command));
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::set<std::string> LineSet(const std::string& command) {
  const std::vector<std::string> lines = Lines(command);
  return {lines.begin(), lines.end()};
}

// Frames with one EtherType that arrive at an interface.
class Listener {
 public:
  Listener(const std::string& interface, std::uint16_t ethertype)
      : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype))) {
    sockaddr_ll from{};
    from.sll_family = AF_PACKET;
    from.sll_protocol = htons(ethertype);
    from.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)), 0);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // How often exactly `frame` came within a short time.
  int Count(const std::vector<std::uint8_t>& frame) const {
    int count = 0;
    pollfd waiting{fd_, POLLIN, 0};
    while (poll(&waiting, 1, 300) > 0) {
      std::array<std::uint8_t, 2048> buffer{};
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
      if (got < 0) break;
      const std::vector<std::uint8_t> seen(buffer.begin(), buffer.begin() + got);
      count += seen == frame ? 1 : 0;
    }
    return count;
  }

 private:
  int fd_;
};

MacAddress MacOf(const std::string& interface) {
  // Not from /sys: it belongs to the namespace in which it was mounted.
  const std::string line = Lines("ip -o link show dev " + interface).at(0);
  const std::string text = line.substr(line.find("link/ether ") + 11, 17);
  MacAddress mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(std::stoi(text.substr(i * 3, 2), nullptr, 16));
  }
  return mac;
}

class KernelOnly : public testing::Test {
 protected:
  std::unique_ptr<ContractNode> node_ = MakeContractNode();
  Kernel& kernel_ = node_->kernel();
};

TEST_F(KernelOnly, LookingLoadsNoModule) {
  const bool loaded = std::filesystem::exists("/sys/module/ip_vs");
  EXPECT_TRUE(MustObserve(kernel_, {"net/ipv4/vs/conntrack"}).services.empty());
  EXPECT_EQ(std::filesystem::exists("/sys/module/ip_vs"), loaded);
}

// What connection_sync asks of a director that has never had ip_vs: settings that appear with the
// module, a service, both daemons.
TEST_F(KernelOnly, SyncSettingsServicesAndDaemonsAreSetWhereIpvsIsNotLoaded) {
  if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
  // Namespaces of earlier tests vanish a little later and hold schedulers until then.
  Lines(
      "for i in $(seq 100); do modprobe -qr $(ls /sys/module | grep ^ip_vs_) ip_vs 2>/dev/null; "
      "[ -e /sys/module/ip_vs ] || break; sleep 0.2; done");
  if (std::filesystem::exists("/sys/module/ip_vs")) {
    GTEST_SKIP() << "ip_vs is in use by others and cannot be unloaded";
  }
  DesiredState desired;
  desired.sysctls = {{"net/ipv4/vs/sync_threshold", "3 0"},
                     {"net/ipv4/vs/sync_refresh_period", "10"},
                     {"net/ipv4/vs/sync_retries", "3"}};
  VirtualService service;
  service.key = Tcp("10.9.0.100:80");
  service.scheduler = "rr";
  desired.services = {service};
  desired.sync_daemons = {Sync(SyncRole::kBackup, 12), Sync(SyncRole::kMaster, 11)};
  DryRunKernel dry(kernel_);
  const ConvergeReport rehearsed = Converge(dry, desired);
  ASSERT_TRUE(rehearsed.ok()) << rehearsed.error->message;
  EXPECT_FALSE(std::filesystem::exists("/sys/module/ip_vs"));
  const ConvergeReport report = Converge(kernel_, desired);
  ASSERT_TRUE(report.ok()) << report.error->message;
  EXPECT_EQ(report.done.size(), 6U);
  EXPECT_EQ(rehearsed.done.size(), report.done.size());
  EXPECT_TRUE(Converge(kernel_, desired).done.empty());
}

TEST_F(KernelOnly, IpvsadmShowsTheSyncDaemonsThatWereStarted) {
  if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
  SyncDaemon master = Sync(SyncRole::kMaster, 11);
  SyncDaemon backup = Sync(SyncRole::kBackup, 12);
  backup.group = Ip("239.1.2.3");
  backup.port = 9000;
  backup.ttl = 3;
  backup.max_length = 1300;
  MustApply(kernel_, StartSyncDaemon{master});
  MustApply(kernel_, StartSyncDaemon{backup});
  EXPECT_EQ(LineSet("ipvsadm -ln --daemon"),
            (std::set<std::string>{
                "master sync daemon (mcast=eth0, syncid=11, maxlen=1472, group=224.0.0.81, "
                "port=8848, ttl=1)",
                "backup sync daemon (mcast=eth0, syncid=12, maxlen=1300, group=239.1.2.3, "
                "port=9000, ttl=3)",
            }));
  Lines("ipvsadm --stop-daemon backup");
  EXPECT_EQ(MustObserve(kernel_).sync_daemons.size(), 1U);
}

TEST_F(KernelOnly, CountersAndConnectionsShowWhatWentThrough) {
  if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
  VirtualService service;
  service.key = SocketKey{Transport::kUdp, Ip("10.9.0.100"), 5353};
  service.scheduler = "rr";
  MustApply(kernel_, AddAddress{At("lo", "10.9.0.100/32")});
  MustApply(kernel_, AddAddress{At("eth0", "10.9.3.1/24")});
  MustApply(kernel_, AddService{service});
  const Destination real = Real("10.9.3.9", 5353);
  MustApply(kernel_, AddDestination{service.key, real});
  Lines(
      "ip neigh add 10.9.3.9 lladdr 02:00:00:00:00:09 dev eth0 && ip netns add drover-client && "
      "ip link set peer0 netns drover-client && ip -n drover-client link set peer0 up && "
      "ip -n drover-client address add 10.9.3.2/24 dev peer0 && "
      "ip -n drover-client route add 10.9.0.100 via 10.9.3.1");
  Lines(
      "ip netns exec drover-client bash -c 'exec 3>/dev/udp/10.9.0.100/5353; "
      "for i in 1 2 3; do printf abc >&3; done; sleep 3'; ip netns del drover-client");
  const auto counters = ReadIpvsCounters();  // 3 s later: the kernel sums up every 2 s
  ASSERT_TRUE(counters) << counters.error().message;
  const TrafficCounters traffic{1, 3, 0, 3 * (20 + 8 + 3), 0};
  ASSERT_EQ(counters->size(), 1U);
  EXPECT_EQ(counters->at(0).service, ServiceKey(service.key));
  EXPECT_EQ(counters->at(0).traffic, traffic) << counters->at(0).traffic.packets_in;
  EXPECT_EQ(counters->at(0).destinations,
            (std::vector<DestinationCounters>{{real.endpoint(), traffic, 0, 1, 0}}));
  std::vector<Connection> connections;
  auto reader = ConnectionReader::Open();
  ASSERT_TRUE(reader) << reader.error().message;
  const auto end = reader->ReadSome(std::chrono::seconds(5), [&](const Connection& connection) {
    connections.push_back(connection);
  });
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(reader->odd(), 0U);
  ASSERT_EQ(connections.size(), 1U);
  EXPECT_EQ(connections[0].kind, ConnectionClass::kDatagram);
  EXPECT_EQ(connections[0].virtual_address, Endpoint::Parse("10.9.0.100:5353").value());
  EXPECT_EQ(connections[0].real_server, real.endpoint());
}

TEST_F(KernelOnly, HasIpvsUnlessTheTestsOfServicesAreLeftOut) {
  VirtualService service;
  service.key = Tcp("10.9.0.100:80");
  service.scheduler = "rr";
  const Status rehearsed = kernel_.Rehearse({AddService{service}, ""});
  const Status added = kernel_.Apply({AddService{service}, ""});
  if (TestsServices()) {
    EXPECT_TRUE(rehearsed) << rehearsed.error().message;
    EXPECT_TRUE(added) << added.error().message;
    return;
  }
  EXPECT_EQ(static_cast<bool>(rehearsed), static_cast<bool>(added));
  if (added) return;
  EXPECT_EQ(added.error().code, ErrorCode::kInvalid);
  EXPECT_NE(added.error().message.find("service tcp 10.9.0.100:80: this kernel has no ip_vs"),
            std::string::npos)
      << added.error().message;
}

TEST_F(KernelOnly, IpvsadmPrintsTheRulesThatWereAdded) {
  if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
  VirtualService web;
  web.key = Tcp("10.9.0.100:80");
  web.scheduler = "wrr";
  web.persistence = Persistence{std::chrono::seconds(50), 24, ""};
  web.destinations = {Real("10.9.2.1"), Real("10.9.2.2", 8080, Forwarding::kNat),
                      Real("10.9.2.3", 80, Forwarding::kTun)};
  web.destinations[1].weight = 3;
  VirtualService dns;
  dns.key = SocketKey{Transport::kUdp, Ip("2001:db8:9::100"), 53};
  dns.scheduler = "sh";
  dns.scheduler_flags = {"sh-fallback", "sh-port"};
  dns.one_packet = true;
  dns.destinations = {Real("2001:db8:9:2::1", 53)};
  VirtualService marked;
  marked.key = FwmarkKey{7, Family::kIpv6};
  marked.scheduler = "mh";
  marked.scheduler_flags = {"mh-port"};
  marked.persistence = Persistence{std::chrono::seconds(300), 64, ""};
  for (const VirtualService& service : {web, dns, marked}) {
    MustApply(kernel_, AddService{service});
    for (const Destination& destination : service.destinations) {
      MustApply(kernel_, AddDestination{service.key, destination});
    }
  }
  EXPECT_EQ(LineSet("ipvsadm -Sn"),
            (std::set<std::string>{
                "-A -t 10.9.0.100:80 -s wrr -p 50 -M 255.255.255.0",
                "-a -t 10.9.0.100:80 -r 10.9.2.1:80 -g -w 1",
                "-a -t 10.9.0.100:80 -r 10.9.2.2:8080 -m -w 3",
                "-a -t 10.9.0.100:80 -r 10.9.2.3:80 -i -w 1 --tun-type ipip",
                "-A -u [2001:db8:9::100]:53 -s sh -o -b sh-fallback,sh-port",
                "-a -u [2001:db8:9::100]:53 -r [2001:db8:9:2::1]:53 -g -w 1",
                "-A -f 7 -6 -s mh -p 300 -M 64 -b mh-port",
            }));
}

TEST_F(KernelOnly, RulesOfIpvsadmAreObserved) {
  if (!TestsServices()) GTEST_SKIP() << "DROVER_CONTRACT_WITHOUT_IPVS=1";
  MustApply(kernel_, SetSysctl{{"net/ipv4/vs/conntrack", "1"}, ""});  // loads ip_vs
  Lines("ipvsadm -A -t 10.9.0.100:443 -s lc");
  Lines("ipvsadm -a -t 10.9.0.100:443 -r 10.9.2.1 -m -w 5");
  Lines("ipvsadm -A -f 9 -s wlc -p 600 -M 255.255.0.0");
  Lines("ipvsadm -a -f 9 -r 10.9.2.1:0 -g -x 30 -y 20");
  const DesiredState observed = MustObserve(kernel_, {"net/ipv4/vs/conntrack"});
  EXPECT_EQ(observed.sysctls, (std::vector<Sysctl>{{"net/ipv4/vs/conntrack", "1"}}));
  VirtualService https;
  https.key = Tcp("10.9.0.100:443");
  https.scheduler = "lc";
  https.destinations = {Real("10.9.2.1", 443, Forwarding::kNat)};
  https.destinations[0].weight = 5;
  VirtualService marked;
  marked.key = FwmarkKey{9, Family::kIpv4};
  marked.persistence = Persistence{std::chrono::seconds(600), 16, ""};
  marked.destinations = {Real("10.9.2.1", 0)};
  marked.destinations[0].upper_threshold = 30;
  marked.destinations[0].lower_threshold = 20;
  EXPECT_EQ(observed.services, (std::vector<VirtualService>{https, marked}));
}

TEST_F(KernelOnly, IpShowsTheAddressesAsIfItHadAddedThem) {
  for (const char* prefix : {"10.9.0.100/32", "2001:db8:9::100/128", "127.0.0.9/8"}) {
    MustApply(kernel_, AddAddress{At("lo", prefix)});
  }
  MustApply(kernel_, AddAddress{At("eth0", "10.9.1.1/24")});
  const std::string list = "ip -o address show | sed -E 's/^[0-9]+: //; s/ +/ /g; s/\\\\.*//'";
  const std::vector<std::string> ours = Lines(list);
  for (const char* prefix : {"10.9.0.100/32", "127.0.0.9/8"}) {
    Lines(std::string("ip address del dev lo ") + prefix);
    Lines(std::string("ip address add dev lo ") + prefix);
  }
  Lines("ip address del dev lo 2001:db8:9::100/128");
  Lines("ip address add dev lo 2001:db8:9::100/128 nodad");
  Lines("ip address del dev eth0 10.9.1.1/24; ip address add dev eth0 10.9.1.1/24");
  EXPECT_EQ(ours, Lines(list));
}

TEST_F(KernelOnly, AnnouncementsReachTheNeighbours) {
  InterfaceAddress v4 = At("eth0", "10.9.0.100/32");
  v4.announce = true;
  InterfaceAddress v6 = At("eth0", "2001:db8:9::100/128");
  v6.announce = true;
  const Listener arp("peer0", ETHERTYPE_ARP);
  const Listener ipv6("peer0", ETHERTYPE_IPV6);
  MustApply(kernel_, AddAddress{v4});
  MustApply(kernel_, AddAddress{v6});
  const MacAddress mac = MacOf("eth0");
  EXPECT_EQ(arp.Count(GratuitousArpFrame(mac, v4.prefix.address)), 3);
  EXPECT_EQ(ipv6.Count(NeighborAdvertisementFrame(mac, v6.prefix.address, /*router=*/false)), 3);
}

TEST_F(KernelOnly, AddressWithoutTheWishIsNotAnnounced) {
  const InterfaceAddress address = At("eth0", "10.9.0.100/32");
  const Listener arp("peer0", ETHERTYPE_ARP);
  MustApply(kernel_, AddAddress{address});
  EXPECT_EQ(arp.Count(GratuitousArpFrame(MacOf("eth0"), address.prefix.address)), 0);
}

TEST_F(KernelOnly, RemovingAPrimaryAddressLeavesPromotionAsItWas) {
  const std::string key = "net/ipv4/conf/eth0/promote_secondaries";
  for (const char* value : {"0", "1"}) {
    MustApply(kernel_, SetSysctl{{key, value}, ""});
    MustApply(kernel_, AddAddress{At("eth0", "10.9.0.1/24")});
    MustApply(kernel_, AddAddress{At("eth0", "10.9.0.2/24")});
    MustApply(kernel_, RemoveAddress{At("eth0", "10.9.0.1/24")});
    EXPECT_TRUE(Holds(MustObserve(kernel_), At("eth0", "10.9.0.2/24")));
    EXPECT_EQ(MustObserve(kernel_, {key}).sysctls.at(0).value, value);
    MustApply(kernel_, RemoveAddress{At("eth0", "10.9.0.2/24")});
  }
}

TEST_F(KernelOnly, RefusedSysctlValueCarriesTheKernelsReason) {
  const Status set = kernel_.Apply({SetSysctl{{"net/ipv4/conf/all/arp_ignore", "many"}, ""}, ""});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(set.error().message,
            "sysctl net.ipv4.conf.all.arp_ignore: the kernel refuses the value \"many\": Invalid "
            "argument");
}

TEST_F(KernelOnly, SettingThatHasNoStateIsRefusedWhenObserved) {
  const Result<DesiredState> observed = kernel_.Observe({"net/ipv4/route/flush"});
  ASSERT_FALSE(observed);
  EXPECT_EQ(observed.error().message,
            "sysctl net.ipv4.route.flush: can only be written, so it has no state to compare");
  const Result<DesiredState> group = kernel_.Observe({"net/ipv4/conf"});
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().message, "sysctl net.ipv4.conf: is a group of settings, not a setting");
}

}  // namespace
}  // namespace drover
