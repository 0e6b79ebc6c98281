"""The first process of a host: boots it as sysvinit would, reaps its orphans, and runs what the lab asks it to.
On hosts with lab_init: systemd this is left to systemd, and a child of it does the rest (systemd.py).

It is forked by the supervisor into new namespaces and never returns. Messages in: go, exec, signal. Messages out:
up, failed. The host lives as long as this process.
"""

import os
import select
import signal
import socket
import stat
import subprocess
import time

from . import cgroups, linux, messages, network, systemd
from .errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, LabError, exit_code_of
from .plan import host_environment

CONTROL_SOCKET = "/run/lab-ctl.sock"
BOOT_SCRIPT = "/etc/init.d/drover-node-helper"

_SSHD_PID_FILE = "/run/sshd.pid"
_SSHD_LOG = "/var/log/sshd.log"
_BOOT_LOG = "/var/log/boot.log"
_SSHD_START_SECONDS = 120.0
_BOOT_SCRIPT_SECONDS = 60.0
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
          "ptmx": "pts/ptmx"}


def run_host(host, root, channel, is_control, guards_machine, cgroup):
    """The whole life of a host. ROOT is its mounted disk, CHANNEL the socket to the supervisor, CGROUP its control group when it
    boots systemd."""
    try:
        _leave_supervisor_behind()
        _enter(host["name"], root, guards_machine, cgroup)
        if is_control:
            _offer_control_socket(channel)
        message, _ = messages.receive(channel)
        if message is None:
            os._exit(1)
        network.configure_host(host)
        if cgroup is not None:
            systemd.become(lambda wait_for_boot: _serve_beside_systemd(channel, wait_for_boot))
        _start_sshd()
        _run_boot_script()
        messages.send(channel, {"up": True})
    except (LabError, OSError, subprocess.SubprocessError) as error:
        _fail(channel, error)
    _Init(channel).serve()


def _serve_beside_systemd(channel, wait_for_boot):
    try:
        wait_for_boot()
        _wait_for_sshd()
        messages.send(channel, {"up": True})
    except (LabError, OSError) as error:
        _fail(channel, error)
    _Init(channel).serve()


def _fail(channel, error):
    messages.send(channel, {"failed": str(error)})
    while True:
        signal.pause()  # until the supervisor, who may be about to plug cables in, has heard it and ends the host


def _leave_supervisor_behind():
    linux.die_with_parent()
    os.setsid()
    signal.set_wakeup_fd(-1)
    # The first process of a PID namespace is deaf to signals from inside unless it has a handler.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(host_environment())
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)


def _enter(name, root, guards_machine, cgroup):
    socket.sethostname(name)
    if cgroup is not None:
        cgroups.enter(cgroup)
    linux.make_mounts_private()
    linux.mount("proc", root + "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    linux.mount("sysfs", root + "/sys", "sysfs", linux.MS_RDONLY if guards_machine else 0)
    if cgroup is not None:
        systemd.mount_groups(root)
    linux.mount("tmpfs", root + "/run", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
    _make_devices(root + "/dev")
    linux.enter_root(root)
    for directory in ("/run/sshd", "/run/lock"):
        os.makedirs(directory)
    os.chmod("/run/lock", 0o1777)
    # Its "reboot at once" would end the whole machine, or guest, instead of this host.
    if os.path.exists("/proc/sysrq-trigger"):
        linux.bind("/dev/null", "/proc/sysrq-trigger")
    if guards_machine:
        linux.drop_capability(linux.CAP_SYS_TIME)  # the clock is everybody's
        linux.bind("/proc/sys", "/proc/sys")
        linux.bind("/proc/sys/net", "/proc/sys/net")
        linux.mount(None, "/proc/sys", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def _make_devices(directory):
    linux.mount("tmpfs", directory, "tmpfs", linux.MS_NOSUID, "mode=755")
    for name, numbers in _DEVICES.items():
        _make_device(os.path.join(directory, name), numbers, 0o666)
    os.mkdir(directory + "/net")
    _make_device(directory + "/net/tun", (10, 200), 0o666)
    for name, target in _LINKS.items():
        os.symlink(target, os.path.join(directory, name))
    os.mkdir(directory + "/pts")
    linux.mount("devpts", directory + "/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=620,gid=5")
    os.mkdir(directory + "/shm")
    linux.mount("tmpfs", directory + "/shm", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=1777")


def _make_device(path, numbers, mode):
    os.mknod(path, stat.S_IFCHR, os.makedev(*numbers))
    os.chmod(path, mode)


def _offer_control_socket(channel):
    """lab-ctl's door: it exists on the control host only, but the supervisor stands behind it."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(CONTROL_SOCKET)
    os.chmod(CONTROL_SOCKET, 0o600)
    door.listen(64)
    messages.send(channel, {"door": True}, [door.fileno()])
    door.close()


def _start_sshd():
    done = subprocess.run(["/usr/sbin/sshd", "-E", _SSHD_LOG], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"sshd does not start: {done.stderr.strip()} {_last_line(_SSHD_LOG)}")
    _wait_for_sshd()


def _wait_for_sshd():
    deadline = time.monotonic() + _SSHD_START_SECONDS
    # sshd writes the file when it listens, which is after its parent process has ended.
    while not os.path.exists(_SSHD_PID_FILE):
        if time.monotonic() > deadline:
            raise LabError(f"sshd does not listen after {_SSHD_START_SECONDS:.0f} s: {_last_line(_SSHD_LOG)}")
        time.sleep(0.01)


def _run_boot_script():
    if not os.access(BOOT_SCRIPT, os.X_OK):
        return
    with open(_BOOT_LOG, "ab") as log:
        try:
            subprocess.run([BOOT_SCRIPT, "start"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                           timeout=_BOOT_SCRIPT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.write(f"{BOOT_SCRIPT}: {error}\n".encode())  # a machine comes up with a failing script, too


def _last_line(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return (file.read().strip().splitlines() or [""])[-1]
    except OSError:
        return ""


class _Init:
    """The host after its boot: commands that were asked for, by pid, with the socket that waits for each."""

    def __init__(self, channel):
        self._channel = channel
        self._waiting = {}
        self._wakeup, wakeup_end = socket.socketpair()
        for end in (self._wakeup, wakeup_end):
            end.setblocking(False)
        self._wakeup_end = wakeup_end
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup_end.fileno(), warn_on_full_buffer=False)

    def serve(self):
        while True:
            self._reap()
            poll = select.poll()
            poll.register(self._channel, select.POLLIN)
            poll.register(self._wakeup, select.POLLIN)
            for waiter in self._waiting.values():
                poll.register(waiter, select.POLLIN)  # nothing comes in but its end
            ready = {fd for fd, _ in poll.poll()}
            if self._wakeup.fileno() in ready:
                self._wakeup.recv(4096)
            self._hang_up(ready)
            if self._channel.fileno() in ready:
                self._obey()

    def _obey(self):
        message, fds = messages.receive(self._channel)
        if message is None:
            os._exit(0)  # the supervisor is gone, and the kernel ends the host with this process
        if "exec" in message:
            self._start(message["exec"], fds)
        elif "signal" in message:
            self._signal_everybody(message["signal"])
        messages.close_all(fds)

    @staticmethod
    def _signal_everybody(number):
        try:
            os.kill(-1, number)  # all of this PID namespace but its first process
        except ProcessLookupError:
            pass

    def _start(self, request, fds):
        *standard, waiter = fds
        pid = os.fork()
        if pid == 0:
            _become(request, standard)
        self._waiting[pid] = socket.socket(fileno=os.dup(waiter))

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            waiter = self._waiting.pop(pid, None)
            if waiter is not None:
                try:
                    messages.send(waiter, {"exit": exit_code_of(status)})
                except OSError:
                    pass  # nobody waits any more
                waiter.close()

    def _hang_up(self, ready):
        """Who asked for a command has gone away: the command goes, too, with what it started."""
        for pid, waiter in list(self._waiting.items()):
            if waiter.fileno() in ready:
                self._waiting.pop(pid).close()
                try:
                    os.killpg(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def _become(request, standard):
    """Turns the forked child into the command."""
    command = request["command"]
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        for target, fd in enumerate(standard):
            os.dup2(fd, target)
        os.closerange(3, 1 << 16)
        directory = request.get("directory", "/")
        os.chdir(directory if os.path.isdir(directory) else "/")
        environment = request.get("environment") or host_environment()
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(2, f"lab: {command[0]}: {error.strerror}\n".encode(errors="replace"))
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        os._exit(EXIT_NOT_FOUND if missing else EXIT_NOT_EXECUTABLE)
    finally:
        os._exit(EXIT_NOT_EXECUTABLE)
