#include "node-helper/net/family_module.h"

#include "node-helper/net/module_loader.h"

namespace drover {

Result<std::uint16_t> LoadFamily(NetlinkSocket& socket, const std::string& family,
                                 const std::string& module) {
  auto number = socket.FindFamily(family);
  if (!number) return Fail(number.error());
  if (!number->has_value()) {
    if (const Status loaded = LoadModule(module); !loaded) return Fail(loaded.error());
    number = socket.FindFamily(family);
    if (!number) return Fail(number.error());
  }
  if (number->has_value()) return **number;
  return Fail(ErrorCode::kInternal, "this kernel has no " + module + " (module " + module +
                                        " was loaded, but does not answer)");
}

Status CanLoadFamily(NetlinkSocket& socket, const std::string& family, const std::string& module) {
  const auto number = socket.FindFamily(family);
  if (!number) return Fail(number.error());
  return number->has_value() ? Status{} : FindModule(module);
}

}  // namespace drover
