"""The first process of a lab: brings its hosts up, runs COMMAND on the control host, serves lab-ctl, and reports.

It runs in namespaces of its own, above those of the hosts: when it ends, the kernel ends and removes everything in
the lab. One thread, one loop. The same code runs natively and in the guest.
"""

import os
import signal
import socket
import time

from . import disk, fleet, frames, linux, messages
from .control import Requests
from .errors import LabError
from .loop import Loop
from .relay import Relay

_BOOT_SECONDS = 240.0


def run_supervisor(plan, report, lower_paths, out_source, relays_output, preparation=None):
    """The life of a lab's first process; never returns. REPORT is the file descriptor frames are written to.

    LOWER_PATHS are the layers of the hosts' disks, the upmost first; OUT_SOURCE is --out's directory or None.
    PREPARATION is a pipe that ends when COMMAND may start; what comes out of it before is why it may not.
    """
    try:
        linux.die_with_parent()
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the process outside decides about the end
        Supervisor(plan, report, relays_output, preparation).run(lower_paths, out_source)
    except (LabError, OSError) as error:
        frames.write_frame(report, frames.FAILED, str(error))
    except Exception:  # a defect of the lab itself must be as loud as any other failure
        import traceback
        frames.write_frame(report, frames.FAILED, "defect in the lab:\n" + traceback.format_exc())
    os._exit(0)


class Supervisor:
    def __init__(self, plan, report, relays_output, preparation):
        self._plan = plan
        self._preparation = preparation
        self._report = report
        self._relay = Relay(report) if relays_output else None
        self._loop = Loop()
        self._fleet = None
        self._requests = None
        self._command = None  # the socket COMMAND's exit status comes from, once it runs
        self._started = time.monotonic()
        self._next_beat = 0.0
        self._done = False

    def run(self, lower_paths, out_source):
        self._loop.watch_children(self._reap)
        for fd in self._relay.read_ends() if self._relay else []:
            self._loop.watch(fd, lambda fd=fd: self._relay.carry(fd))
        self._set_up(lower_paths, out_source)
        self._fleet.turn_on(list(self._fleet.hosts.values()))
        while not self._done:
            self._beat()
            self._check_boots()
            self._loop.turn(frames.HEARTBEAT_SECONDS)

    def _set_up(self, lower_paths, out_source):
        linux.make_mounts_private()
        linux.mount("proc", "/proc", "proc")
        checkout = self._plan["checkout"]
        lowers = [_open_directory(path) for path in lower_paths]
        checkout_lower = _open_directory(checkout) if disk.checkout_needs_mount(checkout) else None
        out = _open_directory(out_source) if out_source else None
        linux.mount("tmpfs", disk.WORKSPACE, "tmpfs", 0, "mode=755,size=75%")
        self._fleet = fleet.Fleet(self._plan, lowers, checkout_lower, out, self._loop, self._hear_host)
        self._requests = Requests(self._fleet, self._loop)
        for fd in (*lowers, checkout_lower, out):
            if fd is not None:
                os.close(fd)
        self._log(f"disks of {len(self._fleet.hosts)} hosts ready", frames.DETAIL)

    def _log(self, text, kind=frames.LOG):
        frames.write_frame(self._report, kind, text)

    def _beat(self):
        now = time.monotonic()
        if now >= self._next_beat:
            frames.write_frame(self._report, frames.ALIVE)
            self._next_beat = now + frames.HEARTBEAT_SECONDS

    def _check_boots(self):
        now = time.monotonic()
        for host in self._fleet.hosts.values():
            if host.state == fleet.BOOTING and now - host.boot_started > _BOOT_SECONDS:
                self._boot_failed(host, f"is not up after {_BOOT_SECONDS:.0f} s")

    # Hosts.

    def _hear_host(self, host):
        message, fds = messages.receive(host.channel)
        if message is None:
            self._loop.forget(host.channel)  # its first process has ended, or soon will; SIGCHLD tells how
            if host.state != fleet.BOOTING:
                host.state = fleet.ENDING
        elif "door" in message:
            door = socket.socket(fileno=fds.pop())
            self._loop.watch(door, lambda: self._requests.accept(door))
        elif "up" in message:
            host.state = fleet.UP
            self._log(f"host {host.name} up in {time.monotonic() - host.boot_started:.1f} s", frames.DETAIL)
            self._requests.host_is_up(host)
            self._start_command_when_all_are_up()
        elif "failed" in message:
            self._boot_failed(host, message["failed"])
        messages.close_all(fds)

    def _boot_failed(self, host, reason):
        if self._command is None:
            raise LabError(f"host {host.name}: {reason}")
        self._requests.host_failed(host, reason)
        self._fleet.turn_off(host)

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            host = self._fleet.by_pid(pid) if self._fleet else None
            if host is not None:
                self._host_ended(host, status)

    def _host_ended(self, host, status):
        """reboot(2) in a PID namespace ends its first process: with SIGHUP for a restart, SIGINT for power off."""
        if host.is_control:
            raise LabError("the control host went down while COMMAND ran on it")
        if self._command is None:
            raise LabError(f"host {host.name} went down while it booted")
        ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self._fleet.went_off(host)
        self._requests.host_failed(host, "went down")
        if ended_by == signal.SIGHUP:
            self._fleet.turn_on([host])
        elif ended_by != signal.SIGINT:
            self._log(f"host {host.name} is off: its first process ended (status {status})")

    # COMMAND.

    def _start_command_when_all_are_up(self):
        hosts = self._fleet.hosts.values()
        if self._command is not None or any(host.state != fleet.UP for host in hosts):
            return
        self._finish_preparation()
        seconds = time.monotonic() - self._started
        self._log(f"{len(hosts)} host{'s' * (len(hosts) != 1)} up in {seconds:.1f} s")
        outputs = self._relay.command_ends if self._relay else [1, 2]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"command": self._plan["command"], "directory": self._plan["checkout"],
                   "environment": self._plan["environment"]}
        self._fleet.execute(self._fleet.control, request, [0, *outputs, theirs.fileno()])
        theirs.close()
        self._command = ours
        self._loop.watch(ours, self._hear_command)

    def _finish_preparation(self):
        if self._preparation is not None:
            complaint = os.read(self._preparation, 4096)  # waits
            if complaint:
                raise LabError(complaint.decode(errors="replace"))

    def _hear_command(self):
        message, _ = messages.receive(self._command)
        if message is None:
            raise LabError("the control host lost COMMAND")
        if self._relay:
            self._relay.drain()
        frames.write_frame(self._report, frames.EXIT, str(message["exit"]))
        self._done = True


def _open_directory(path):
    return os.open(path, os.O_PATH | os.O_DIRECTORY)
