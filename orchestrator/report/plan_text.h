// A plan in words for people, and as JSON.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/plan/plan.h"

namespace drover {

// Grouped by host and task, then "Plan: 3 to add, 1 to change, 0 to remove on 2 of 6 hosts."
std::string PlanText(const HostPlans& plans, bool colours);
// One document with a newline: "summary" and "hosts".
std::string PlanJson(const std::string& playbook, const HostPlans& plans);

}  // namespace drover
