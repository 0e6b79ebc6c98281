// Reads the keywords that say in which portions a play goes over its hosts and how many may fail:
// Ansible's serial, max_fail_percentage and any_errors_fatal, and the update block.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/playbook/keyword_reader.h"
#include "orchestrator/playbook/play_policy.h"

namespace drover {

// False: not one of them.
bool ReadPolicyKeyword(const std::string& word, const YamlNode& node, PlayPolicy& policy,
                       KeywordReader& read);
// What cannot stand together.
void CheckPolicy(const PlayPolicy& policy, const Place& place, KeywordReader& read);

}  // namespace drover
