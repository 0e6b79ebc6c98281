// Changes of inventory files as a person would make them: one line comes or goes, comments and
// layout stay.
//
// Pure: texts in, texts out. What cannot be done for certain is an error that names the place.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/inventory/inventory.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

// A host to be written below a group.
struct NewHost {
  std::string name;
  std::string group;
  std::vector<std::pair<std::string, std::string>> vars;
};

// A file before and after.
struct InventoryEdit {
  SourceFilePtr file;
  std::string after;
  int line = 0;      // where the text comes (in `after`) or goes (in the file)
  std::string text;  // of that line, without what stands before and behind it
};

// INI and YAML; YAML with one host per line. The group must have hosts of its own in this file or
// a section for them.
Parsed<InventoryEdit> AddHostLine(const SourceFilePtr& file, const NewHost& host);
// Every line below one of `groups` (empty: any) that stands for this host alone. An error when
// there is none, and when the host stays elsewhere without its variables.
Parsed<InventoryEdit> RemoveHostLines(const SourceFilePtr& file, const std::string& host,
                                      const std::set<std::string>& groups);

// The files that hosts and groups come from, in the order of writing.
std::vector<SourceFilePtr> FilesOf(const Inventory& inventory);
// The narrowest group that has all of `hosts`, but not `all`; empty: there is none.
std::string GroupOfAll(const Inventory& inventory, const std::vector<std::string>& hosts);
// The group and all groups below it.
std::set<std::string> WithGroupsBelow(const Inventory& inventory, const std::string& group);
// The file that has the hosts of the group, where another one would be written.
SourceFilePtr FileOfGroup(const Inventory& inventory, const std::string& group);

}  // namespace drover
