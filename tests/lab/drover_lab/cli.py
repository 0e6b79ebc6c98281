"""The command `lab`: arguments, choice of the engine, and the watch over it until COMMAND has ended."""

import argparse
import os
import signal
import sys
import time

from . import frames, native
from .errors import EXIT_LAB_FAILED, EXIT_SIGNAL_BASE, EXIT_TIMEOUT, LabError
from .inventory import read_inventory
from .keys import key_pairs
from .loop import Loop
from .plan import make_plan
from .qemu import QemuEngine
from .topology import plan_topology

_SILENCE_SECONDS = 180.0  # the inside sends a sign of life every few seconds; a busy machine may delay it
_STARTED = time.monotonic()
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def main(arguments, checkout):
    options = _parse(arguments)
    for number in _ENDING_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        return _run(options, checkout)
    except LabError as error:
        _say(f"error: {error}")
        return EXIT_LAB_FAILED
    except Interrupted as interruption:
        _say(f"ended by {interruption}")
        return EXIT_SIGNAL_BASE + interruption.number
    except BrokenPipeError:
        return EXIT_SIGNAL_BASE + signal.SIGPIPE


def _parse(arguments):
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, command = arguments[:cut], arguments[cut + 1:]
    else:
        command = []
    parser = argparse.ArgumentParser(
        prog="lab", usage="lab -i INVENTORY [options] -- COMMAND...",
        description="Brings up every host of an inventory as a network namespace with its own sshd, runs COMMAND on "
        "the control host, and exits with its status. See tests/lab/README.md.",
        epilog="Exit status: COMMAND's; 124 when it ran out of time; 125 when the lab failed; 127 when there is no "
        "such COMMAND.")
    parser.add_argument("-i", "--inventory", required=True, help="Ansible inventory (file or directory)")
    parser.add_argument("--out", metavar="DIR", help="directory COMMAND can write to: LAB_OUT in its environment")
    parser.add_argument("--engine", choices=("auto", "native", "qemu"), default="auto",
                        help="where the hosts live; auto takes the running kernel when it has ip_vs and we are root")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="end everything after that time")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more about what happens")
    options = parser.parse_args(arguments)
    if not command:
        parser.error("COMMAND is missing: lab -i INVENTORY -- COMMAND...")
    options.command = command
    return options


def _seconds(text):
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no time limit")
    return value


def _interrupt(number, _frame):
    for other in _ENDING_SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # once is enough: what follows must not be cut
    raise Interrupted(number)


def _say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _say_with_time(text):
    """For -v: where the seconds go."""
    _say(f"[{time.monotonic() - _STARTED:6.2f}] {text}")


def _run(options, checkout):
    deadline = time.monotonic() + options.timeout if options.timeout else None
    topology = plan_topology(read_inventory(options.inventory, checkout))
    engine_name = _choose_engine(options.engine)
    out = _out_directory(options.out)
    cache = os.path.join(checkout, "build", "lab")
    keys = key_pairs(os.path.join(cache, "keys"), len(topology["hosts"]))
    ip_vs = engine_name == "qemu" or native.kernel_has_ip_vs()
    plan = make_plan(topology, keys, checkout, options.command, out, engine_name, ip_vs)
    if engine_name == "native":
        engine = native.NativeEngine(plan, out)
    else:
        engine = QemuEngine(plan, out, os.path.join(checkout, "tests", "lab"), cache, sys.pycache_prefix)
    try:
        say = _say_with_time if options.verbose else _say
        engine.start(say)
        return _Watch(engine, deadline, options.verbose, say).until_end()
    finally:
        engine.end()


def _choose_engine(wanted):
    obstacle = native.obstacle()
    if wanted == "native" and obstacle:
        raise LabError(obstacle)
    if wanted == "auto":
        return "native" if not obstacle and native.kernel_has_ip_vs() else "qemu"
    return wanted


def _out_directory(path):
    if path is None:
        return None
    path = os.path.realpath(path)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise LabError(f"--out {path}: {error.strerror}") from None
    return path


class _Watch:
    """Shows what the lab reports until its last word, and notices when there will be none."""

    def __init__(self, engine, deadline, verbose, say):
        self._say = say
        self._engine = engine
        self._deadline = deadline
        self._verbose = verbose
        self._reader = frames.FrameReader()
        self._loop = Loop()
        self._heard = time.monotonic()
        self._status = None

    def until_end(self):
        self._loop.watch(self._engine.report, self._hear)
        if self._engine.console is not None:
            self._loop.watch(self._engine.console, self._hear_console)
        while self._status is None:
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline:
                _say("error: out of time (--timeout)")
                return EXIT_TIMEOUT
            if now - self._heard > _SILENCE_SECONDS:
                raise LabError(self._engine.describe_end())
            self._loop.turn(min(1.0, self._deadline - now) if self._deadline is not None else 1.0)
        return self._status

    def _hear_console(self):
        if not self._engine.read_console():
            self._loop.forget(self._engine.console)

    def _hear(self):
        try:
            data = self._engine.report.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            raise LabError(self._engine.describe_end())
        self._heard = time.monotonic()
        for kind, payload in self._reader.feed(data):
            self._take(kind, payload)

    def _take(self, kind, payload):
        if kind == frames.STDOUT:
            _write_all(1, payload)
        elif kind == frames.STDERR:
            _write_all(2, payload)
        elif kind == frames.EXIT:
            self._status = int(payload)
        elif kind == frames.FAILED:
            raise LabError(payload.decode(errors="replace"))
        elif kind == frames.LOG or (kind == frames.DETAIL and self._verbose):
            self._say(payload.decode(errors="replace"))


def _write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
