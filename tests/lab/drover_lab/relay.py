"""Carries what COMMAND writes as frames, where the terminal is on the other side of a guest's border.

COMMAND gets pipes and not the port itself, because a port cannot be opened twice (echo >/dev/stderr).
"""

import os

from . import frames

_PIECE = 64 * 1024


class Relay:
    def __init__(self, report):
        self._report = report
        self._kinds = {}
        self.command_ends = []
        for kind in (frames.STDOUT, frames.STDERR):
            read_end, write_end = os.pipe()
            os.set_blocking(read_end, False)
            self._kinds[read_end] = kind
            self.command_ends.append(write_end)

    def read_ends(self):
        return list(self._kinds)

    def carry(self, fd):
        """Forwards what is in a pipe now; False when there was nothing."""
        try:
            data = os.read(fd, _PIECE)
        except BlockingIOError:
            return False
        if data:
            frames.write_frame(self._report, self._kinds[fd], data)
        return bool(data)

    def drain(self):
        """Forwards all that has been written; a daemon COMMAND left behind may still hold the pipe open."""
        for fd in self._kinds:
            while self.carry(fd):
                pass
