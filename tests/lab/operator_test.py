"""What an operator sees of `drover status` and `drover handover`: on terminals of any size, in pipes, when hosts are silent.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/operator_test.py [TEST…]

Tests run in the order of writing; each leaves d1 as master and d2 as backup.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
PLAYBOOK = pathlib.Path(tempfile.mkdtemp(prefix="operator-")) / "pair.yml"
ASKED = [str(PLAYBOOK), "-i", "tests/lab/inventories/vrrp.yml"]
PRIORITY = "{{ 150 if inventory_hostname == 'd1' else 100 }}"


def drover(*words):
    return subprocess.run([DROVER, words[0], *ASKED, *words[1:]], capture_output=True, text=True, timeout=60, check=False)


class Screen:
    """As much of a terminal as drover uses: text, new lines, the other screen, the cursor, wiping."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.other = False
        self.cursor = True
        self._clear()

    def _clear(self):
        self.lines = [""] * self.rows
        self.row = self.column = self.rolled = 0

    def lines_shown(self):
        return [line.rstrip() for line in self.lines]

    def _new_line(self):
        self.row += 1
        if self.row == self.rows:
            self.lines = self.lines[1:] + [""]
            self.row -= 1
            self.rolled += 1

    def feed(self, text):
        for escape, character in re.findall(r"\x1b\[([?\d;]*[A-Za-z])|(.)", text, re.DOTALL):
            line = self.lines[self.row]
            if escape in ("?1049h", "?1049l"):
                self.other = escape.endswith("h")
                self._clear()
            elif escape in ("?25h", "?25l"):
                self.cursor = escape.endswith("h")
            elif escape == "H":
                self.row = self.column = 0
            elif escape == "K":  # at the right edge it takes the last character
                self.lines[self.row] = line[:min(self.column, self.columns - 1)]
            elif escape == "J":
                self.lines[self.row:] = [line[:self.column]] + [""] * (self.rows - self.row - 1)
            elif escape and not escape.endswith("m"):
                raise AssertionError(f"unknown: {escape!r}")
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self._new_line()
            elif character:
                if self.column == self.columns:
                    self._new_line()
                    self.column = 0
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
                self.column += 1


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, rows, columns, command, kind="xterm"):
        self.screen = Screen(rows, columns)
        self.raw = ""
        pid, self._door = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, os.environ | {"TERM": kind})
        self.pid = pid

    def look(self, seconds):
        """Takes what comes in this time; False when the command has ended."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._door], [], [], left)[0]:
                continue
            try:
                data = os.read(self._door, 65536).decode()
            except OSError:
                return False
            self.raw += data
            self.screen.feed(data)
        return True

    def look_for(self, text, times=1):
        """Until it has come so often."""
        deadline = time.monotonic() + 60
        while self.raw.count(text) < times:
            if time.monotonic() > deadline or not self.look(0.1):
                raise AssertionError(f"{text!r} came {self.raw.count(text)} times:\n{self.raw}")
        self.look(0.1)

    def interrupt(self):
        """Ctrl-C; the exit status."""
        os.write(self._door, b"\x03")
        while self.look(0.5):
            pass
        os.close(self._door)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextlib.contextmanager
def silent(*hosts):
    """Their SSH servers give no answer meanwhile."""
    servers = {host: on(host, "cat /run/sshd.pid") for host in hosts}
    for host, server in servers.items():
        on(host, f"kill -STOP {server}")
    try:
        yield
    finally:
        for host, server in servers.items():
            on(host, f"kill -CONT {server}")


class OperatorTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        instances = [{"vrrp_instance": {"name": f"web{number}", "interface": "eth0", "virtual_router_id": number,
                                        "priority": PRIORITY, "advert_interval": "100ms",
                                        "addresses": [f"fe80::{number}" if number % 2 else f"10.250.0.{number}"]}}
                     for number in range(100, 106)]
        PLAYBOOK.write_text(json.dumps([{"name": "Directors", "hosts": "directors", "tasks": instances}]))
        done = drover("rollout")
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)

    def setUp(self):
        wait_until(lambda: drover("status").returncode == 0, 15, "all is well")

    def test_01_a_small_screen_shows_the_first_lines_and_how_many_are_missing(self):
        terminal = Terminal(8, 40, [DROVER, "status", *ASKED, "--watch", "0.2"])
        terminal.look_for("more lines", 3)
        shown = terminal.screen.lines_shown()
        self.assertTrue(terminal.screen.other)
        self.assertFalse(terminal.screen.cursor)
        self.assertEqual(terminal.screen.rolled, 0)
        self.assertTrue(shown[0].startswith(str(PLAYBOOK)[:20]))
        self.assertRegex(shown[6], r"^… \d\d more lines$")
        self.assertTrue(any(len(line) == 40 and line.endswith("…") for line in shown), "lines are cut at the edge")
        self.assertEqual(terminal.interrupt(), 0)
        self.assertFalse(terminal.screen.other)
        self.assertTrue(terminal.screen.cursor)
        self.assertEqual((terminal.screen.column, terminal.screen.lines_shown()[-1]), (0, ""), "a line of its own for the prompt")
        self.assertIn("web105", terminal.raw.rpartition("\x1b[?1049l")[2], "the whole last look stays")

    def test_02_a_screen_that_is_large_enough_shows_all_and_redraws_in_place(self):
        terminal = Terminal(60, 150, [DROVER, "status", *ASKED, "--watch", "0.2"])
        terminal.look_for("INSTANCE", 5)
        shown = terminal.screen.lines_shown()
        self.assertEqual(sum("INSTANCE" in line for line in shown), 1)
        self.assertFalse(any("more lines" in line for line in shown))
        self.assertEqual(terminal.interrupt(), 0)

    def test_03_ctrl_c_before_the_first_answer_leaves_the_terminal_alone(self):
        with silent("d1", "d2"):
            terminal = Terminal(24, 80, [DROVER, "status", *ASKED, "--watch"])
            self.assertTrue(terminal.look(1))
            terminal.interrupt()
        self.assertNotIn("\x1b", terminal.raw)

    def test_04_a_dumb_terminal_and_a_pipe_get_one_table_after_the_other(self):
        terminal = Terminal(24, 80, [DROVER, "status", *ASKED, "--watch", "0.3"], kind="dumb")
        terminal.look_for("INSTANCE", 3)
        terminal.interrupt()
        pipe = subprocess.Popen([DROVER, "status", *ASKED, "--watch", "0.3"], stdout=subprocess.PIPE, text=True)
        output = ""
        while output.count("INSTANCE") < 3:
            output += pipe.stdout.readline()
        pipe.send_signal(signal.SIGINT)
        output += pipe.communicate(timeout=20)[0]
        for text in (terminal.raw, output):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("more lines", text)
        self.assertTrue(output.endswith("\n"))

    def test_05_a_reader_that_goes_away_ends_the_watch(self):
        pipe = subprocess.Popen([DROVER, "status", *ASKED, "--watch", "0.2"], stdout=subprocess.PIPE, text=True)
        pipe.stdout.readline()
        pipe.stdout.close()
        pipe.wait(timeout=60)

    def test_06_handover_says_beforehand_and_afterwards_what_moves(self):
        foretold = json.loads(drover("handover", "--check", "--output", "json").stdout)
        self.assertEqual({(step["before"], step["would"], step["host"], *step["heirs"]) for step in foretold},
                         {("d1", "yield", "d1", "d2")})
        self.assertEqual(len(foretold), 6)
        self.assertIn("web100 (10.250.0.100): d1 would hand over, d2 can take over", drover("handover", "--check").stdout)
        done = json.loads(drover("handover", "--instance", "web101", "--output", "json").stdout)
        self.assertEqual([(step["instance"], step["before"], step["after"]) for step in done], [("web101", "d1", "d2")])
        self.assertIn("web101 (fe80::101): d1 may be master again", drover("handover", "--back", "--check").stdout)
        back = json.loads(drover("handover", "--back", "--output", "json").stdout)
        self.assertEqual([(step["instance"], step["before"], step["after"]) for step in back], [("web101", "d2", "d1")])

    def test_07_hosts_that_give_no_answer_are_named_with_the_reason(self):
        with silent("d2"):
            done = drover("handover", "-T", "2")
            self.assertEqual(done.returncode, 4)
            self.assertIn("no backup that could take over from d1: d2 gave no answer (", done.stderr)
            status = json.loads(drover("status", "-T", "2", "--output", "json").stdout)
            self.assertTrue(status["hosts"]["d2"]["unreachable"])
        with silent("d1", "d2"):
            done = drover("handover", "-T", "2")
            self.assertEqual((done.returncode, done.stdout), (4, ""))
            self.assertRegex(done.stderr, r"none of the hosts can be asked: d1 gave no answer \(.*\); d2 gave no answer \(.*\)\n$")
            self.assertEqual(drover("status", "-T", "2").returncode, 4)

    def test_08_a_daemon_that_does_not_run_is_no_silence(self):
        on("d2", "/var/lib/drover/node-helper daemon --stop")
        try:
            self.assertRegex(drover("status").stdout, r"d2 +not running")
            self.assertIn("d2: the helper's daemon does not run", drover("handover").stderr)
        finally:
            on("d2", "/var/lib/drover/node-helper daemon --detach")

    def test_99_uninstall_leaves_nothing(self):
        for host in ("d2", "d1"):
            on(host, "/var/lib/drover/node-helper uninstall")


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast=os.environ.get("FAILFAST") == "1")
