// SHA-256 over what comes in pieces.
//
// Pure; OpenSSL stays behind it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace drover {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Add(std::string_view bytes);
  // 64 hexadecimal digits in lower case; ends it.
  std::string Finish();

  static std::string Of(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drover
