// A regular expression that a stranger's bytes are searched with: Perl-compatible (PCRE2), with a
// limit on the work and the memory of one search, so that neither a bad pattern nor a chosen text
// can hold the loop.
//
// Pure; PCRE2 stays behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

class Pattern {
 public:
  enum class Match : std::uint8_t { kFound, kNotFound, kGaveUp };

  // kInvalid says what is wrong with it and where.
  static Result<Pattern> Compile(const std::string& text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  [[nodiscard]] Match Search(std::string_view bytes) const;

 private:
  struct State;
  explicit Pattern(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace drover
