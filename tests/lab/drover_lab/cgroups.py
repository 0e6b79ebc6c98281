"""Control groups of hosts that boot systemd: one group per host, which systemd takes for the root of all.

Only version 2 is used, and no controller of it. Directories of groups outlive their processes, so somebody has to remove
them when the lab ends: with its own kernel the guest does, on the machine's kernel a Sweeper.
"""

import os
import signal
import time

from . import linux
from .errors import LabError

_SWEEP_SECONDS = 20.0
_PAUSE = 0.02


def mount(place):
    """Mounts the hierarchy on PLACE, which is made."""
    try:
        os.makedirs(place, exist_ok=True)
        linux.mount("cgroup2", place, "cgroup2")
    except OSError as error:
        raise LabError(f"lab_init: systemd needs control groups version 2 of the kernel, and root's right to mount them: {error}") from None


def make_fresh(group):
    """An empty group, whatever a boot before has left in it."""
    remove(group)
    try:
        os.makedirs(group)
    except OSError as error:
        raise LabError(f"lab_init: systemd needs a control group of its own: {error}") from None


def enter(group):
    """This process and its children live in GROUP, and see it as the root of all groups."""
    with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write("0")
    linux.unshare(linux.CLONE_NEWCGROUP)


def remove(group):
    """Removes GROUP with all below, as soon as their processes have ended."""
    deadline = time.monotonic() + _SWEEP_SECONDS
    while os.path.isdir(group) and time.monotonic() < deadline:
        for directory, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass  # not empty yet
        if os.path.isdir(group):
            time.sleep(_PAUSE)


class Sweeper:
    """A process that removes the group NAME when its starter ends it, or has ended in whatever way."""

    def __init__(self, name, workspace):
        listening, self._line = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _sweep(listening, name, workspace)
            finally:
                os._exit(0)
        os.close(listening)

    def end(self):
        os.close(self._line)
        os.waitpid(self._pid, 0)


def _sweep(line, name, workspace):
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Nobody who waits for the end of the lab's output is to wait for this.
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(line, 3)
    os.closerange(4, 1 << 16)
    linux.unshare(linux.CLONE_NEWNS)
    linux.make_mounts_private()
    linux.mount("cgroup2", workspace, "cgroup2")
    os.read(3, 1)  # until its end
    remove(os.path.join(workspace, name))
