// Programs and events for the eyes of whoever debugs: contents of files, input of commands and all
// of no_log tasks are replaced by their size.
//
// Pure.
#pragma once

#include <set>

#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

Program Redacted(Program program);
// `secret_tasks`: ids of the no_log tasks sent.
Event Redacted(Event event, const std::set<std::uint32_t>& secret_tasks);

}  // namespace drover
