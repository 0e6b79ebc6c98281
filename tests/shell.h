// Shell commands of tests: what they print, and how they end.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace drover {

// How a command ended, and what it printed.
struct Ended {
  int status = -1;  // -1: by a signal
  std::string text;
};

// Only standard output is read; `2>&1` in the command adds the other.
inline Ended RunShell(const std::string& command) {
  Ended ended;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ended.text.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

// Of a command that must end well.
inline std::string Output(const std::string& command) {
  const Ended ended = RunShell(command);
  EXPECT_EQ(ended.status, 0) << command;
  return ended.text;
}

inline void MustRun(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace drover
