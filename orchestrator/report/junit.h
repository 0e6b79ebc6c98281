// A document of JUnit's XML, which every CI server can show.
//
// Pure.
#pragma once

#include <string>
#include <vector>

namespace drover {

enum class JunitOutcome { kPassed, kFailed, kError, kSkipped };

struct JunitCase {
  std::string classname;
  std::string name;
  double seconds = 0;
  JunitOutcome outcome = JunitOutcome::kPassed;
  std::string message;  // why it did not pass, in a line
  std::string text;     // the rest of it
};

struct JunitSuite {
  std::string name;
  std::string timestamp;  // "2026-01-31T12:00:00"; may be empty
  std::string hostname;
  std::vector<JunitCase> cases;
};

// The whole document with a newline.
std::string JunitText(const std::vector<JunitSuite>& suites);

}  // namespace drover
