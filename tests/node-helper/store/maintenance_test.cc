// The list of hosts under maintenance on the disk.
#include "node-helper/store/maintenance.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

const IpAddress kAddress = IpAddress::V4({10, 0, 0, 11});
const Maintenance kDrained{"rs1", {kAddress}, "remove", "ann", "ctl", 1700000000};
const Maintenance kHeld{"lb1", {}, "maintenance", "ann", "ctl", 1700000000};

TEST(MaintenanceList, WithoutAFileIsEmpty) {
  const TempFolder folder;
  EXPECT_EQ(LoadMaintenance(Store(folder / "state")).value(), std::vector<Maintenance>{});
}

TEST(MaintenanceList, IsReadAsItWasWrittenAndOnlyByRoot) {
  const TempFolder folder;
  const Store store(folder / "state");
  ASSERT_TRUE(SaveMaintenance(store, {kDrained, kHeld}));
  EXPECT_EQ(LoadMaintenance(store).value(), (std::vector<Maintenance>{kDrained, kHeld}));
  struct stat info {};
  ASSERT_EQ(::stat((folder / "state/maintenance.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST(MaintenanceList, ThatCannotBeUnderstoodIsAnErrorWithItsPath) {
  const TempFolder folder;
  const Store store(folder / "state");
  ASSERT_TRUE(SaveMaintenance(store, {}));
  for (const char* text : {"", "{", "[]", "{}", R"({"maintenance": [{"host": 1}]})"}) {
    ASSERT_TRUE(WriteFileAtomically(folder / "state/maintenance.json", text, 0600));
    const auto list = LoadMaintenance(store);
    ASSERT_FALSE(list) << text;
    EXPECT_NE(list.error().message.find("maintenance.json"), std::string::npos);
  }
}

TEST(MaintenanceList, IsAskedByAddressAndForTheNodeItself) {
  const std::vector<Maintenance> list = {kDrained, kHeld};
  ASSERT_NE(DrainOf(list, kAddress), nullptr);
  EXPECT_EQ(DrainOf(list, kAddress)->host, "rs1");
  EXPECT_EQ(DrainOf(list, IpAddress::V4({10, 0, 0, 12})), nullptr);
  ASSERT_NE(HoldOf(list), nullptr);
  EXPECT_EQ(HoldOf(list)->host, "lb1");
  EXPECT_EQ(HoldOf({kDrained}), nullptr);
}

}  // namespace
}  // namespace drover
