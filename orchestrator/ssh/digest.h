// The few digests that SSH and the helper's name need, and base64.
//
// Pure; OpenSSL stays in the .cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover {

std::string Sha256Hex(std::string_view data);
// "SHA256:…" as ssh-keygen -l prints it, of a key in wire form.
std::string Fingerprint(std::string_view key_blob);
std::string HmacSha1(std::string_view key, std::string_view data);
std::string Base64(std::string_view bytes);
std::optional<std::string> FromBase64(std::string_view text);
// Cryptographically random; empty when the system has none to give.
std::string RandomBytes(std::size_t count);
std::string Hex(std::string_view bytes);

}  // namespace drover
