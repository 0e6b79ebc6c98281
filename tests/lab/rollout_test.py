"""How a rollout goes over its hosts: order, batches, two operators, Ctrl-C, a run that dies.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/rollout_test.py [TEST…]

Tests run in the order of writing; each leaves director1 as master. Needs no ip_vs.
"""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recap import recap  # noqa: E402
from vrrp_tools import on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "tests/lab/inventories/pair.yml"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="rollout-"))
DIRECTORS = """- hosts: directors
  tasks:
    - sysctl: {net.ipv4.conf.all.send_redirects: REDIRECTS}
    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, advert_interval: 200ms, addresses: [10.77.0.100],
                      priority: "{{ 150 if inventory_hostname == 'director1' else 100 }}"}
"""
REAL = ["real1", "real2", "real3"]


def playbook(name, text):
    path = FOLDER / f"{name}.yml"
    path.write_text(text)
    return str(path)


def start(path, *words):
    return subprocess.Popen([DROVER, "rollout", path, "-i", INVENTORY, *words], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def rollout(path, *words):
    child = start(path, *words)
    output = child.communicate(timeout=120)[0]
    return child.returncode, output


def on_terminal(path, columns):
    """Everything that it writes to a terminal of this width."""
    pid, door = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", NO_COLOR="1")
        os.execv("/bin/sh", ["sh", "-c", f"stty cols {columns} rows 24; exec {DROVER} rollout {path} -i {INVENTORY}"])
    written = b""
    while True:
        try:
            written += os.read(door, 65536)
        except OSError:
            os.close(door)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written.decode()


class Screen:
    """A terminal of endless height: what is on it after everything was written."""

    def __init__(self, written):
        self.lines, self.row = [""], 0
        for up, erase, text in re.findall(r"\x1b\[(\d+)A|(\x1b\[J)|([^\x1b]+)", written):
            self.row -= int(up or 0)
            if erase:
                self.lines = self.lines[:self.row] + [""]
            for piece in re.findall(r"[^\r\n]+|\r\n|\r", text):
                if piece == "\r\n":
                    self.row += 1
                    self.lines += [""] * (self.row + 1 - len(self.lines))
                elif piece != "\r":
                    self.lines[self.row] += piece


def owns(host):
    return "10.77.0.100" in on(host, "ip -4 -br addr show dev eth0")


def on_loopback(last):
    return [host for host in REAL if f"10.77.1.{last}/32" in on(host, "ip -4 -br addr show dev lo")]


def servers(last, more="", play=""):
    return playbook("servers", f"- hosts: real_servers\n{play}  tasks:\n"
                    f"    - vip: {{address: 10.77.1.{last}, interface: lo}}\n{more}")


SLOW = "    - {command: sleep 3, changed_when: false}\n"


class Rollout(unittest.TestCase):
    def test_01_the_master_comes_last_hands_over_before_and_is_master_again(self):
        status, output = rollout(playbook("pair", DIRECTORS.replace("REDIRECTS", "0")))
        self.assertEqual(status, 0, output)
        self.assertIn("Generation 1 confirmed on 2 hosts.", output)
        wait_until(lambda: owns("director1"), 10, "director1 is master")
        time.sleep(1)
        status, output = rollout(playbook("pair", DIRECTORS.replace("REDIRECTS", "1")))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"(?s)changed: \[director2\].*\[director1\]: handed over.*changed: \[director1\]")
        self.assertIn("Generation 2 confirmed on 2 hosts.", output)
        wait_until(lambda: owns("director1") and not owns("director2"), 10, "director1 is master again")

    def test_02_a_run_that_changes_nothing_hands_nothing_over_and_says_nothing(self):
        status, output = rollout(playbook("pair", DIRECTORS.replace("REDIRECTS", "1")))
        self.assertEqual(status, 0, output)
        self.assertNotRegex(output, r"handed over|Generation|note:")
        self.assertTrue(owns("director1"))

    def test_03_a_failed_batch_takes_all_back_and_names_who_was_not_attempted(self):
        bad = "    - {command: /bin/false, when: inventory_hostname == 'real2'}\n"
        status, output = rollout(servers(1, bad, "  serial: 1\n"))
        self.assertEqual(status, 2, output)
        self.assertRegex(output, r"real3 +: not attempted")
        self.assertEqual(recap(output)["real2"]["failed"], 1)
        self.assertEqual(on_loopback(1), [])

    def test_04_a_failure_within_the_budget_takes_only_its_host_back(self):
        bad = "    - {command: /bin/false, when: inventory_hostname == 'real2'}\n"
        status, output = rollout(servers(1, bad, "  max_fail_percentage: 40\n"), "--output", "json")
        self.assertEqual(status, 2, output)
        hosts = json.loads(output[output.index("\n{") if not output.startswith("{") else 0:])["transaction"]["hosts"]
        self.assertEqual(hosts, {"real1": "confirmed", "real2": "reverted", "real3": "confirmed"})
        self.assertEqual(on_loopback(1), ["real1", "real3"])

    def test_05_the_second_operator_is_told_who_holds_the_hosts(self):
        first = start(servers(2, SLOW.replace("3", "8")))
        time.sleep(1.5)
        begun = time.monotonic()
        status, output = rollout(servers(2, SLOW))
        self.assertEqual(status, 2, output)
        self.assertRegex(output, r"real1 real2 real3: locked by \S+ from \S+ \(\"rollout\", process \d+\) since")
        self.assertIn("drover unlock --id ", output)
        self.assertLess(time.monotonic() - begun, 4, "it is told while the first one's task is at work")
        self.assertIn("confirmed on 3 hosts", first.communicate(timeout=60)[0])
        self.assertEqual(on_loopback(2), REAL)

    def test_06_a_run_whose_drover_is_killed_is_completed_by_the_next(self):
        child = start(servers(3, SLOW))
        time.sleep(1.5)
        child.kill()
        child.communicate()
        self.assertEqual(on_loopback(3), REAL)
        status, output = rollout(servers(3))
        self.assertEqual(status, 0, output)
        self.assertIn("which has died", output)
        self.assertRegex(output, r"Generation \d+ confirmed on 3 hosts")
        self.assertEqual(on_loopback(3), REAL)

    def test_07_ctrl_c_once_confirms_what_is_at_work_and_twice_takes_it_back(self):
        child = start(servers(4, SLOW))
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        output = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, 99, output)
        self.assertRegex(output, r"Generation \d+ confirmed on 3 hosts")
        child = start(servers(5, SLOW))
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        output = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, 99, output)
        self.assertIn("Rolled back, as before the run: real1, real2, real3.", output)
        self.assertEqual((on_loopback(4), on_loopback(5)), (REAL, []))

    def test_08_a_host_that_cuts_itself_off_goes_back_by_itself_and_takes_the_others_along(self):
        cut = "    - {command: ip link set eth0 down, when: inventory_hostname == 'real3'}\n"
        status, output = rollout(servers(6, cut), "--confirm-timeout", "5s", "-T", "3")
        self.assertIn(status, (2, 4), output)
        wait_until(lambda: on_loopback(6) == [], 10, "all are back")
        self.assertRegex(on("real3", "ip -4 -br addr show dev eth0"), "10.77.0.23")

    def test_09_without_rollback_a_failure_leaves_things_as_they_are(self):
        bad = "    - {command: /bin/false, when: inventory_hostname == 'real2'}\n"
        status, output = rollout(servers(7, bad), "--no-rollback")
        self.assertEqual(status, 2, output)
        self.assertEqual(on_loopback(7), REAL)
        self.assertTrue(re.search(r"Left as they are, changed in part: real2", output), output)

    def test_10_lines_about_what_is_under_way_leave_the_report_as_it_is_on_a_pipe(self):
        still = playbook("still", "- name: Still\n  hosts: real_servers\n  serial: 2\n  tasks:\n"
                         "    - {name: a long one, command: sleep 1.2, changed_when: false}\n")
        status, plain = rollout(still)
        self.assertEqual(status, 0, plain)
        self.assertNotIn("\x1b", plain)
        for columns in (80, 30):
            status, written = on_terminal(still, columns)
            self.assertEqual(status, 0, written)
            self.assertRegex(written, r"\[#{10}\.{10}\] (Still, batch 2 of 2: 0 of 1 hosts through, \ds|Stil.*…)\r\n"
                                      r"  real3 +\ds +\S")
            # Hosts of a batch answer in any order.
            self.assertEqual(sorted(Screen(written).lines), sorted(plain.split("\n")))
            live = re.findall(r"^(?:\x1b\[J)?(\[[#.]{20}.*|  real\d +\d+s .*)\r$", written, re.M)
            self.assertGreater(len(live), 4, written)
            self.assertLess(max(map(len, live)), columns, live)


if __name__ == "__main__":
    unittest.main(verbosity=2)
