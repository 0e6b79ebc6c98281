// Helpers made of shell, for tests of the way there: they greet like the real one and answer every
// program with one event.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "orchestrator/ssh/helper_binary.h"

namespace drover {

// A folder that goes with its owner; others may pass through it.
class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text, int mode = 0600) const;

 private:
  std::filesystem::path path_;
};

std::string ReadFile(const std::string& path);

// A script that greets; `on_program` is what it does for each line it reads, `size` the least
// size of the file.
std::string FakeHelper(const std::string& before_hello = "", const std::string& on_program = "",
                       std::size_t size = 300000);
// The same as the value that LoadHelper gives.
std::shared_ptr<HelperBinary> AsBinary(const std::string& script);

}  // namespace drover
