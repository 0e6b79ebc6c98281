"""The first process of the guest: finds the report line, loads ip_vs, and starts the lab as the machine would.

When it ends, the guest powers off.
"""

import ctypes
import glob
import json
import os
import subprocess

from . import frames, linux
from .fleet import NAMESPACES
from .initramfs import GUEST_PLACE
from .supervisor import run_supervisor

PORT_NAME = "drover.lab"

_POWER_OFF = 0x4321FEDC  # RB_POWER_OFF of reboot(2)
_NO_SCHEDULERS = ("ip_vs_ftp", "ip_vs_pe_sip")


def main():
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    report = os.open(_port(), os.O_RDWR)
    try:
        _run_lab(report)
    except Exception as error:  # nothing else could tell the person at the terminal
        frames.write_frame(report, frames.FAILED, f"in the guest: {error!r}")
    os.sync()
    ctypes.CDLL(None).reboot(ctypes.c_int(_POWER_OFF))


def _run_lab(report):
    frames.write_frame(report, frames.DETAIL, "guest is up")
    with open(GUEST_PLACE + "/plan.json", encoding="utf-8") as file:
        plan = json.load(file)
    os.unlink(GUEST_PLACE + "/plan.json")
    loading = subprocess.Popen(["/sbin/modprobe", "-a", *_ip_vs_modules()], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    loaded, say_loaded = os.pipe()
    lowers = [GUEST_PLACE + "/kernel", GUEST_PLACE + "/machine"]
    out = GUEST_PLACE + "/out" if plan["out"] else None
    pid = linux.fork_into(NAMESPACES)
    if pid == 0:
        os.close(say_loaded)
        run_supervisor(plan, report, lowers, out, relays_output=True, preparation=loaded)
    os.close(loaded)
    _, complaint = loading.communicate()
    os.write(say_loaded, f"ip_vs cannot be loaded: {complaint}".encode() if loading.returncode else b"")
    os.close(say_loaded)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            # After a last frame nobody listens any more; without one this is the reason.
            frames.write_frame(report, frames.FAILED, f"the lab's first process ended (status {status})")
            return


def _ip_vs_modules():
    """ip_vs and the schedulers this kernel has."""
    directory = f"/lib/modules/{os.uname().release}/kernel/net/netfilter/ipvs"
    names = [name.split(".")[0] for name in os.listdir(directory)]
    return [name for name in sorted(names) if name not in _NO_SCHEDULERS]


def _port():
    for path in glob.glob("/sys/class/virtio-ports/*/name"):
        with open(path, encoding="ascii") as file:
            if file.read().strip() == PORT_NAME:
                return "/dev/" + os.path.basename(os.path.dirname(path))
    raise OSError("no port to the machine")
