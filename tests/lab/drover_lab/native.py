"""The native engine: the lab in namespaces of the running kernel."""

import os
import signal
import socket
import subprocess

from . import cgroups, linux
from .disk import WORKSPACE
from .errors import LabError
from .fleet import NAMESPACES
from .supervisor import run_supervisor
from .topology import boots_systemd


def kernel_has_ip_vs():
    if not os.path.exists("/proc/net/ip_vs") and os.geteuid() == 0:
        try:
            subprocess.run(["/sbin/modprobe", "-q", "ip_vs"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        except OSError:
            pass  # no kmod installed
    return os.path.exists("/proc/net/ip_vs")


def obstacle():
    """Why this engine cannot run here, or None."""
    if os.geteuid() != 0:
        return "the native engine needs root"
    with open("/proc/filesystems", encoding="ascii") as file:
        if "\toverlay\n" not in file.read():
            done = subprocess.run(["/sbin/modprobe", "-q", "overlay"], capture_output=True, check=False)
            if done.returncode != 0:
                return "the running kernel has no overlay file system"
    return None


class NativeEngine:
    """One lab, from its start to its end. REPORT can be read when the inside has something to say."""

    name = "native"
    console = None

    def __init__(self, plan, out):
        self._plan = plan
        self._out = out
        self._pid = None
        self._sweeper = None
        self.report = None

    def start(self, _say):
        self.report, inside = socket.socketpair()
        try:
            self._pid = linux.fork_into(NAMESPACES)
        except OSError as error:
            raise LabError(f"cannot make namespaces: {error.strerror}") from None
        if self._pid == 0:
            self.report.close()
            run_supervisor(self._plan, inside.fileno(), ["/"], self._out, relays_output=False)
        inside.close()
        if boots_systemd(self._plan["topology"]):
            self._sweeper = cgroups.Sweeper(self._plan["cgroup"], WORKSPACE)

    def describe_end(self):
        """Why the report line has ended, or stays silent."""
        return "the lab's first process ended without a word, or hangs"

    def end(self):
        """Ends everything at once; nothing of the lab is left when this returns."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None
            self.report.close()
        if self._sweeper is not None:
            self._sweeper.end()
            self._sweeper = None
