// A network namespace of a test's own, and commands in it.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace drover {

inline bool EnterOwnNetwork() {
  return ::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0 &&
         std::system(
             "ip link set lo up && ip link add eth0 type veth peer name peer0 && ip link "
             "set eth0 up && ip link set peer0 up && ip address add 10.9.0.1/24 dev "
             "eth0") == 0;
}

inline void MustRun(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

inline std::string Output(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), got);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

}  // namespace drover
