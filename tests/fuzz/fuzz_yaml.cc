// Any text gives a tree with places, or diagnostics; both can be turned into what a user sees.

#include <memory>

#include "orchestrator/source/yaml_node.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto file = std::make_shared<drover::SourceFile>(
      drover::SourceFile{"fuzz.yml", std::string(reinterpret_cast<const char*>(data), size)});
  const auto node = drover::ParseYaml(file);
  if (node) {
    (void)drover::ToValue(*node).dump(-1, ' ', false, drover::Value::error_handler_t::replace);
  } else {
    (void)drover::Format(node.error());
  }
  return 0;
}
