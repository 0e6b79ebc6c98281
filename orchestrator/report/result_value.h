// A result as the JSON value that Ansible's users know: changed, msg, rc, stdout…, with our typed
// changes and findings beside them.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"
#include "orchestrator/source/value.h"

namespace drover {

// How much of a result is told.
enum class Detail {
  kShort,  // for one line: no diff, no evidence of verify
  kFull,
};

// The task of a place, and what of it is meant for the place's host; null when the run has no such.
const CompiledTask* FindTask(const CompiledRun& run, const TaskPlace& place);
const HostTask* FindHostTask(const CompiledRun& run, const TaskPlace& place);

// True when the result counts as a change, also of a command that ran and failed.
bool IsChanged(const CompiledRun& run, const HostResult& result);

// Of a no_log task only whether it changed, and "censored".
Value ResultValue(const CompiledRun& run, const HostResult& result, Detail detail);

// Services, findings and checks of one probe.
Value VerifyValue(const VerifyReport& report);
Value FindingValue(const Finding& finding);

// In one line as Python's json.dumps(sort_keys=True) writes it, or indented by `indent`. Bytes that
// are no UTF-8 are replaced.
std::string PythonJson(const Value& value, int indent = 0);

}  // namespace drover
