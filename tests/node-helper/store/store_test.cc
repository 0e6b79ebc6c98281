#include "node-helper/store/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "node-helper/store/files.h"
#include "node-helper/store/ownership.h"
#include "node-helper/store/session_lock.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

OwnerRecord Full(const std::string& owner = "web") {
  OwnerRecord record = RecordOf(owner, State({Vip("10.0.0.100/32")}, {ArpIgnore()}, {Web()}));
  record.generation = 7;
  record.saved_at = 1700000000;
  record.run = RunInfo{"id", owner, "web.yml", "hash", "ann", "ctl", 42};
  record.original_sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  record.adopted = {"service tcp 10.0.0.100:80"};
  return record;
}

TEST(Record, SurvivesItsDocument) {
  const auto decoded = DecodeRecord(EncodeRecord(Full()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, Full());
}

TEST(Record, EveryTruncationIsAnError) {
  const std::string text = EncodeRecord(Full());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_FALSE(DecodeRecord(text.substr(0, size))) << size;
  }
}

TEST(Record, FormatOfANewerHelperIsRefused) {
  std::string text = EncodeRecord(Full());
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  const auto decoded = DecodeRecord(text);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("format 2"), std::string::npos);
}

TEST(Store, LoadsWhatItSavedAndListsByOwner) {
  const TempFolder folder;
  const Store store(folder / "state");
  ASSERT_TRUE(store.Save(Full("web")));
  ASSERT_TRUE(store.Save(Full("dns")));
  const auto web = store.Load("web");
  ASSERT_TRUE(web);
  EXPECT_TRUE(SameContent(*web, Full("web"))) << EncodeRecord(*web);
  EXPECT_EQ(web->run, Full("web").run);
  const auto all = store.LoadAll();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).owner, "dns");
  ASSERT_TRUE(store.Remove("dns"));
  EXPECT_EQ(store.LoadAll()->size(), 1U);
}

TEST(Store, OwnerWithoutRecordIsEmptyAndWritesNothing) {
  const TempFolder folder;
  const Store store(folder / "state");
  const auto record = store.Load("web");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->owner, "web");
  EXPECT_TRUE(record->state.empty());
  EXPECT_TRUE(store.LoadAll()->empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "state"));
}

TEST(Store, OnlyRootReadsIt) {
  const TempFolder folder;
  const Store store(folder / "state");
  ASSERT_TRUE(store.Save(Full()));
  struct stat info {};
  ASSERT_EQ(::stat((folder / "state/owners/web/current.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat((folder / "state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(Store, DamagedDocumentIsAnErrorThatNamesIt) {
  const TempFolder folder;
  const Store store(folder.path());
  ASSERT_TRUE(store.Save(Full()));
  std::ofstream(folder / "owners/web/current.json") << "{";
  const auto all = store.LoadAll();
  ASSERT_FALSE(all);
  EXPECT_NE(all.error().message.find("owners/web/current.json"), std::string::npos);
}

TEST(Store, FolderWithoutDocumentIsNobody) {
  const TempFolder folder;
  std::filesystem::create_directories(folder / "owners/web");
  EXPECT_TRUE(Store(folder.path()).LoadAll()->empty());
}

TEST(Store, OwnerNamesBecomeFileNames) {
  struct Case {
    const char* owner;
    const char* file;
  };
  const Case cases[] = {{"web", "web"},       {"site/web.yml", "site%2Fweb.yml"},
                        {"..", "%2E."},       {".hidden", "%2Ehidden"},
                        {"a b%", "a%20b%25"}, {"\xC3\xBC", "%C3%BC"}};
  for (const Case& test : cases) EXPECT_EQ(FileNameOfOwner(test.owner), test.file);
  const std::string one(300, 'a');
  EXPECT_LE(FileNameOfOwner(one).size(), 255U);
  EXPECT_NE(FileNameOfOwner(one), FileNameOfOwner(one + "b"));
}

TEST(Files, UncommittedReplacementLeavesNothing) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "old", 0640));
  {
    auto replacement = Replacement::Open(folder / "f", 0600);
    ASSERT_TRUE(replacement);
    ASSERT_TRUE(WriteAll(replacement->fd(), "new", "f"));
  }
  EXPECT_EQ(ReadWholeFile(folder / "f").value(), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Files, WhatAKilledWriterLeftIsOverwritten) {
  const TempFolder folder;
  std::ofstream(folder / ".f.drover-new") << "half";
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "whole", 0600));
  EXPECT_EQ(ReadWholeFile(folder / "f").value(), "whole");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(SessionLock, SecondHolderLearnsWhoHoldsIt) {
  const TempFolder folder;
  const auto now = std::chrono::milliseconds{0};
  const auto never = [] { return false; };
  {
    const auto held = SessionLock::Take(folder.path(), Full().run, now, never);
    ASSERT_TRUE(held);
    const auto refused = SessionLock::Take(folder.path(), Full("dns").run, now, never);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("ann on ctl (web, pid 42) since "), std::string::npos)
        << refused.error().message;
  }
  EXPECT_TRUE(SessionLock::Take(folder.path(), Full("dns").run, now, never));
}

}  // namespace
}  // namespace drover
