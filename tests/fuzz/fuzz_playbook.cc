// Any text gives plays or diagnostics that can be shown.

#include <memory>

#include "orchestrator/playbook/load.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto file = std::make_shared<drover::SourceFile>(
      drover::SourceFile{"fuzz.yml", std::string(reinterpret_cast<const char*>(data), size)});
  const auto no_files = [](const std::string& path) -> drover::Parsed<drover::SourceFilePtr> {
    return drover::Wrong({}, path + " is not read here");
  };
  const auto playbook = drover::ReadPlaybook(file, no_files);
  if (!playbook) (void)drover::Format(playbook.error());
  return 0;
}
