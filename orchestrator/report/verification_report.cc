#include "orchestrator/report/verification_report.h"

#include <algorithm>

#include "orchestrator/report/junit.h"
#include "orchestrator/report/result_value.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/report/verify_text.h"

namespace drover {
namespace {

constexpr const char* kCluster = "hosts";

// How many checks held, did not hold, were skipped.
struct Tallied {
  std::size_t held = 0;
  std::size_t broken = 0;
  std::size_t skipped = 0;

  void Add(const VerifyReport& report) {
    for (const Check& check : report.checks) {
      ++(!check.findings.empty() ? broken : check.skipped.empty() ? held : skipped);
    }
  }
};

std::string Counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Each report with the name of its place: a probe's host, or the hosts themselves.
template <typename Take>
void EachReport(const Verification& verification, const Take& take) {
  for (const ProbeReport& probe : verification.probes) take(probe.host, probe.report);
  take(kCluster, verification.cluster);
}

std::string ChecksText(const VerifyReport& report, bool colours) {
  std::string text;
  for (const Check& check : report.checks) {
    if (!check.findings.empty()) continue;
    const bool held = check.skipped.empty();
    const std::string line = (held ? "ok:      " : "skipped: ") + check.law + "  " + check.subject +
                             (held ? "" : "  (" + check.skipped + ")");
    text += "    " + Paint(Printable(line), held ? Colour::kOk : Colour::kSkip, colours) + "\n";
  }
  return text;
}

std::string SummaryText(const Verification& verification, bool colours) {
  Tallied tallied;
  EachReport(verification,
             [&](const std::string&, const VerifyReport& report) { tallied.Add(report); });
  const std::size_t findings = verification.findings();
  std::string text = Counted(tallied.held, "check") + " held";
  if (tallied.broken > 0) {
    text += ", " + std::to_string(tallied.broken) + " did not: " + Counted(findings, "finding");
  }
  if (tallied.skipped > 0) text += ", " + std::to_string(tallied.skipped) + " skipped";
  return Paint(text, verification.failed() ? Colour::kError : Colour::kOk, colours) + "\n";
}

Value CheckValue(const std::string& place, const Check& check) {
  Value findings = Value::array();
  for (const Finding& finding : check.findings) findings.push_back(FindingValue(finding));
  Value value = {{"from", place},
                 {"law", check.law},
                 {"subject", check.subject},
                 {"ok", check.findings.empty() && check.skipped.empty()},
                 {"findings", findings}};
  if (!check.skipped.empty()) value["skipped"] = check.skipped;
  return value;
}

// Several findings of one check are one failure.
JunitCase CaseOf(const Check& check) {
  JunitCase one{.classname = check.law, .name = check.subject};
  if (!check.skipped.empty()) {
    one.outcome = JunitOutcome::kSkipped;
    one.message = check.skipped;
  }
  for (const Finding& finding : check.findings) {
    const std::string host = finding.host.empty() ? "" : " on " + finding.host;
    if (one.message.empty()) one.message = finding.rule + host + ": " + finding.message;
    one.text += finding.rule + host + "\nwhat: " + finding.message + "\nwhy: " + finding.why +
                "\nremedy: " + finding.remedy + "\n";
  }
  if (check.findings.size() > 1) {
    one.message += " (and " + std::to_string(check.findings.size() - 1) + " more)";
  }
  if (!check.findings.empty()) one.outcome = JunitOutcome::kFailed;
  return one;
}

JunitCase ErrorCase(const std::string& classname, const std::string& name, const std::string& why) {
  return {.classname = classname,
          .name = name,
          .outcome = JunitOutcome::kError,
          .message = why,
          .text = why};
}

std::string NotesOf(const VerifyReport& report) {
  std::string text;
  for (const std::string& note : report.notes) text += note + "\n";
  return text;
}

JunitSuite SuiteOf(const std::string& name, const VerifyReport& report) {
  JunitSuite suite{.name = name};
  for (const Check& check : report.checks) suite.cases.push_back(CaseOf(check));
  if (!report.notes.empty()) {
    suite.cases.push_back({.classname = "notes", .name = name, .text = NotesOf(report)});
  }
  return suite;
}

}  // namespace

std::string VerificationText(const Verification& verification, bool all, bool colours) {
  std::string text;
  for (const ProbeReport& probe : verification.probes) {
    text += "\n" + Printable("probe on " + probe.host + ": " + probe.task) + "\n";
    if (!probe.error.empty()) {
      text += "    " + Paint(Printable(probe.error), Colour::kError, colours) + "\n";
    }
    text += VerifyText(probe.report, colours);
    if (!probe.message.empty()) text += "    note: " + Printable(probe.message) + "\n";
    if (all) text += ChecksText(probe.report, colours);
  }
  text += "\nhosts\n";
  for (const auto& [host, why] : verification.unreachable) {
    text += "    " + Paint(Printable(host + ": " + why), Colour::kUnreachable, colours) + "\n";
  }
  text += VerifyText(verification.cluster, colours);
  if (all) text += ChecksText(verification.cluster, colours);
  return text + "\n" + SummaryText(verification, colours);
}

std::string VerificationJson(const Verification& verification) {
  Value probes = Value::array();
  for (const ProbeReport& probe : verification.probes) {
    Value value = VerifyValue(probe.report);
    value["host"] = probe.host;
    value["task"] = probe.task;
    value["message"] = probe.message;
    if (!probe.error.empty()) value["error"] = probe.error;
    probes.push_back(std::move(value));
  }
  Value checks = Value::array();
  EachReport(verification, [&](const std::string& place, const VerifyReport& report) {
    for (const Check& check : report.checks) checks.push_back(CheckValue(place, check));
  });
  const Value document = {{"playbook", verification.playbook},
                          {"started", verification.started},
                          {"duration_us", verification.duration.count()},
                          {"ok", !verification.failed() && verification.unreachable.empty()},
                          {"findings", verification.findings()},
                          {"probes", probes},
                          {"hosts", VerifyValue(verification.cluster)},
                          {"unreachable", verification.unreachable},
                          {"checks", checks}};
  return PythonJson(document, 4) + "\n";
}

std::string VerificationLines(const Verification& verification) {
  std::string text;
  EachReport(verification, [&](const std::string& place, const VerifyReport& report) {
    for (const Check& check : report.checks) {
      Value value = CheckValue(place, check);
      value["event"] = "check";
      text += PythonJson(value) + "\n";
    }
    for (const std::string& note : report.notes) {
      text += PythonJson({{"event", "note"}, {"from", place}, {"text", note}}) + "\n";
    }
  });
  const Value verdict = {{"event", "verdict"},
                         {"playbook", verification.playbook},
                         {"time", verification.started},
                         {"duration_us", verification.duration.count()},
                         {"ok", !verification.failed() && verification.unreachable.empty()},
                         {"findings", verification.findings()},
                         {"unreachable", verification.unreachable}};
  return text + PythonJson(verdict) + "\n";
}

std::string VerificationJunit(const Verification& verification) {
  std::vector<JunitSuite> suites;
  for (const ProbeReport& probe : verification.probes) {
    suites.push_back(SuiteOf(probe.host + ": " + probe.task, probe.report));
    if (!probe.error.empty()) {
      suites.back().cases.push_back(ErrorCase("probe", probe.host, probe.error));
    }
  }
  suites.push_back(SuiteOf(kCluster, verification.cluster));
  for (const auto& [host, why] : verification.unreachable) {
    suites.back().cases.push_back(ErrorCase("unreachable", host, why));
  }
  for (JunitSuite& suite : suites) {
    suite.timestamp = verification.started.substr(0, verification.started.find('Z'));
  }
  return JunitText(suites);
}

}  // namespace drover
