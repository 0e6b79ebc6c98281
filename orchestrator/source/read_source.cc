// Reads users' files; the one place of this folder that touches the disk.
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "orchestrator/source/utf8.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

constexpr std::size_t kMaxSourceBytes = 16U << 20U;

tl::unexpected<Diagnostics> CannotRead(const std::string& path, const std::string& why) {
  return Wrong(Place{std::make_shared<SourceFile>(SourceFile{path, ""})}, "cannot read it: " + why);
}

}  // namespace

Parsed<SourceFilePtr> ReadSource(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return CannotRead(path, "it is a directory");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return CannotRead(path, std::generic_category().message(errno));
  auto file = std::make_shared<SourceFile>();
  file->name = path;
  // Piece by piece: the size of a pipe or of a file that grows is known only at its end.
  std::array<char, 1U << 16U> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    file->text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (file->text.size() > kMaxSourceBytes) return CannotRead(path, "it is larger than 16 MiB");
  }
  if (in.bad()) return CannotRead(path, std::generic_category().message(errno));
  // Editors on Windows put a byte order mark in front; it carries no meaning in UTF-8.
  if (file->text.starts_with("\xEF\xBB\xBF")) file->text.erase(0, 3);
  const SourceFilePtr result = file;
  if (const auto bad = FirstInvalidUtf8(result->text)) {
    return Wrong(LineIndex(result).At(*bad), "this byte is not valid UTF-8",
                 "save the file as UTF-8");
  }
  return result;
}

}  // namespace drover
