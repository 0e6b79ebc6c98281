"""Hosts with `lab_init: systemd`: what their disk has for it, and how a host's first process becomes systemd.

systemd boots to multi-user.target with sshd, its journal and D-Bus. What Debian starts beside them (devices, logins on
terminals, clean-ups) and all services of the machine are masked: /etc/systemd is the host's own. Before the first process
becomes systemd it leaves a child behind, which does what host.py does elsewhere: it waits for the boot and serves the lab.
"""

import glob
import hashlib
import os
import signal
import socket
import time

from . import linux
from .errors import LabError

PROGRAM = "/lib/systemd/systemd"
CONSOLE_LOG = "/var/log/console.log"

_UNITS = "usr/lib/systemd/system"
_OWN_UNITS = "etc/systemd/system"
_GENERATORS = "usr/lib/systemd/system-generators"
_KEPT = {"dbus.service", "dbus.socket", "systemd-journal-flush.service", "systemd-journald.service", "systemd-journald.socket",
         "systemd-journald-dev-log.socket", "systemd-sysctl.service", "systemd-tmpfiles-setup.service",
         "systemd-user-sessions.service"}
_NOTIFY_NAME = "lab-notify"  # an abstract socket, in the host's own network namespace
_BOOT_SECONDS = 180.0


def write_disk(layer, machine, name):
    """LAYER gets what a host called NAME needs; MACHINE is where the machine's root is."""
    for needed in (PROGRAM[1:], _UNITS + "/ssh.service"):
        if not os.path.exists(os.path.join(machine, needed)):
            raise LabError(f"host {name}: lab_init: systemd needs /{needed} (Debian packages systemd and openssh-server)")
    layer.directory("etc/systemd", empty=True)
    wanted = glob.glob(os.path.join(machine, _UNITS, "*.wants", "*"))
    for unit in sorted({os.path.basename(path) for path in wanted} - _KEPT):
        layer.link(f"{_OWN_UNITS}/{unit}", "/dev/null")
    for path in glob.glob(os.path.join(machine, _GENERATORS, "*")):
        layer.link(f"etc/systemd/system-generators/{os.path.basename(path)}", "/dev/null")
    layer.link(f"{_OWN_UNITS}/default.target", f"/{_UNITS}/multi-user.target")
    layer.link(f"{_OWN_UNITS}/multi-user.target.wants/ssh.service", f"/{_UNITS}/ssh.service")
    # Its rule for /tmp would hide a checkout that is there.
    layer.link("etc/tmpfiles.d/tmp.conf", "/dev/null")
    # Without an id of its own systemd would take this for the first boot ever and enable everything.
    layer.file("etc/machine-id", hashlib.md5(f"drover lab {name}".encode()).hexdigest() + "\n", mode=0o444)


def mount_groups(root):
    linux.mount("cgroup2", root + "/sys/fs/cgroup", "cgroup2", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def become(stay_behind):
    """This process is systemd from now on. Its child calls STAY_BEHIND with a function that waits for the end of the boot."""
    said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    said.bind("\0" + _NOTIFY_NAME)
    console, terminal = os.openpty()
    with open("/dev/console", "w", encoding="ascii"):
        pass
    linux.bind(os.ttyname(terminal), "/dev/console")
    if os.fork() == 0:
        # What ends all processes at the end of a host must end this one, too.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _keep_console(console, terminal)
        stay_behind(lambda: _wait_for_boot(said))
    os.closerange(3, 1 << 16)
    environment = {"PATH": os.environ["PATH"], "LANG": os.environ["LANG"], "container": "drover-lab",
                   "NOTIFY_SOCKET": "@" + _NOTIFY_NAME}
    os.execve(PROGRAM, [PROGRAM, "--show-status=yes"], environment)


def _keep_console(console, terminal):
    """What systemd tells the console goes to a file."""
    if os.fork() != 0:
        os.close(console)
        os.close(terminal)
        return
    try:
        os.dup2(console, 3)
        os.dup2(terminal, 4)  # kept open: a console that nobody has open reads as its end
        os.closerange(5, 1 << 16)
        with open(CONSOLE_LOG, "ab", buffering=0) as log:
            while True:
                log.write(os.read(3, 4096))
    finally:
        os._exit(0)


def _wait_for_boot(said):
    deadline = time.monotonic() + _BOOT_SECONDS
    while True:
        said.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            if b"READY=1" in said.recv(4096).split(b"\n"):
                said.close()  # it goes on telling, and would wait for somebody to listen
                return
        except TimeoutError:
            raise LabError(f"systemd has not booted after {_BOOT_SECONDS:.0f} s; last on its console: {_last_words()}") from None


def _last_words():
    try:
        with open(CONSOLE_LOG, encoding="utf-8", errors="replace") as file:
            return " | ".join(file.read().split("\n")[-5:]).strip()
    except OSError:
        return "nothing"
