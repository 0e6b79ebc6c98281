// The packet filters of a node before a run: nft's ruleset, and the tables of iptables, ip6tables,
// arptables and ebtables, whichever are in use. A rule that a command adds may cut the node off.
//
// One thread at a time. Looking loads no module of the kernel: what is not loaded has no rules.
#pragma once

#include <string>

#include "node-helper/tasks/process.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

// "firewall". Put back at once for each tool (nft -f, iptables-restore), and only when the rules
// differ now; counters, and elements of sets that come and go by themselves, are no difference.
// `root` is "" outside tests.
std::unique_ptr<UndoPart> MakeFirewallPart(ProcessRunner run, std::string root = "");

}  // namespace drover
