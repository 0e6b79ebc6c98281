#include "orchestrator/report/change_line.h"

#include "orchestrator/report/terminal.h"

namespace drover {

std::string ChangeLine(const ChangeText& change, bool colours) {
  const bool add = change.verb == "add";
  const bool remove = change.verb == "remove";
  std::string line = std::string(add ? "+ " : remove ? "- " : "~ ") + change.resource;
  if (!change.before.empty() && !change.after.empty()) {
    line += ": " + change.before + " -> " + change.after;
  } else if (!change.before.empty() || !change.after.empty()) {
    line += ": " + (change.before.empty() ? change.after : change.before);
  }
  if (!change.reason.empty()) {
    line += "  (" + change.reason + ")";
  }
  const Colour colour = add ? Colour::kDiffAdd : remove ? Colour::kDiffRemove : Colour::kChanged;
  return Paint(Printable(line), colour, colours);
}

}  // namespace drover
