"""kill -9 in mid-drill, for every fault that this kernel allows: of the orchestrator, of the SSH connection to the target, of the
helper there. The target is as before by itself, in the time that was promised, and the next drill tells what became of this one.

    tests/lab/lab --engine native -i tests/lab/inventories/drill_pairs.yml -- /usr/bin/python3 tests/lab/drill_killed_test.py [TEST…]

Pairs of directors are drilled side by side; what the probes saw is other tests' matter. Needs no ip_vs.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from fault_test import differences, journals, processes, snapshot_of  # noqa: E402
from transaction_test import Session, begin, run_of  # noqa: E402
from vrrp_tools import on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "tests/lab/inventories/drill_pairs.yml"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="drill-killed-"))
DURATION = 4.0
LEASE = 5.0  # of a drill whose orchestrator is silent
LOCK = 15.0  # how long its hosts are kept for it
BOOT = 15.0
LATE = 6.0  # on a busy machine
HEALED = 30.0  # until the VIP is back and all is as it was
TRIES = 4
# What each pair goes through, one after the other. A clock is not a lab host's own.
FAULTS = {
    "a": ["disk-full", "director-crash", "vrrp-loss", "failback"],
    "b": ["helper-kill", "director-isolated", "handover", "sync-cut"],
    "c": ["helper-freeze", "link-down", "vip-lost"],
    "d": ["vrrp-split", "reboot", "cpu-starved"],
}
NEVER = {"clock-jump"}
PLAY = """- hosts: pair_{pair}
  tasks:
    - vrrp_instance: {{name: web, interface: eth0, virtual_router_id: {number}, advert_interval: 200ms, addresses: [{vip}],
                      priority: "{{{{ 150 if inventory_hostname == '{pair}1' else 100 }}}}"}}
"""


class Pair:
    """Two directors, their playbook, and the drills that were run with it."""

    def __init__(self, name):
        self.name, self.master, self.backup = name, f"{name}1", f"{name}2"
        number = 51 + "abcd".index(name)
        self.vip = f"10.77.0.{50 + number}"
        self.playbook = FOLDER / f"{name}.yml"
        self.playbook.write_text(PLAY.format(pair=name, number=number, vip=self.vip))
        self.state = FOLDER / name
        self.environment = os.environ | {"XDG_STATE_HOME": str(self.state)}
        self.killed = ""  # the drill whose orchestrator was killed last

    def words(self, fault):
        return [DROVER, "drill", "run", fault, str(self.playbook), "-i", INVENTORY, "--yes", "--settle", "1s", "--duration",
                f"{DURATION:.0f}s", "--rate", "10", "--loss", "0.3", "--no-control-probe", "--may-cut-ssh"]

    def drover(self, *words):
        done = subprocess.run([DROVER, *words, "-i", INVENTORY], capture_output=True, text=True, timeout=180, check=False,
                              env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def prepare(self):
        for host in (self.master, self.backup):
            on(host, "mkdir -p /var/log/drover; mount -o remount,size=24m /run; mount -t tmpfs -o size=24m log /var/log/drover")
        status, output, errors = self.drover("rollout", str(self.playbook))
        assert status == 0, output + errors
        self.wait_home()

    def owns(self, host):
        return f" {self.vip}/" in on(host, "ip -o -4 addr show dev eth0", check=False)

    def wait_home(self):
        wait_until(lambda: self.owns(self.master) and not self.owns(self.backup), HEALED, lambda: f"the VIP is at {self.master}")

    def snapshots(self):
        found = {}
        for host in (self.master, self.backup):
            with Session(run_of(), host) as session:
                found[host] = snapshot_of(session)
        return found

    def changed_since(self, before):
        after = self.snapshots()
        left = {host: differences(before[host], after[host]) for host in before}
        left |= {f"leftovers of {host}": look["leftovers"] for host, look in after.items()}
        return {host: what for host, what in left.items() if what}

    def newest(self):
        return max((self.state / "drover/drills").iterdir()).name

    def start(self, fault, until):
        """The process of a drill that has come to the line UNTIL, and all that it said. What keeps it from there (a machine too
        busy for clean probes) is tried again."""
        said = ""
        for _ in range(TRIES):
            child = subprocess.Popen(self.words(fault), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     env=self.environment)
            for line in child.stdout:
                said += line
                if until in line:
                    return child, said
            child.wait()
            time.sleep(1)
        raise AssertionError(f"{fault} on pair {self.name}: never came to \"{until}\"\n{said}")

    def expect_clean(self, before, since, promised, what):
        """Nothing of the drill is on its node in the time promised, and the pair becomes what it was."""
        def over():
            return not journals(self.master) and not processes(self.master)
        left = max(0.0, since + promised + LATE - time.monotonic())
        wait_until(over, left, lambda: f"{what}: {journals(self.master)} {processes(self.master)}")
        took = time.monotonic() - since
        self.wait_home()
        changed = {}

        def same():
            nonlocal changed
            changed = self.changed_since(before)
            return not changed
        wait_until(same, HEALED, lambda: f"{what}: {changed}")
        rules = on(self.master, "nft list ruleset 2>/dev/null", check=False)
        assert "drover_drill" not in rules, (what, rules)
        return took

    def expect_unlocked(self, since):
        """Another operator gets both hosts when the lease of the lock is over, not before."""
        for host in (self.master, self.backup):
            with Session(run_of(owner="other"), host) as session:
                def mine(session=session):
                    return session.do(begin())[-1]["status"] == "ok"
                first = mine()
                assert not first or time.monotonic() - since > LOCK / 2, f"{host} was free at once"
                if not first:
                    wait_until(mine, max(1.0, since + LOCK + LATE - time.monotonic()), f"the lock of {host} is released")
                session.do({"kind": "release"})


def side_by_side(work, pairs):
    with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
        for done in [pool.submit(work, pair) for pair in pairs]:
            done.result()


class DrillKilledTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pairs = {name: Pair(name) for name in FAULTS}
        side_by_side(Pair.prepare, cls.pairs.values())

    def test_1_the_orchestrator_is_killed_under_every_fault(self):
        status, output, errors = self.pairs["a"].drover("drill", "list", str(self.pairs["a"].playbook), "--output", "json")
        self.assertEqual(status, 0, output + errors)
        listed = json.loads(output)
        cuts = "allow that explicitly"  # with --may-cut-ssh it is
        possible = {one["fault"] for one in listed if all(cuts in obstacle for obstacle in one["obstacles"])}
        self.assertEqual(possible - NEVER, {fault for faults in FAULTS.values() for fault in faults})
        side_by_side(self.kill_all, self.pairs.values())

    def kill_all(self, pair):
        for fault in FAULTS[pair.name]:
            pair.wait_home()
            before = pair.snapshots()
            until = "has handed the VIP over" if fault == "failback" else "injecting"
            child, said = pair.start(fault, until)
            self.expect_told(pair, said)
            since = time.monotonic()
            time.sleep(0.7)
            child.kill()
            child.communicate(timeout=30)
            pair.killed = pair.newest()
            killed_at = time.monotonic()
            promised = {"failback": LEASE, "reboot": BOOT}.get(fault, DURATION)
            took = pair.expect_clean(before, since, promised, fault)
            print(f"\n    {fault} on {pair.master}: killed after {killed_at - since:.1f} s, clean after {took:.1f} s", file=sys.stderr)
            if fault == FAULTS[pair.name][-1]:
                pair.expect_unlocked(killed_at)
        child, said = pair.start("vip-lost", "injecting")
        said += child.communicate(timeout=120)[0]
        self.assertIn(child.returncode, (0, 2, 3), said)
        self.expect_told(pair, said)
        self.assertIn("Nothing is left behind.", said)

    def expect_told(self, pair, said):
        """The drill that was killed before is told of by the next one, and its journal closed."""
        if not pair.killed:
            return
        self.assertIn(f"Drill {pair.killed}: interrupted, clean", said)
        journal = json.loads((pair.state / "drover/drills" / pair.killed / "journal.json").read_text())
        self.assertEqual(journal["verdict"]["kind"], "aborted-clean", said)
        pair.killed = ""

    def test_2_the_way_to_the_target_is_cut(self):
        """All of the host's sshd but the one that listens."""
        cut = ("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^sshd: [^/]' && "
               "kill -9 ${p#/proc/} && echo ${p#/proc/}; done; true")
        faults = {"a": "disk-full", "b": "sync-cut", "c": "vrrp-split", "d": "helper-freeze"}
        side_by_side(lambda pair: self.expect_finished(pair, faults[pair.name], cut), self.pairs.values())

    def test_3_the_helper_of_the_target_is_killed(self):
        """Its worker, which the supervisor starts anew, and the session of the drill."""
        kill = ("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q 'node-helper[^ ]* apply' && "
                "kill -9 ${p#/proc/} && echo ${p#/proc/}; done; kill -9 $(head -1 /run/drover/daemon.pid)")
        faults = {"a": "disk-full", "b": "sync-cut", "c": "vrrp-split", "d": "handover"}
        side_by_side(lambda pair: self.expect_finished(pair, faults[pair.name], kill), self.pairs.values())

    def expect_finished(self, pair, fault, harm):
        """The drill goes on to its verdict, and leaves nothing."""
        pair.wait_home()
        before = pair.snapshots()
        child, said = pair.start(fault, "injecting")
        since = time.monotonic()
        time.sleep(0.7)
        self.assertNotEqual(on(pair.master, harm), "", "somebody was killed")
        said += child.communicate(timeout=150)[0]
        self.assertIn(child.returncode, (0, 2, 3, 5), said)
        self.assertIn("Nothing is left behind.", said)
        pair.expect_clean(before, since, time.monotonic() - since, fault)


if __name__ == "__main__":
    try:
        unittest.main(verbosity=2)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
