"""kill -9 of the orchestrator at each step of a rollout: the cluster serves on, and the next run completes what was begun.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/killed_test.py [TEST…]

A run that is left alone says by its own events which steps there are. For each of them a run is killed when it gets there, while
the web server on the VIP is asked all the time. The next run comes at once, or after the hosts have gone back by themselves. The
web server is on the directors: a connection that is open while the address moves is lost, a new one is not. Needs no ip_vs.
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
from director_tools import PROBE, VIP, WEB_PORT, Prober, on, wait_until  # noqa: E402
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


def steps_of(number, until=None):
    """Carries out a rollout and kills it at step UNTIL; the steps that it came through."""
    child = subprocess.Popen([DROVER, *words(number, "--output", "jsonl", "--confirm-timeout", f"{LEASE:.0f}s")],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    steps = []
    with child:
        for line in child.stdout:
            step = step_of(json.loads(line))
            if step is not None and step not in steps:
                steps.append(step)
            if step is not None and step == until:
                child.kill()
                return steps
        said = child.stderr.read()
    if child.returncode != 0 or until is not None:
        raise AssertionError(f"{until}: exit {child.returncode} after {steps}\n{said}")
    return steps


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


class Killed(unittest.TestCase):
    maxDiff = None
    steps = []

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

    def test_01_the_steps_of_a_rollout_that_is_left_alone(self):
        PLAYBOOK.write_text(PLAY)
        for host in DIRECTORS:
            on(host, f"setsid {PROBE} serve {host} 0.0.0.0:5000 0.0.0.0:{WEB_PORT} >/run/serve.log 2>&1 </dev/null &")
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
        steps_of(number, until=step)
        if waits:
            wait_until(lambda: not left_behind(), LEASE + SLACK, f"{step}: nobody is locked or armed any more")
            # All together, but for a run that was killed while it told them one after the other.
            if "to confirm" not in step and not step.startswith("confirm"):
                self.assertEqual(set(rounds().values()), {number - 1}, step)
        self.expect_completed(number, step)
        self.expect_served(prober, step)
        print(f"\n    {step}: {time.monotonic() - begun:.1f} s{', gone back before' if waits else ''}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
