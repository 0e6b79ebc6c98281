#include "tests/orchestrator/ssh/fake_helper.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "orchestrator/ssh/digest.h"
#include "protocol/codec.h"

namespace drover {

TempFolder::TempFolder() {
  std::string name = std::filesystem::temp_directory_path() / "drover-ssh-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  ::chmod(name.c_str(), 0755);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::Write(const std::string& name, const std::string& text, int mode) const {
  const std::string path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), static_cast<mode_t>(mode));
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string FakeHelper(const std::string& before_hello, const std::string& on_program,
                       std::size_t size) {
  const Hello hello{kProtocolVersion, "test", "node", "6.1", true};
  const std::string answer =
      on_program.empty() ? "echo '" + EncodeEvent(ProgramDone{true}) + "'" : on_program;
  std::string script = "#!/bin/sh\n" + before_hello + "\necho '" + EncodeEvent(hello) +
                       "'\nwhile read -r line; do " + answer + "; done\nexit 0\n";
  // Bytes of every value, as a binary has them.
  for (std::size_t i = script.size(); i < size; ++i) script += static_cast<char>(i * 7919 >> 3);
  return script;
}

std::shared_ptr<HelperBinary> AsBinary(const std::string& script) {
  auto helper = std::make_shared<HelperBinary>();
  helper->path = "fake-helper";
  helper->bytes = script;
  helper->sha256 = Sha256Hex(script);
  return helper;
}

}  // namespace drover
