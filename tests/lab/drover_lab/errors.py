"""What the lab's parts agree on: the error that ends it, and its exit codes (those of env(1) and timeout(1))."""

EXIT_TIMEOUT = 124
EXIT_LAB_FAILED = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_SIGNAL_BASE = 128


class LabError(Exception):
    """The lab cannot do what was asked. The text is one clear sentence for the person at the terminal."""


def exit_code_of(wait_status):
    """The exit code a shell would show for a status of waitpid(2)."""
    import os
    if os.WIFSIGNALED(wait_status):
        return EXIT_SIGNAL_BASE + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)
