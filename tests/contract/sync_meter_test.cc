// Two meters in two network namespaces of the real kernel tell each other about tables that the
// test writes. Needs root, not ip_vs.

#include "node-helper/daemon/sync_meter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace drover {
namespace {

using std::chrono::seconds;

void MustRun(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

// Two namespaces, "here" and "there", whose eth0 are one cable. Interface numbers are equal, so
// that it does not matter in which of the two a meter looks them up.
class TwoNodes {
 public:
  TwoNodes() {
    EXPECT_EQ(unshare(CLONE_NEWNET), 0);
    there_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(unshare(CLONE_NEWNET), 0);
    here_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const std::string fd = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(there_);
    MustRun("ip link add eth0 index 50 type veth peer name eth0 index 50 netns " + fd);
    MustRun("ip link set lo up; ip link set eth0 up && ip address add 10.9.0.1/24 dev eth0");
    EnterThere();
    MustRun("ip link set lo up; ip link set eth0 up && ip address add 10.9.0.2/24 dev eth0");
    EnterHere();
  }
  ~TwoNodes() {
    close(here_);
    close(there_);
  }
  void EnterHere() const { EXPECT_EQ(setns(here_, CLONE_NEWNET), 0); }
  void EnterThere() const { EXPECT_EQ(setns(there_, CLONE_NEWNET), 0); }

 private:
  int here_ = -1;
  int there_ = -1;
};

std::vector<SyncDaemon> Daemons(std::uint8_t own, std::uint8_t other, const std::string& group) {
  SyncDaemon master;
  master.interface = "eth0";
  master.group = IpAddress::Parse(group).value();
  master.sync_id = own;
  SyncDaemon backup = master;
  backup.role = SyncRole::kBackup;
  backup.sync_id = other;
  return {master, backup};
}

std::string Table(const std::string& name, int from, int to) {
  const std::string path = testing::TempDir() + name;
  std::ofstream file(path, std::ios::trunc);
  file << "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
  for (int number = from; number < to; ++number) {
    std::array<char, 100> line{};
    std::snprintf(line.data(), line.size(),
                  "TCP 0A0901%02X %04X 0A090064 0050 0A090015 0050 ESTABLISHED     899\n",
                  number / 256, number % 256);
    file << line.data();
  }
  return path;
}

// Runs the loop until `done` or the time is over; whether it was done.
bool RunUntil(boost::asio::io_context& loop, seconds limit, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done() && std::chrono::steady_clock::now() < end) {
    loop.restart();
    loop.run_for(std::chrono::milliseconds(50));
  }
  return done();
}

class SyncMeterTest : public testing::TestWithParam<const char*> {};

TEST_P(SyncMeterTest, TellsTheShareOfThePeersTableThatIsHere) {
  const TwoNodes nodes;
  boost::asio::io_context loop;
  SyncMeter here(loop, Table("here", 0, 300));
  SyncMeter there(loop, Table("there", 0, 400));
  here.Configure(Daemons(11, 12, GetParam()));
  nodes.EnterThere();
  there.Configure(Daemons(12, 11, GetParam()));
  nodes.EnterHere();
  EXPECT_FALSE(there.Converged());
  ASSERT_TRUE(RunUntil(loop, seconds(15), [&] { return there.Converged(); }))
      << here.problem() << there.problem();
  const std::optional<SyncStatus> status = there.Status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->connections, 400U);
  ASSERT_EQ(status->peers.size(), 1U);
  EXPECT_EQ(status->peers[0].connections, 300U);
  EXPECT_EQ(status->peers[0].held, 1);
  ASSERT_TRUE(RunUntil(loop, seconds(5), [&] { return here.Converged(0.1); }));
  EXPECT_NEAR(here.Status()->peers.at(0).held, 0.75, 0.15);
  EXPECT_FALSE(here.Converged());
  Table("here", 0, 400);
  EXPECT_TRUE(RunUntil(loop, seconds(5), [&] { return here.Converged(); }));
  EXPECT_EQ(here.problem() + there.problem(), "");
}

INSTANTIATE_TEST_SUITE_P(Groups, SyncMeterTest, testing::Values("224.0.0.81", "ff02::81"));

TEST(SyncMeter, GarbageIsCountedAndAFloodDoesNotKeepTheLoopBusy) {
  const TwoNodes nodes;
  boost::asio::io_context loop;
  SyncMeter here(loop, Table("here", 0, 10));
  here.Configure(Daemons(11, 0, "224.0.0.81"));
  nodes.EnterThere();
  MustRun("ip route add 224.0.0.0/4 dev eth0");
  const int forger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  nodes.EnterHere();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(8848 + 64);
  inet_pton(AF_INET, "224.0.0.81", &to.sin_addr);
  RunUntil(loop, seconds(2), [] { return false; });
  const std::string noise(1400, 'D');
  for (std::size_t i = 0; i < 5000; ++i) {
    (void)sendto(forger, noise.data(), i % noise.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof(to));
  }
  RunUntil(loop, seconds(2), [] { return false; });
  EXPECT_GT(here.refused(), 0U);
  EXPECT_LE(here.refused(), 400U);
  EXPECT_FALSE(here.Converged(0));
  close(forger);
}

TEST(SyncMeter, RestsWithoutDaemonsAndSaysWhatIsMissing) {
  const TwoNodes nodes;
  boost::asio::io_context loop;
  SyncMeter meter(loop, Table("here", 0, 10));
  EXPECT_FALSE(meter.Status());
  std::vector<SyncDaemon> daemons = Daemons(11, 12, "224.0.0.81");
  for (SyncDaemon& daemon : daemons) daemon.interface = "eth9";
  meter.Configure(daemons);
  EXPECT_EQ(meter.problem(), "sync meter: there is no interface eth9");
  MustRun("ip link add eth9 type veth peer name peer9 && ip link set eth9 up");
  EXPECT_TRUE(RunUntil(loop, seconds(5), [&] { return meter.problem().empty(); }));
  meter.Configure({});
  EXPECT_FALSE(meter.Status());
  loop.restart();
  loop.poll();  // what was cancelled
  loop.restart();
  EXPECT_EQ(loop.run_for(seconds(2)), 0U);
}

TEST(SyncMeter, LongTableTakesLittleOfTheProcessor) {
  const TwoNodes nodes;
  boost::asio::io_context loop;
  SyncMeter meter(loop, Table("long", 0, 65536));
  meter.Configure(Daemons(11, 12, "224.0.0.81"));
  const std::clock_t before = std::clock();
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(RunUntil(loop, seconds(30), [&] { return meter.Status()->connections == 65536; }));
  const double busy = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(busy, 0.05 * passed.count() + 0.02);
}

}  // namespace
}  // namespace drover
