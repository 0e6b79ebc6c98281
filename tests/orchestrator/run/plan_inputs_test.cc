#include "orchestrator/run/plan_inputs.h"

#include <gtest/gtest.h>

#include "orchestrator/plan/staleness.h"
#include "tests/orchestrator/inventory/temporary_folder.h"

namespace drover {
namespace {

// A small cluster in a folder; prepared as `drover plan` and `drover apply` do it.
class PlanInputsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("hosts.yml", "all:\n  hosts:\n    a: {ansible_connection: local}\n");
    folder_.Write("group_vars/all.yml", "vip: 10.0.0.9\n");
    folder_.Write("motd.j2", "welcome\n");
    folder_.Write("site.yml",
                  "- hosts: all\n  tasks:\n    - vip: {address: \"{{ vip }}\", interface: lo}\n"
                  "    - template: {src: motd.j2, dest: /etc/motd}\n");
  }
  [[nodiscard]] CommandLine Line() const {
    CommandLine line;
    line.playbook = folder_.Path("site.yml");
    line.inventories = {folder_.Path("hosts.yml")};
    return line;
  }
  [[nodiscard]] static PlanInputs Inputs(const CommandLine& line) {
    const Prepared prepared = Prepare(line);
    EXPECT_FALSE(prepared.exit);
    return InputsOf(prepared);
  }
  TemporaryFolder folder_;
};

TEST_F(PlanInputsTest, AreTheSameForCheckingAndForDoing) {
  CommandLine check = Line();
  check.check = check.diff = true;
  EXPECT_EQ(Inputs(check), Inputs(Line()));
}

TEST_F(PlanInputsTest, EveryFileThatIsReadCounts) {
  const PlanInputs before = Inputs(Line());
  for (const char* name : {"hosts.yml", "group_vars/all.yml", "motd.j2", "site.yml"}) {
    const std::string path = folder_.Path(name);
    std::ifstream in(path);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    folder_.Write(name, text + "\n");
    const auto moved = MovedInputs(before, Inputs(Line()));
    ASSERT_EQ(moved.size(), 1U) << name;
    EXPECT_NE(moved[0].find(std::string(name) + " has changed"), std::string::npos) << moved[0];
    folder_.Write(name, text);
  }
  EXPECT_TRUE(MovedInputs(before, Inputs(Line())).empty());
}

TEST_F(PlanInputsTest, ExtraVariablesAndNewFilesCount) {
  const PlanInputs before = Inputs(Line());
  CommandLine more = Line();
  more.extra_vars = {"vip=10.0.0.10"};
  EXPECT_EQ(MovedInputs(before, Inputs(more)),
            std::vector<std::string>{"the variables of -e have changed"});
  folder_.Write("host_vars/a.yml", "x: 1\n");
  const auto moved = MovedInputs(before, Inputs(Line()));
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_NE(moved[0].find("host_vars/a.yml is new"), std::string::npos);
}

TEST_F(PlanInputsTest, RequestCarriesWhatDecidesARunAndNoPassword) {
  CommandLine line = Line();
  folder_.Write("some", "a\n");
  line.limit = "@" + folder_.Path("some");
  line.tags = {"web"};
  line.become = true;
  line.password_file = "secret";
  const PlanRequest request = RequestOf(line);
  EXPECT_EQ(request.limit, "a");
  CommandLine apply;
  apply.remote_user = "ops";
  const CommandLine again = WithRequest(apply, request);
  EXPECT_EQ(again.playbook, line.playbook);
  EXPECT_EQ(again.tags, line.tags);
  EXPECT_TRUE(again.become);
  EXPECT_EQ(again.remote_user, "ops");
  EXPECT_EQ(again.password_file, "");
}

}  // namespace
}  // namespace drover
