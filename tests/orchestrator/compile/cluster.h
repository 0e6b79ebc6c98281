// A small cluster in memory, and playbooks compiled for it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "orchestrator/compile/compile.h"
#include "orchestrator/playbook/load.h"

namespace drover {

// control (group probes), lb1, lb2 (directors), rs1, rs2, rs3 (real_servers); vip 10.0.0.100.
inline Inventory SmallCluster() {
  Inventory inventory;
  const auto add = [&](const std::string& group, const std::string& host,
                       const std::string& address) {
    inventory.AddGroup(group, Place{});
    inventory.AddHost(host, Place{}).vars["ansible_host"] = address;
    inventory.AddHostToGroup(host, group);
  };
  add("probes", "control", "10.0.0.2");
  add("directors", "lb1", "10.0.0.11");
  add("directors", "lb2", "10.0.0.12");
  add("real_servers", "rs1", "10.0.0.21");
  add("real_servers", "rs2", "10.0.0.22");
  add("real_servers", "rs3", "10.0.0.23");
  inventory.FindGroup("all")->vars["vip"] = "10.0.0.100";
  inventory.Finish();
  return inventory;
}

inline Parsed<CompiledRun> CompileText(const std::string& text, const CompileOptions& options = {},
                                       const Inventory& inventory = SmallCluster()) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"site.yml", text});
  const auto playbook = ReadPlaybook(file, ReadSource);
  if (!playbook) return Wrong(playbook.error());
  return Compile(*playbook, inventory, options);
}

// "site.yml:3:7: message [hint]" of every error, one per line.
inline std::string CompileErrors(const std::string& text, const CompileOptions& options = {},
                                 const Inventory& inventory = SmallCluster()) {
  const auto run = CompileText(text, options, inventory);
  if (run) return "no error";
  std::string all;
  for (const auto& d : run.error()) {
    if (!all.empty()) all += "\n";
    if (d.place.file != nullptr) {
      all += d.place.file->name + ":" + std::to_string(d.place.line) + ":" +
             std::to_string(d.place.column) + ": ";
    }
    all += d.message;
    if (!d.hint.empty()) all += " [" + d.hint + "]";
  }
  return all;
}

// One task in a play for `hosts`; the task's first character is at 3:7.
inline std::string OneTask(const std::string& task, const std::string& hosts = "lb1") {
  return "- hosts: " + hosts + "\n  tasks:\n    - " + task + "\n";
}

// The state that a playbook of one task gives lb1.
inline DesiredState StateOf(const std::string& task) {
  const auto run = CompileText(OneTask(task));
  EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
  return run ? run->states.at("lb1") : DesiredState{};
}

// What one task gives lb1 to do.
template <typename T>
T ActionOf(const std::string& task, const CompileOptions& options = {}) {
  const auto run = CompileText(OneTask(task), options);
  EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
  if (!run) return T{};
  const auto& rounds = run->plays.at(0).tasks.at(0).hosts.at("lb1");
  const auto* work = std::get_if<Task>(&rounds.at(0).action);
  EXPECT_NE(work, nullptr);
  if (work == nullptr || !std::holds_alternative<T>(work->action)) return T{};
  return std::get<T>(work->action);
}

inline IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }

}  // namespace drover
