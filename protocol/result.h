// Result<T>: a value, or an Error that says who has to act. The error type of every part of Drover.
//
// No exceptions of ours: a host's failure is data (collected, counted, sent, shown), and answers of
// the kernel must be matched. Adapters around throwing libraries catch there. Each hop adds what it
// was doing (Error::In).
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace drover {

// Who has to act on an error.
enum class ErrorCode {
  kInvalid,      // the user: wrong input, nothing was touched
  kExists,       // plan again: somebody else was faster
  kNotFound,     // plan again: it is gone
  kUnreachable,  // retry: the host or the way to it
  kTimeout,      // retry: no answer in time
  kDenied,       // the user: rights are missing
  kInternal,     // us: a bug, or a system in a state that nobody expected
};

std::string_view ToString(ErrorCode code);
// Unknown words give kInternal: a newer peer may know more codes than we do.
ErrorCode ErrorCodeFromString(std::string_view word);

// What went wrong, in one sentence that names the thing and the reason.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error seen from one level up: "vip 10.0.0.1/32 on lo: permission denied".
  [[nodiscard]] Error In(std::string_view context) const;

  bool operator==(const Error&) const = default;
};

// A T or an Error; must be looked at.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// The one place where an errno becomes an Error: "<what>: <reason of the system>".
Error ErrnoError(int error_number, std::string_view what);

}  // namespace drover
