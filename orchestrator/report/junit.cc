#include "orchestrator/report/junit.h"

#include <algorithm>

#include "orchestrator/report/markup.h"

namespace drover {
namespace {

std::string Attribute(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + EscapeMarkup(value) + "\"";
}

std::string Seconds(double seconds) { return DecimalText(seconds, 3); }

std::string CaseText(const JunitCase& one) {
  std::string text = "    <testcase" + Attribute("classname", one.classname) +
                     Attribute("name", one.name) + Attribute("time", Seconds(one.seconds));
  const char* element = nullptr;
  switch (one.outcome) {
    case JunitOutcome::kPassed:
      break;
    case JunitOutcome::kFailed:
      element = "failure";
      break;
    case JunitOutcome::kError:
      element = "error";
      break;
    case JunitOutcome::kSkipped:
      element = "skipped";
      break;
  }
  if (element == nullptr) {
    if (one.text.empty()) return text + "/>\n";
    return text + ">\n      <system-out>" + EscapeMarkup(one.text) +
           "</system-out>\n    </testcase>\n";
  }
  return text + ">\n      <" + element + Attribute("message", one.message) + ">" +
         EscapeMarkup(one.text) + "</" + element + ">\n    </testcase>\n";
}

std::string Counts(const std::vector<JunitCase>& cases) {
  const auto of = [&](JunitOutcome outcome) {
    return std::to_string(std::count_if(
        cases.begin(), cases.end(), [&](const JunitCase& one) { return one.outcome == outcome; }));
  };
  double seconds = 0;
  for (const JunitCase& one : cases) seconds += one.seconds;
  return Attribute("tests", std::to_string(cases.size())) +
         Attribute("failures", of(JunitOutcome::kFailed)) +
         Attribute("errors", of(JunitOutcome::kError)) +
         Attribute("skipped", of(JunitOutcome::kSkipped)) + Attribute("time", Seconds(seconds));
}

}  // namespace

std::string JunitText(const std::vector<JunitSuite>& suites) {
  std::vector<JunitCase> all;
  std::string inner;
  for (const JunitSuite& suite : suites) {
    inner += "  <testsuite" + Attribute("name", suite.name) + Counts(suite.cases);
    if (!suite.timestamp.empty()) inner += Attribute("timestamp", suite.timestamp);
    if (!suite.hostname.empty()) inner += Attribute("hostname", suite.hostname);
    inner += ">\n";
    for (const JunitCase& one : suite.cases) inner += CaseText(one);
    inner += "  </testsuite>\n";
    all.insert(all.end(), suite.cases.begin(), suite.cases.end());
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + Counts(all) + ">\n" + inner +
         "</testsuites>\n";
}

}  // namespace drover
