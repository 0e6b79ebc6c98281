#include "protocol/result.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace drover {
namespace {

struct CodeName {
  ErrorCode code;
  std::string_view name;
};

constexpr std::array kCodeNames = {
    CodeName{ErrorCode::kInvalid, "invalid"},    CodeName{ErrorCode::kExists, "exists"},
    CodeName{ErrorCode::kNotFound, "not_found"}, CodeName{ErrorCode::kUnreachable, "unreachable"},
    CodeName{ErrorCode::kTimeout, "timeout"},    CodeName{ErrorCode::kDenied, "denied"},
    CodeName{ErrorCode::kInternal, "internal"},
};

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case EEXIST:
      return ErrorCode::kExists;
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
    case EADDRNOTAVAIL:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case EINVAL:
      return ErrorCode::kInvalid;
    case ETIMEDOUT:
      return ErrorCode::kTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ECONNRESET:
      return ErrorCode::kUnreachable;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

std::string_view ToString(ErrorCode code) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.code == code) return entry.name;
  }
  return "internal";
}

ErrorCode ErrorCodeFromString(std::string_view word) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.name == word) return entry.code;
  }
  return ErrorCode::kInternal;
}

Error Error::In(std::string_view context) const {
  return Error{code, std::string(context) + ": " + message};
}

Error ErrnoError(int error_number, std::string_view what) {
  return Error{CodeOfErrno(error_number), std::string(what) + ": " + std::strerror(error_number)};
}

}  // namespace drover
