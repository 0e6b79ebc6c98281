// ELF headers and the machines that run them.

#include "orchestrator/ssh/helper_binary.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

std::string Elf(char data, char low, char high) {
  std::string header(64, '\0');
  header.replace(0, 4,
                 "\x7f"
                 "ELF");
  header[5] = data;
  header[18] = low;
  header[19] = high;
  return header;
}

TEST(ElfMachine, NamesTheMachineAsUnameDoes) {
  EXPECT_EQ(ElfMachine(Elf(1, 62, 0)), "x86_64");
  EXPECT_EQ(ElfMachine(Elf(1, '\xb7', 0)), "aarch64");
  EXPECT_EQ(ElfMachine(Elf(2, 0, 22)), "s390x");
  EXPECT_EQ(ElfMachine(Elf(1, 21, 0)), "ppc64le");
}

TEST(ElfMachine, AnythingElseHasNone) {
  EXPECT_EQ(ElfMachine("#!/bin/sh\necho this is a script\n"), "");
  EXPECT_EQ(ElfMachine("\x7f"
                       "ELF"),
            "");
  EXPECT_EQ(ElfMachine(""), "");
}

TEST(RunsOn, OnlyWhatTheKernelStarts) {
  EXPECT_TRUE(RunsOn("x86_64", "x86_64"));
  EXPECT_FALSE(RunsOn("x86_64", "aarch64"));
  EXPECT_FALSE(RunsOn("x86_64", "i686"));
  EXPECT_TRUE(RunsOn("i686", "x86_64"));
  EXPECT_TRUE(RunsOn("", "aarch64"));
}

TEST(LoadHelper, MissingFileSaysHowToGetIt) {
  const auto helper = LoadHelper("/nonexistent/node-helper");
  ASSERT_FALSE(helper.has_value());
  EXPECT_EQ(helper.error().code, ErrorCode::kInvalid);
  EXPECT_NE(helper.error().message.find("build it with make"), std::string::npos);
}

}  // namespace
}  // namespace drover
