"""Debian's stock kernel for the guest: downloaded with apt, unpacked under build/lab, kept for later labs.

  build/lab/kernel-VERSION/vmlinuz                          what qemu boots
  build/lab/kernel-VERSION/root/usr/lib/modules/VERSION/    laid over the machine's file tree in the guest
"""

import fcntl
import glob
import os
import re
import shutil
import subprocess
import tempfile

from .errors import LabError

_META_PACKAGE = "linux-image-amd64"
# Drivers of real hardware are four fifths of the package, and no guest of the lab has such hardware.
_KEPT_DRIVERS = ("block", "char", "net", "virtio", "watchdog", "vhost")
_DROPPED_TREES = ("sound", "drivers/net/ethernet", "drivers/net/wireless", "drivers/net/usb", "drivers/net/can",
                  "drivers/net/wwan")


class Kernel:
    def __init__(self, directory):
        self.vmlinuz = os.path.join(directory, "vmlinuz")
        self.root = os.path.join(directory, "root")
        self.version = os.path.basename(directory).partition("-")[2]

    def module_directory(self):
        return os.path.join(self.root, "usr", "lib", "modules", self.version)


def prepare_kernel(cache, say):
    """The cached kernel, newest first, or a fresh download. Labs that start together share one download."""
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "kernel.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cached = sorted(glob.glob(os.path.join(glob.escape(cache), "kernel-*", "vmlinuz")), key=os.path.getmtime)
        if not cached:
            package = _concrete_package()
            say(f"downloading Debian's {package} (70 MB, once)")
            # In a temporary place first: a directory named kernel-* is complete, whenever a run is cut.
            for leftover in glob.glob(os.path.join(glob.escape(cache), "unpack-*")):
                shutil.rmtree(leftover)
            work = tempfile.mkdtemp(prefix="unpack-", dir=cache)
            try:
                cached = [os.path.join(_unpack(package, work, cache), "vmlinuz")]
            finally:
                shutil.rmtree(work, ignore_errors=True)
        return Kernel(os.path.dirname(cached[-1]))


def _concrete_package():
    text = _run(["apt-cache", "depends", _META_PACKAGE], "look the kernel package up")
    found = re.search(r"Depends: (linux-image-[0-9][^\s]*)", text)
    if not found:
        raise LabError(f"apt knows no package {_META_PACKAGE}; the qemu engine needs it (run apt-get update)")
    return found.group(1)


def _unpack(package, work, cache):
    # apt refuses to give up root for a directory its sandbox user cannot enter, and warns; the file comes all the same.
    _run(["apt-get", "-q", "download", package], "download the kernel", cwd=work)
    packages = glob.glob(os.path.join(glob.escape(work), "*.deb"))
    if len(packages) != 1:
        raise LabError(f"apt-get download {package} gave no package file")
    _run(["dpkg-deb", "-x", packages[0], os.path.join(work, "package")], "unpack the kernel")
    version = os.listdir(os.path.join(work, "package", "lib", "modules"))[0]
    ready = os.path.join(work, "ready")
    os.makedirs(os.path.join(ready, "root", "usr"))
    os.rename(os.path.join(work, "package", "boot", f"vmlinuz-{version}"), os.path.join(ready, "vmlinuz"))
    os.rename(os.path.join(work, "package", "lib"), os.path.join(ready, "root", "usr", "lib"))
    os.symlink("usr/lib", os.path.join(ready, "root", "lib"))  # as on the machine itself
    _drop_hardware(os.path.join(ready, "root", "usr", "lib", "modules", version, "kernel"))
    _run(["/sbin/depmod", "-b", os.path.join(ready, "root"), version], "index the kernel's modules")
    target = os.path.join(cache, f"kernel-{version}")
    os.rename(ready, target)
    return target


def _drop_hardware(modules):
    drivers = os.path.join(modules, "drivers")
    doomed = [os.path.join(drivers, name) for name in os.listdir(drivers) if name not in _KEPT_DRIVERS]
    for directory in doomed + [os.path.join(modules, name) for name in _DROPPED_TREES]:
        shutil.rmtree(directory, ignore_errors=True)


def _run(command, purpose, cwd=None):
    environment = dict(os.environ, LC_ALL="C")
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
    except OSError as error:
        raise LabError(f"cannot {purpose}: {command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise LabError(f"cannot {purpose}: {' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout
