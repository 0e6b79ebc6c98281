#include "orchestrator/ssh/helper_binary.h"

#include <elf.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "orchestrator/ssh/digest.h"

namespace drover {
namespace {

Result<std::shared_ptr<const HelperBinary>> Read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || bytes.str().empty()) {
    const Error reason = ErrnoError(errno == 0 ? EIO : errno, "node-helper " + path);
    return Fail(ErrorCode::kInvalid, reason.message + "; build it with make");
  }
  auto helper = std::make_shared<HelperBinary>();
  helper->path = path;
  helper->bytes = bytes.str();
  helper->sha256 = Sha256Hex(helper->bytes);
  helper->machine = ElfMachine(helper->bytes);
  return std::shared_ptr<const HelperBinary>(std::move(helper));
}

}  // namespace

Result<std::shared_ptr<const HelperBinary>> LoadHelper(const std::string& path) {
  // One per process on purpose: a run must not bring two different helpers to its hosts when the
  // file is rebuilt in between.
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const HelperBinary>> loaded;
  const std::lock_guard lock(mutex);
  const auto found = loaded.find(path);
  if (found != loaded.end()) return found->second;
  auto helper = Read(path);
  if (helper) loaded.emplace(path, *helper);
  return helper;
}

std::string ElfMachine(std::string_view bytes) {
  if (bytes.size() < 20 || !bytes.starts_with("\x7f"
                                              "ELF"))
    return {};
  const bool little = bytes[EI_DATA] == ELFDATA2LSB;
  const auto low = static_cast<unsigned char>(bytes[little ? 18 : 19]);
  const auto high = static_cast<unsigned char>(bytes[little ? 19 : 18]);
  switch (low | high << 8) {
    case EM_X86_64:
      return "x86_64";
    case EM_386:
      return "i686";
    case EM_AARCH64:
      return "aarch64";
    case EM_ARM:
      return "armv7l";
    case EM_RISCV:
      return "riscv64";
    case EM_PPC64:
      return little ? "ppc64le" : "ppc64";
    case EM_S390:
      return "s390x";
    default:
      return {};
  }
}

bool RunsOn(std::string_view built, std::string_view node) {
  if (built.empty() || node.empty() || built == node) return true;
  if (built == "i686") return node == "x86_64" || (node.size() == 4 && node.ends_with("86"));
  if (built == "armv7l") return node.starts_with("arm");
  return false;
}

}  // namespace drover
