#include "node-helper/checks/file_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>

#include "node-helper/checks/reasons.h"
#include "node-helper/store/descriptor.h"

namespace drover {
namespace {

constexpr std::size_t kLookBytes = 64;

}  // namespace

CheckAnswer JudgeFileText(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(begin);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view number = text.substr(0, digits);
  const bool zero = !number.empty() && number.find_first_not_of('0') == std::string_view::npos;
  return zero ? CheckAnswer::Failed("the file says 0") : CheckAnswer::Ok();
}

CheckAnswer LookAtFile(const std::string& path) {
  // A pipe or a device must not hold us.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return CheckAnswer::Failed(path + ": " + ReasonOf(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return CheckAnswer::Failed(path + " is no plain file");
  }
  std::array<char, kLookBytes> text;
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return CheckAnswer::Failed(path + ": " + ReasonOf(errno));
  return JudgeFileText({text.data(), static_cast<std::size_t>(size)});
}

}  // namespace drover
