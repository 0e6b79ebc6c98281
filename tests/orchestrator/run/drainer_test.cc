// All directors or none, with directors in memory that remember what they are told.
#include "orchestrator/run/drainer.h"

#include <gtest/gtest.h>

#include <mutex>

#include "tests/orchestrator/cluster/two_directors.h"
#include "tests/orchestrator/run/memory_session.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

const IpAddress kFirst = *IpAddress::Parse("10.0.0.21");
const IpAddress kSecond = *IpAddress::Parse("10.0.0.22");

// What a director keeps between sessions.
struct DirectorMemory {
  std::mutex mutex;
  std::vector<Maintenance> maintenance;
  bool refuses = false;
  bool unreachable = false;
  std::uint32_t established = 0;  // of the first real server; falls by one with each look
};

class DirectorSession : public MemorySession {
 public:
  DirectorSession(DirectorMemory& memory, bool master) : memory_(memory), master_(master) {}
  Status Send(const Program& program) override {
    const std::lock_guard lock(memory_.mutex);
    for (const Task& task : program.tasks) {
      TaskResult result = Answer(task);
      result.task = task.id;
      Say(std::move(result));
    }
    Say(ProgramDone{.ok = true});
    return {};
  }

 private:
  TaskResult Answer(const Task& task) {
    TaskResult result;
    if (std::holds_alternative<StatusTask>(task.action)) {
      NodeStatus status = *Director("x", master_ ? "master" : "backup").status;
      status.maintenance = memory_.maintenance;
      status.services[0].servers[0].active = memory_.established;
      if (memory_.established > 0) --memory_.established;
      result.detail = std::move(status);
      return result;
    }
    const auto* turn = std::get_if<MaintenanceTask>(&task.action);
    if (turn == nullptr || memory_.refuses) {
      result.status = TaskStatus::kFailed;
      result.code = ErrorCode::kInternal;
      result.message = "disk full";
      return result;
    }
    std::vector<Maintenance> list = memory_.maintenance;
    std::erase_if(list, [&](const auto& one) { return one.host == turn->maintenance.host; });
    if (turn->on) list.push_back(turn->maintenance);
    if (list != memory_.maintenance) result.status = TaskStatus::kChanged;
    if (!task.check) memory_.maintenance = std::move(list);
    return result;
  }

  DirectorMemory& memory_;
  bool master_;
};

class DrainerOfTwo : public ::testing::Test {
 protected:
  DrainerOfTwo()
      : asker_(run_, RunInfo{},
               [this](const HostConnection& connection) -> Result<std::unique_ptr<HelperSession>> {
                 DirectorMemory& memory = Of(connection.host);
                 const std::lock_guard lock(memory.mutex);
                 if (memory.unreachable) return Fail(ErrorCode::kUnreachable, "no route to host");
                 return std::make_unique<DirectorSession>(memory, connection.host == "lb1");
               }) {
    VirtualService service;
    service.key = WebService().service;
    service.destinations = {Destination{kFirst, 80}, Destination{kSecond, 80}};
    for (const char* host : {"lb1", "lb2"}) {
      run_.connections[host].host = host;
      run_.connections[host].connect_timeout = milliseconds(0);
      run_.states[host].services = {service};
      run_.states[host].vrrp_instances = {VrrpInstance{}};
    }
    run_.real_servers = {{"rs1", {kFirst}}, {"rs2", {kSecond}}};
    who_.user = "ann";
    who_.control_host = "ctl";
  }
  ~DrainerOfTwo() override { asker_.Close(); }

  DirectorMemory& Of(const std::string& host) { return host == "lb1" ? lb1_ : lb2_; }
  Drainer TheDrainer() {
    return Drainer(run_, asker_, [this](const std::string& line) { said_ += line + "\n"; });
  }
  std::vector<DrainOrder> Orders(const std::vector<std::string>& hosts) {
    std::vector<DrainOrder> orders;
    for (const std::string& host : hosts) {
      orders.push_back(OrderFor(run_, who_, host, "maintenance").value());
    }
    return orders;
  }
  std::vector<std::string> Listed(const std::string& host) {
    std::vector<std::string> names;
    for (const Maintenance& one : Of(host).maintenance) names.push_back(one.host);
    return names;
  }

  CompiledRun run_;
  RunInfo who_;
  DirectorMemory lb1_;
  DirectorMemory lb2_;
  ClusterAsker asker_;
  std::string said_;
};

TEST_F(DrainerOfTwo, ARealServerIsTheBusinessOfAllItsDirectorsADirectorOfItself) {
  const auto server = OrderFor(run_, who_, "rs1", "remove");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->directors, (std::set<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(server->maintenance.addresses, std::vector<IpAddress>{kFirst});
  EXPECT_EQ(server->maintenance.user, "ann");
  const auto director = OrderFor(run_, who_, "lb2", "maintenance");
  ASSERT_TRUE(director);
  EXPECT_EQ(director->directors, std::set<std::string>{"lb2"});
  EXPECT_TRUE(director->maintenance.addresses.empty());
  const auto stranger = OrderFor(run_, who_, "rs11", "maintenance");
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("did you mean \"rs1\"?"), std::string::npos)
      << stranger.error().message;
}

TEST_F(DrainerOfTwo, AllDirectorsAreTold) {
  Drainer drainer = TheDrainer();
  const auto orders = Orders({"rs1", "rs2"});
  const auto before = drainer.AskDirectors(orders, false);
  ASSERT_TRUE(before);
  const auto checked = drainer.Turn(true, orders, *before, /*check=*/true);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->size(), 2U);
  EXPECT_TRUE(Listed("lb1").empty());
  const auto turned = drainer.Turn(true, orders, *before);
  ASSERT_TRUE(turned);
  EXPECT_EQ(*turned, (std::set<std::string>{"rs1", "rs2"}));
  EXPECT_EQ(Listed("lb1"), (std::vector<std::string>{"rs1", "rs2"}));
  EXPECT_EQ(Listed("lb2"), (std::vector<std::string>{"rs1", "rs2"}));
}

TEST_F(DrainerOfTwo, WhenOneRefusesTheOthersAreAsBefore) {
  lb1_.maintenance = {Maintenance{"rs1", {kFirst}, "new disk", "bob", "ctl", 7}};
  lb2_.refuses = true;
  Drainer drainer = TheDrainer();
  const auto orders = Orders({"rs1"});
  const auto before = drainer.AskDirectors(orders, false);
  ASSERT_TRUE(before);
  const auto turned = drainer.Turn(true, orders, *before);
  ASSERT_FALSE(turned);
  EXPECT_EQ(turned.error().message, "lb2: disk full");
  ASSERT_EQ(lb1_.maintenance.size(), 1U);
  EXPECT_EQ(lb1_.maintenance[0].reason, "new disk");
  EXPECT_NE(said_.find("as before"), std::string::npos);
}

TEST_F(DrainerOfTwo, ASilentDirectorIsNamedUnlessThatIsAccepted) {
  lb2_.unreachable = true;
  Drainer drainer = TheDrainer();
  const auto orders = Orders({"rs1"});
  const auto refused = drainer.AskDirectors(orders, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnreachable);
  EXPECT_NE(refused.error().message.find("lb2 gave no answer"), std::string::npos);
  const auto before = drainer.AskDirectors(orders, true);
  ASSERT_TRUE(before);
  ASSERT_TRUE(drainer.Turn(true, orders, *before));
  EXPECT_EQ(Listed("lb1"), std::vector<std::string>{"rs1"});
  EXPECT_TRUE(Listed("lb2").empty());
}

TEST_F(DrainerOfTwo, PutBackRestoresWhatWas) {
  lb1_.maintenance = {Maintenance{"rs1", {kFirst}, "new disk", "bob", "ctl", 7}};
  Drainer drainer = TheDrainer();
  const auto orders = Orders({"rs1", "rs2"});
  const auto before = drainer.AskDirectors(orders, false);
  ASSERT_TRUE(before);
  ASSERT_TRUE(drainer.Turn(true, orders, *before));
  asker_.Interrupt();
  drainer.PutBack(orders, *before);
  ASSERT_EQ(Listed("lb1"), std::vector<std::string>{"rs1"});
  EXPECT_EQ(lb1_.maintenance[0].reason, "new disk");
  EXPECT_TRUE(Listed("lb2").empty());
}

TEST_F(DrainerOfTwo, WaitingShowsWhatIsOpenAndEndsAtTheDeadline) {
  lb1_.established = 100;
  lb2_.established = 100;  // copies: nobody waits for them
  Drainer drainer = TheDrainer();
  const Drained drained = drainer.Await(Orders({"rs1"}), milliseconds(0));
  EXPECT_FALSE(drained.all);
  EXPECT_FALSE(AreDrained(drained.left));
  EXPECT_NE(said_.find("lb1: 100 established; lb2 (backup): 100 established"), std::string::npos)
      << said_;
}

}  // namespace
}  // namespace drover
