#include "orchestrator/compile/run_files.h"

#include <openssl/evp.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

namespace drover {
namespace {

constexpr std::size_t kMaxFile = std::size_t{32} << 20;  // in base64 it must fit one message

Result<SourceFilePtr> ReadBytes(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return Fail(ErrorCode::kInvalid, path + " is a directory, which cannot be copied yet");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return Fail(ErrnoError(errno, "cannot read " + path));
  auto file = std::make_shared<SourceFile>();
  file->name = path;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    file->text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (file->text.size() > kMaxFile) {
      return Fail(ErrorCode::kInvalid, path + " is larger than 32 MiB");
    }
  }
  if (in.bad()) return Fail(ErrnoError(errno, "cannot read " + path));
  return SourceFilePtr(std::move(file));
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  // The length goes first, so that no two lists of texts run together.
  void Add(const std::string& text) {
    const std::string length = std::to_string(text.size()) + ":";
    EVP_DigestUpdate(context_.get(), length.data(), length.size());
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
  }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    constexpr const char* kDigits = "0123456789abcdef";
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
      hex += kDigits[digest[i] >> 4U];
      hex += kDigits[digest[i] & 15U];
    }
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

Result<SourceFilePtr> RunFiles::Read(const std::string& name, const std::string& folder) {
  std::vector<std::string> paths = {name};
  if (!name.starts_with('/')) {
    const std::string base = playbook_.directory == "." ? "" : playbook_.directory + "/";
    paths = {base + folder + "/" + name, base + name};
  }
  for (const auto& path : paths) {
    const auto known = read_.find(path);
    if (known != read_.end()) return known->second;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    auto file = ReadBytes(path);
    if (file) read_[path] = *file;
    return file;
  }
  std::string tried;
  for (const auto& path : paths) tried += (tried.empty() ? "" : " and ") + path;
  return Fail(ErrorCode::kInvalid, "there is no file \"" + name + "\" (looked for " + tried + ")");
}

std::string RunFiles::Hash() const {
  Sha256 hash;
  for (const auto& file : All()) hash.Add(file->text);
  return hash.Hex();
}

std::vector<SourceFilePtr> RunFiles::All() const {
  std::vector<SourceFilePtr> files(playbook_.files.begin(), playbook_.files.end());
  for (const auto& [path, file] : read_) files.push_back(file);
  return files;
}

}  // namespace drover
