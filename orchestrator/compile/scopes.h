// What each host's templates see: the inventory's variables, those of the command line, and the
// magic ones.
//
// Pure. Belongs to one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/compile/compile.h"
#include "orchestrator/inventory/inventory.h"
#include "orchestrator/playbook/playbook.h"
#include "orchestrator/template/variables.h"

namespace drover {

class Scopes {
 public:
  Scopes(const Playbook& playbook, const Inventory& inventory, const CompileOptions& options);

  // A host's variables outside of any play, as hostvars shows them.
  Variables& OfHost(const std::string& host);
  // The same with a play's variables on top. `hosts` are the names of the play's hosts after
  // --limit, shared by all of them.
  std::unique_ptr<Variables> OfPlay(const Play& play, const std::string& host,
                                    const ValuePtr& hosts);
  // For the play's own keywords: no host's variables.
  std::unique_ptr<Variables> WithoutHost(const Play& play);

 private:
  std::unique_ptr<Variables> MakeHost(const std::string& host);
  void DefinePlay(Variables& variables, const Play& play) const;

  const Playbook& playbook_;
  const Inventory& inventory_;
  const CompileOptions& options_;
  ValuePtr groups_;
  std::shared_ptr<LazyMapping> hostvars_;
  std::map<std::string, std::unique_ptr<Variables>> hosts_;
};

}  // namespace drover
