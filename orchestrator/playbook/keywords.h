// The keywords of plays and tasks: those that are carried out, and Ansible's others, which are
// named as such.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/source/diagnostic.h"

namespace drover {

const std::vector<std::string>& PlayKeywords();
const std::vector<std::string>& TaskKeywords();
// Ansible's keywords for plays, tasks and blocks that Drover does not carry out.
bool IsForeignKeyword(std::string_view word);
Diagnostic ForeignKeyword(std::string_view word, const Place& place);

}  // namespace drover
