"""A small event loop over poll(2): files with callbacks, SIGCHLD, and a tick. One thread.

poll and not epoll, because hosts are forked from the process that runs the loop and must share nothing with it.
"""

import select
import signal
import socket


class Loop:
    def __init__(self):
        self._callbacks = {}  # fd -> (file, callback)
        self._wakeup, self._wakeup_end = socket.socketpair()
        for end in (self._wakeup, self._wakeup_end):
            end.setblocking(False)

    def watch(self, file, callback):
        """Calls CALLBACK() whenever FILE (a socket or a descriptor) can be read or has ended."""
        self._callbacks[_number(file)] = (file, callback)

    def forget(self, file):
        """Must come before FILE is closed; harmless for one that is not watched."""
        self._callbacks.pop(_number(file), None)

    def watch_children(self, callback):
        """Calls CALLBACK() after children have ended."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_end.fileno(), warn_on_full_buffer=False)

        def drain_and_call():
            self._wakeup.recv(4096)
            callback()

        self.watch(self._wakeup, drain_and_call)

    def turn(self, seconds):
        """Waits for one event at most SECONDS, then serves all that are there."""
        poll = select.poll()
        for fd in self._callbacks:
            poll.register(fd, select.POLLIN)
        entries = dict(self._callbacks)
        for fd, _ in poll.poll(seconds * 1000):
            # A callback before this one may have closed the file, and its number may be another file's now.
            if self._callbacks.get(fd) is entries[fd]:
                entries[fd][1]()


def _number(file):
    return file if isinstance(file, int) else file.fileno()
