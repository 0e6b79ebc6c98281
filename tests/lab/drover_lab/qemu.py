"""The qemu engine: boots Debian's stock kernel on the machine's own files and runs the lab in that guest.

KVM is used only where a guest has been seen to come up with it: a /dev/kvm that opens proves nothing. The verdict is
kept under build/lab. qemu dies with this process, however it ends, and nothing is written to any disk.
"""

import hashlib
import json
import os
import platform
import re
import select
import shutil
import socket
import subprocess
import time

from . import linux
from .errors import LabError
from .guest import PORT_NAME
from .initramfs import SIGN_OF_LIFE, build_initramfs
from .kernel import prepare_kernel

_QEMU = "qemu-system-x86_64"
_CONSOLE_KEPT = 32 * 1024
_CONSOLE_SHOWN_LINES = 25
_TERMINAL_CODE = r"\x1b(\[[0-9;?]*[A-Za-z]|.)"
_QEMU_END_SECONDS = 3.0  # how long after its end of the report line qemu may take to end
_KVM_TRIAL_SECONDS = 20.0
# Emulated, two processors lose more time waiting for each other's locks than they gain, most of all where two guests share two.
_KVM = ["-accel", "kvm", "-cpu", "host", "-smp", "2"]
_EMULATION = ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "1"]
_MEMORY_MB = 4096
_COMMAND_LINE = ("console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr random.trust_cpu=on no_timer_check "
                 "audit=0 apparmor=0 nowatchdog tsc=reliable rcupdate.rcu_cpu_stall_suppress=1")


class QemuEngine:
    name = "qemu"

    def __init__(self, plan, out, lab_directory, cache, pycache):
        self._plan = plan
        self._out = out
        self._lab_directory = lab_directory
        self._cache = cache
        self._pycache = pycache
        self._process = None
        self._console_text = bytearray()
        self.report = None
        self.console = None

    def start(self, say):
        if not shutil.which(_QEMU):
            raise LabError(f"{_QEMU} is not installed (Debian package qemu-system-x86)")
        if platform.machine() != "x86_64":
            raise LabError(f"the qemu engine boots amd64 kernels only, and this machine is {platform.machine()}")
        kernel = prepare_kernel(self._cache, say)
        initramfs = build_initramfs(kernel, self._plan, self._lab_directory, self._pycache)
        if self._kvm_may_work():
            say(f"booting Debian kernel {kernel.version} in qemu (KVM)")
            self._launch(kernel, initramfs, _KVM)
            works = self._comes_alive()
            self._remember_kvm(works)
            if works:
                return
            self.end()
            say("KVM does not work here; this is remembered")
        say(f"booting Debian kernel {kernel.version} in qemu (software emulation)")
        self._launch(kernel, initramfs, _EMULATION)

    def read_console(self):
        """Takes in what the console has; False when it has ended, and so has qemu."""
        data = os.read(self.console.fileno(), 4096)
        self._console_text += data
        del self._console_text[:-_CONSOLE_KEPT]
        return bool(data)

    def describe_end(self):
        """Why the report line has ended, or stays silent."""
        try:
            state = f"qemu ended (status {self._process.wait(_QEMU_END_SECONDS)})"
        except subprocess.TimeoutExpired:
            state = "the guest does not answer"
        while select.select([self.console], [], [], 0.2)[0] and self.read_console():
            pass
        lines = re.sub(_TERMINAL_CODE, "", self._console_text.decode(errors="replace")).splitlines()
        panic = next((line for line in lines if "Kernel panic" in line), None)
        if panic:
            state += ": " + panic.partition("] ")[2]
        lines = lines[-_CONSOLE_SHOWN_LINES:]
        return "\n  ".join([f"{state}; the last lines of its console:", *(line.rstrip() for line in lines)])

    def end(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self.report.close()
            self._process = None

    def _launch(self, kernel, initramfs, acceleration):
        self._console_text.clear()
        self.report, far_end = socket.socketpair()
        archive = os.memfd_create("initramfs")
        with open(archive, "wb", closefd=False) as file:
            file.write(initramfs)
        exports = {"machine": ("/", True), "kernel": (kernel.root, True)}
        if self._out:
            exports["out"] = (self._out, False)
        command = [_QEMU, *acceleration, "-m", str(_memory()), "-nodefaults", "-no-user-config",
                   "-no-reboot", "-nographic", "-serial", "stdio",
                   "-kernel", kernel.vmlinuz, "-initrd", f"/proc/self/fd/{archive}", "-append", _COMMAND_LINE,
                   "-device", "virtio-serial-pci", "-chardev", f"socket,id=report,fd={far_end.fileno()}",
                   "-device", f"virtserialport,chardev=report,name={PORT_NAME}"]
        for tag, (path, read_only) in exports.items():
            options = f"local,id={tag},security_model=none,multidevs=remap,path={path.replace(',', ',,')}"
            command += ["-fsdev", options + (",readonly=on" if read_only else ""),
                        "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, pass_fds=[archive, far_end.fileno()],
                                         preexec_fn=_leave_with_lab)
        self.console = self._process.stdout
        far_end.close()
        os.close(archive)

    def _comes_alive(self):
        deadline = time.monotonic() + _KVM_TRIAL_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.console], [], [], 0.2)[0] and not self.read_console():
                return False
            if SIGN_OF_LIFE in self._console_text:
                return True
        return False

    def _verdict_file(self):
        """One per combination of what the verdict depends on."""
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            cpu = next((line for line in file if line.startswith("model name")), "")
        version = subprocess.run([_QEMU, "--version"], capture_output=True, text=True, check=False).stdout
        facts = "\n".join([platform.release(), cpu, version])
        return os.path.join(self._cache, f"kvm-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json")

    def _kvm_may_work(self):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return False
        try:
            with open(self._verdict_file(), encoding="ascii") as file:
                return json.load(file)["works"]
        except (OSError, ValueError, KeyError):
            return True  # nobody has tried

    def _remember_kvm(self, works):
        path = self._verdict_file()
        with open(f"{path}.{os.getpid()}", "w", encoding="ascii") as file:
            json.dump({"works": works}, file)
        os.rename(file.name, path)


def _memory():
    """Memory of the guest in MB: it is taken only when used, but must not be more than half of the machine's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return max(1024, min(_MEMORY_MB, machine // 2))


def _leave_with_lab():
    os.setsid()  # Ctrl-C is the lab's affair
    linux.die_with_parent()
