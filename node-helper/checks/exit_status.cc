#include "node-helper/checks/exit_status.h"

#include <sys/wait.h>

namespace drover {

CheckAnswer JudgeExit(int status, bool sets_weight) {
  constexpr int kFirstWeight = 2;  // code of weight 0
  if (WIFSIGNALED(status)) {
    return CheckAnswer::Failed("the script was ended by signal " +
                               std::to_string(WTERMSIG(status)));
  }
  const int code = WEXITSTATUS(status);
  if (code == 0) return CheckAnswer::Ok();
  if (sets_weight && code >= kFirstWeight) {
    return CheckAnswer::Ok(static_cast<std::uint32_t>(code - kFirstWeight));
  }
  return CheckAnswer::Failed("the script ended with exit code " + std::to_string(code));
}

}  // namespace drover
