// Small helps for the words of enums and for times in messages.
//
// Pure.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

// The value of `all` whose ToString is `word`; kInvalid lists the words: "\"x\" is no role (master,
// backup)".
template <typename Enum>
Result<Enum> ParseOneOf(std::string_view word, std::initializer_list<Enum> all,
                        std::string_view what) {
  std::string words;
  for (const Enum value : all) {
    if (word == ToString(value)) return value;
    words += (words.empty() ? "" : ", ") + std::string(ToString(value));
  }
  return Fail(ErrorCode::kInvalid,
              "\"" + std::string(word) + "\" is no " + std::string(what) + " (" + words + ")");
}

// "1s", "250ms", "90s", "0s".
std::string DurationText(std::chrono::milliseconds span);

// kInvalid unless `name` can be the name of an interface: 1 to 15 characters, no slash, colon or
// blank.
Status ValidateInterfaceName(std::string_view name);

}  // namespace drover
