// The one table from a module's name to the parser of its arguments.
#include <map>

#include "orchestrator/compile/module_context.h"

namespace drover {

ModuleParser ParserOf(const std::string& module) {
  static const std::map<std::string, ModuleParser> kParsers = {
      {"arp", ParseArp},
      {"command", ParseCommand},
      {"connection_sync", ParseConnectionSync},
      {"copy", ParseCopy},
      {"drill", ParseDrill},
      {"metrics", ParseMetrics},
      {"package", ParsePackage},
      {"real_server", ParseRealServer},
      {"route", ParseRoute},
      {"service", ParseServiceUnit},
      {"sysctl", ParseSysctl},
      {"template", ParseTemplateFile},
      {"tracker", ParseTracker},
      {"verify", ParseVerify},
      {"vip", ParseVip},
      {"virtual_service", ParseVirtualService},
      {"vrrp_group", ParseVrrpGroup},
      {"vrrp_instance", ParseVrrpInstance},
      {"wait_for", ParseWaitFor},
  };
  const auto found = kParsers.find(module);
  return found == kParsers.end() ? nullptr : found->second;
}

}  // namespace drover
