"""kill -9 of the orchestrator at each step of a rollout, and nodes that are rebooted in mid-run: the cluster serves on, and the next
run completes what was begun.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/killed_test.py [TEST…]

A run that is left alone says by its own events which steps there are. For each of them a run is killed when it gets there, while
the web server on the VIP is asked all the time. The next run comes at once, or after the hosts have gone back by themselves. The
web server is on the directors: a connection that is open while the address moves is lost, a new one is not. A node is rebooted by a
power cut while it is at work, while others are, and right before the end. Needs no ip_vs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from director_case import DROVER, drover, holds_vip  # noqa: E402
from director_tools import PROBE, VIP, WEB_PORT, Prober, lab, on, wait_until  # noqa: E402
from recap import recap  # noqa: E402

INVENTORY = "tests/lab/inventories/pair.yml"
PLAYBOOK = pathlib.Path(tempfile.mkdtemp(prefix="killed-")) / "site.yml"
DIRECTORS = ["director1", "director2"]
REAL = ["real1", "real2", "real3"]
LEASE = 5.0
SLACK = 6.0  # on a busy machine
PACE = 50
GAP = 1.5  # s without an answer; a takeover by silence takes 0.7 s here, a planned move none

PLAY = f"""
- hosts: real_servers
  tasks:
    - vip: {{address: "10.77.1.{{{{ round }}}}", interface: lo}}
- hosts: directors
  tasks:
    - sysctl: {{net.ipv4.tcp_fin_timeout: "{{{{ 30 + round | int }}}}"}}
    - vrrp_instance: {{name: web, interface: eth0, virtual_router_id: 51, advert_interval: 200ms, addresses: [{VIP}],
                      priority: "{{{{ 150 if inventory_hostname == 'director1' else 100 }}}}"}}
"""


def words(number, *more):
    return ["rollout", str(PLAYBOOK), "-i", INVENTORY, "-e", f"round={number}", *more]


def step_of(event):
    """A name for what the run has come to; None where it is no step of its own."""
    hosts = event.get("hosts") or [event.get("host", "")]
    who = "all" if len(hosts) > 3 else "real servers" if hosts[0] in REAL else hosts[0]
    if event["event"] == "answer":
        return f"answer to {event['to']}" if event["to"] in ("begin", "renew") else f"answer of {who} to {event['to']}"
    if event["event"] in ("begin", "renew"):
        return event["event"]
    known = ("work", "at_work", "foresee", "handover", "check_in", "return", "confirm")
    return f"{event['event']} {who}" if event["event"] in known else None


def follow(number, until=None, then=None):
    """Carries out a rollout, and THEN(it) when it gets to step UNTIL; the steps that it came through, its exit status, its recap and
    its errors."""
    child = subprocess.Popen([DROVER, *words(number, "--output", "jsonl", "--confirm-timeout", f"{LEASE:.0f}s")],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    steps, ended = [], {}
    with child:
        for line in child.stdout:
            event = json.loads(line)
            ended = event if event["event"] == "recap" else ended
            step = step_of(event)
            if step is None:
                continue
            if step == until and step not in steps:
                then(child)
            if step not in steps:
                steps.append(step)
        said = child.stderr.read()
    if until is not None and until not in steps:
        raise AssertionError(f"{until}: exit {child.returncode} after {steps}\n{said}")
    return steps, child.returncode, ended, said


def steps_of(number):
    """Of a rollout that is left alone."""
    steps, status, _, said = follow(number)
    if status != 0:
        raise AssertionError(f"exit {status} after {steps}\n{said}")
    return steps


def serve(host):
    on(host, f"setsid {PROBE} serve {host} 0.0.0.0:5000 0.0.0.0:{WEB_PORT} >/run/serve.log 2>&1 </dev/null &")


def left_behind():
    """Hosts that are locked or would go back, as their helpers say. The record of a lock that has expired lies there still."""
    look = "s=$(/var/lib/drover/node-helper status) || echo no status; echo \"$s\" | grep '^RUN: '; ls /var/lib/drover/pending/pending.json 2>/dev/null"
    return [host for host in DIRECTORS + REAL if on(host, look, check=False)]


def rounds():
    """{host: the round whose state it has}"""
    has = {host: int(on(host, "cat /proc/sys/net/ipv4/tcp_fin_timeout")) - 30 for host in DIRECTORS}
    for host in REAL:
        found = [word for word in on(host, "ip -4 -br addr show dev lo").split() if word.startswith("10.77.1.")]
        has[host] = int(found[0].split(".")[3].split("/")[0]) if len(found) == 1 else found
    return has


class RunsThatAreCut(unittest.TestCase):
    maxDiff = None

    def expect_served(self, prober, what):
        result = prober.result()
        self.assertGreater(result.answered(), PACE / 2, f"{what}: {result}")
        self.assertLess(result.series["http"]["gap_ms"] / 1000, GAP, f"{what}: {result}")

    def probing(self):
        prober = Prober(PACE, 0, datagrams=0)
        self.addCleanup(prober.kill)
        return prober

    def expect_completed(self, number, what):
        done = drover(*words(number))
        self.assertEqual(done.returncode, 0, f"{what}: {done.stdout}{done.stderr}")
        for host, counts in recap(done.stdout).items():
            self.assertEqual((counts["failed"], counts["unreachable"]), (0, 0), f"{what}: {host}")
        self.assertEqual(rounds(), dict.fromkeys(DIRECTORS + REAL, number), what)
        self.assertEqual(left_behind(), [], what)


class Killed(RunsThatAreCut):
    steps = []

    def test_01_the_steps_of_a_rollout_that_is_left_alone(self):
        PLAYBOOK.write_text(PLAY)
        for host in DIRECTORS:
            serve(host)
        self.expect_completed(1, "the first run")
        wait_until(lambda: holds_vip("director1"), 10, "director1 is master")
        time.sleep(1)
        prober = self.probing()
        Killed.steps = steps_of(2)
        self.expect_served(prober, "left alone")
        print("\n    " + ", ".join(self.steps), file=sys.stderr)
        for step in ("at_work real servers", "answer of director1 to handover", "answer of director1 to return", "renew",
                     "answer of real servers to confirm", "answer of director1 to confirm"):
            self.assertIn(step, self.steps)

    def test_02_killed_at_any_step(self):
        self.assertTrue(self.steps)
        for number, step in enumerate(self.steps, start=3):
            with self.subTest(step=step):
                self.killed_at(step, number, waits=number % 2 == 1)

    def killed_at(self, step, number, waits):
        wait_until(lambda: holds_vip("director1") and not holds_vip("director2"), 15, "director1 is master")
        prober = self.probing()
        begun = time.monotonic()
        follow(number, step, subprocess.Popen.kill)
        if waits:
            wait_until(lambda: not left_behind(), LEASE + SLACK, f"{step}: nobody is locked or armed any more")
            # All together, but for a run that was killed while it told them one after the other.
            if "to confirm" not in step and not step.startswith("confirm"):
                self.assertEqual(set(rounds().values()), {number - 1}, step)
            wait_until(lambda: holds_vip("director1") and not holds_vip("director2"), 5, f"{step}: who handed over for the run is back")
        self.expect_completed(number, step)
        self.expect_served(prober, step)
        print(f"\n    {step}: {time.monotonic() - begun:.1f} s{', gone back before' if waits else ''}", file=sys.stderr)


class Rebooted(RunsThatAreCut):
    """The same with a power cut of a node in place of the orchestrator's end."""
    # The node, the step, and how long after it. The first task of every host takes WORK.
    CASES = [("real2", "at_work real servers", 0.5), ("real2", "at_work director2", 0.3), ("director2", "at_work director2", 0.5),
             ("director1", "at_work director1", 0.5)]
    WORK = 1.5
    FIRST = 200

    def test_nodes_that_are_rebooted_in_mid_run(self):
        PLAYBOOK.write_text(PLAY.replace("  tasks:\n", f"  tasks:\n    - {{command: sleep {self.WORK}, changed_when: false}}\n"))
        for host in DIRECTORS:
            serve(host)
        self.expect_completed(self.FIRST, "the first run")
        for number, (host, step, later) in enumerate(self.CASES, start=self.FIRST + 1):
            with self.subTest(host=host, step=step):
                self.rebooted_at(host, step, later, number)
        with self.subTest("in the moment of the confirm"):
            self.rebooted_at_the_end("director2", number + 1)

    def run_with_a_reboot(self, host, step, later, number):
        """The exit status, the recap and the errors of a run in which the host is rebooted so long after the step."""
        wait_until(lambda: holds_vip("director1") and not holds_vip("director2"), 15, "director1 is master")

        def reboot(_run):
            time.sleep(later)
            lab("reboot", host)

        _, status, recap_line, said = follow(number, step, reboot)
        if host in DIRECTORS:
            wait_until(lambda: on(host, "ip -4 -br addr show dev eth0", check=False) != "", 10, f"{host} is up")
            serve(host)
        return status, recap_line, said

    def expect_nobody_left(self, what):
        wait_until(lambda: not left_behind(), LEASE + SLACK, f"{what}: nobody is locked or armed")
        wait_until(lambda: holds_vip("director1") and not holds_vip("director2"), 15, f"{what}: director1 is master")

    def rebooted_at_the_end(self, host, number):
        """It may be told that it keeps its changes before it falls, or not: the run says which, and the next one ends the matter."""
        status, recap_line, said = self.run_with_a_reboot(host, "renew", 0.0, number)
        self.expect_nobody_left("renew")
        self.assertEqual(rounds()[host], number if status == 0 else number - 1, said)
        if status != 0:
            self.assertIn(status, (2, 4), said)
            self.assertIn(host, recap_line["transaction"]["reason"])
        self.expect_completed(number, f"{host} at the end")

    def rebooted_at(self, host, step, later, number):
        prober = self.probing()
        begun = time.monotonic()
        status, recap_line, said = self.run_with_a_reboot(host, step, later, number)
        ended = time.monotonic()
        self.assertIn(status, (2, 4), f"{host}, {step}: {said}")
        lost = [name for name, counts in recap_line["stats"].items() if counts["failed"] or counts["unreachable"]]
        self.assertEqual(lost, [host], f"{step}: {recap_line}\n{said}")
        self.expect_nobody_left(f"{host}, {step}")
        wait_until(lambda: set(rounds().values()) == {number - 1}, SLACK, f"{host}, {step}: all are back at {number - 1}")
        self.expect_completed(number, f"{host}, {step}")
        if host == "director1":  # who serves is cut off itself, once as master
            self.assertGreater(prober.result().answered(), PACE / 2)
        else:
            self.expect_served(prober, f"{host}, {step}")
        print(f"\n    {host} rebooted at {step}: ended after {ended - begun:.1f} s with {status}, all is well after "
              f"{time.monotonic() - begun:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
