#include "node-helper/undo/undo_kit.h"

#include "node-helper/undo/file_subjects.h"
#include "node-helper/undo/firewall_part.h"
#include "node-helper/undo/network_parts.h"
#include "node-helper/undo/service_subjects.h"
#include "node-helper/undo/ssh_part.h"
#include "node-helper/undo/sysctl_part.h"

namespace drover {
namespace {

// Starting a service may take its time; on the way back nobody may wait for ever.
constexpr std::chrono::minutes kServicePatience{2};

}  // namespace

UndoKit MakeUndoKit(const HeldNow& held, const ProcessRunner& run) {
  const InitContext init{run, kServicePatience, [] { return false; }};
  UndoKit kit;
  kit.parts.push_back(MakeFirewallPart(run));
  kit.parts.push_back(MakeLinksPart(held));
  kit.parts.push_back(MakeSysctlPart(held));
  kit.parts.push_back(MakeRoutingPart(held));
  kit.parts.push_back(MakeSshPart(OpenInitSystem(init)));
  kit.files = MakeFileSubjects();
  kit.services = MakeServiceSubjects(OpenInitSystem(init));
  return kit;
}

}  // namespace drover
