// The filters, tests, functions and methods that Drover's templates know. What is not in these
// tables is an error when the template is read.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/template/operand.h"

namespace drover {

// A filter, test, method or function at work: what stands before it, and its arguments.
struct TemplateCall {
  std::string name;
  Operand input;
  std::vector<Operand> arguments;
  std::vector<std::pair<std::string, Operand>> named;
  Place place;
};

bool IsKnownFilter(const std::string& name);
const std::vector<std::string>& FilterNames();
Evaluated<Operand> ApplyFilter(const TemplateCall& call);

bool IsKnownTest(const std::string& name);
const std::vector<std::string>& TestNames();
Evaluated<bool> ApplyTest(const TemplateCall& call);

bool IsKnownMethod(const std::string& name);
const std::vector<std::string>& MethodNames();
Evaluated<Operand> CallMethod(const TemplateCall& call);

bool IsKnownFunction(const std::string& name);
const std::vector<std::string>& FunctionNames();
Evaluated<Operand> CallFunction(const TemplateCall& call);

}  // namespace drover
