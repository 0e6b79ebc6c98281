// What the process says to its caller at the end. Ansible's numbers, so that scripts keep working.
#pragma once

namespace drover {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,        // usage, a file that is missing, --limit that matches nothing
  kExitFailed = 2,       // a host failed
  kExitUnreachable = 4,  // a host was unreachable; wins over failed
  kExitBadInput = 4,     // something in the user's files is wrong; no host was touched
  kExitInterrupted = 99,
  kExitInternal = 250,
};

}  // namespace drover
