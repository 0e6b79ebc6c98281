"""Runs that are not confirmed, in the lab: who has the node, and that it goes back by itself whoever is killed. The real
helper, the real kernel; sessions are spoken by hand, so that they can be cut anywhere.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/transaction_test.py [TEST…]
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import addresses, on, wait_until  # noqa: E402

HELPER = os.path.abspath(os.environ.get("HELPER", "build/node-helper"))
HOST = "d1"
LEASE = 3.0
SLACK = 4.0  # on a busy machine
OLD, NEW = "10.250.0.210", "10.250.0.211"
NUMBERS = itertools.count(1)


def run_of(run_id=None, owner="web", generation=0):
    return {"run_id": run_id or f"run-{next(NUMBERS)}", "owner": owner, "playbook": "web.yml", "playbook_hash": "", "user": "ann",
            "control_host": "control", "pid": 1, "command": "rollout", "generation": generation}


def state_of(*fixed, arp_ignore="1"):
    return {"addresses": [{"interface": "lo", "prefix": f"{address}/32", "announce": False} for address in fixed],
            "sysctls": [{"key": "net/ipv4/conf/eth0/arp_ignore", "value": arp_ignore}], "services": []}


def begin(lease=LEASE, revert=True, take_over="", digest=""):
    return {"kind": "begin", "lease_ms": int(lease * 1000), "revert": revert, "take_over": take_over, "expected_digest": digest}


def changes_to(state):
    return [{"kind": "converge", "state": state}, {"kind": "prune", "whole": state, "unsettled": []}]


def shell(script):
    return {"kind": "command", "argv": ["/bin/sh", "-c", script], "chdir": "", "creates": "", "removes": "", "stdin": "",
            "reports_change": True}


class Session:
    """One `node-helper apply` that stays open until it is closed or killed."""

    command = None  # when it is not the plain one

    def __init__(self, run, host=HOST):
        self.run = run
        self.results, self.done, self.errors = [], [], []
        command = self.command or ["lab-ctl", "exec", host, "--", "/bin/sh", "-c", f"echo $$; exec {HELPER} apply"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = int(self._process.stdout.readline())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue  # a host that goes down says so
            event = json.loads(line)
            {"task_result": self.results, "program_done": self.done, "error": self.errors}.get(event["type"], []).append(event)

    def start(self, *actions, check=False):
        tasks = [{"id": number, "name": action["kind"], "action": action, "check": check, "diff": False, "secret": False,
                  "ignore_errors": False, "timeout_ms": 0} for number, action in enumerate(actions)]
        self._send({"type": "program", "run": self.run, "tasks": tasks})

    def do(self, *actions, check=False):
        """A program to its end; its results."""
        count, before = len(self.done), len(self.results)
        self.start(*actions, check=check)
        wait_until(lambda: len(self.done) > count or self.errors, 60, lambda: f"{actions}: {self.results} {self.errors}")
        if self.errors:
            raise AssertionError(str(self.errors))
        return self.results[before:]

    def pulse(self):
        self._send({"type": "pulse", "run_id": self.run["run_id"]})

    def _send(self, message):
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def close(self):
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        self._reader.join(10)
        self._process.stdout.close()

    def kill(self, host=HOST):
        on(host, f"kill -9 {self.pid}", check=False)
        self.close()


def one(run, *actions, check=False, host=HOST):
    with Session(run, host) as session:
        return session.do(*actions, check=check)[-1]


def pending(host=HOST):
    return on(host, "test -e /var/lib/drover/pending/pending.json && echo yes", check=False) == "yes"


def locked(host=HOST):
    return on(host, "test -e /var/lib/drover/run_lock.json && echo yes", check=False) == "yes"


def guard_pid(host=HOST):
    """Of the guard, which is named what it is."""
    found = on(host, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '[ ]guard --detach' && "
                     "echo ${p#/proc/}; done", check=False).split()
    return int(found[0]) if found else None


def daemon_pids(host=HOST):
    return [int(word) for word in on(host, "cat /run/drover/daemon.pid").split()]


def sysctl(host=HOST):
    return on(host, "cat /proc/sys/net/ipv4/conf/eth0/arp_ignore")


class TransactionTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        run = run_of()
        with Session(run) as session:
            session.do(begin(lease=60))
            session.do(*changes_to(state_of(OLD)))
        result = one(run, {"kind": "confirm"})
        assert result["status"] == "ok", result

    def setUp(self):
        """A test that failed may have left a run behind."""
        wait_until(lambda: not pending(), 15, "no run is pending")
        on(HOST, "rm -f /var/lib/drover/run_lock.json")
        if not self.is_old():
            one(run_of(), *changes_to(state_of(OLD)))
        self.assertTrue(self.is_old(), self.look())

    def look(self):
        return addresses(HOST, "lo"), sysctl()

    def is_old(self):
        return OLD in addresses(HOST, "lo") and NEW not in addresses(HOST, "lo") and sysctl() == "1"

    def goes_back(self, seconds=LEASE + SLACK):
        wait_until(lambda: self.is_old() and not pending() and not locked(), seconds, lambda: f"back: {self.look()}")

    def change(self, session, state=None):
        result = session.do(*changes_to(state or state_of(NEW, arp_ignore="2")))[-1]
        self.assertNotEqual(result["status"], "failed", result)
        self.assertTrue(session.done[-1]["armed"])
        self.assertIn(NEW, addresses(HOST, "lo"))

    def begun(self, lease=LEASE):
        session = Session(run_of())
        self.addCleanup(session.close)
        result = session.do(begin(lease))[-1]
        self.assertEqual(result["status"], "ok", result)
        return session

    # --- who has the node

    def test_second_operator_is_told_who_has_the_node(self):
        first = self.begun()
        other = run_of()
        refused = one(other, begin())
        self.assertEqual(refused["status"], "failed")
        holder = refused["detail"]["holder"]
        self.assertEqual((holder["run"]["user"], holder["run"]["run_id"]), ("ann", first.run["run_id"]))
        self.assertIn(f"drover unlock --id {first.run['run_id']}", refused["message"])
        self.assertEqual(one(other, *changes_to(state_of(NEW)))["status"], "failed")
        time.sleep(LEASE + 0.2)
        self.assertEqual(one(other, begin())["status"], "ok")
        self.assertEqual(first.do(*changes_to(state_of(NEW)))[-1]["status"], "failed")
        self.assertEqual(one(other, {"kind": "release"})["status"], "ok")

    def test_unlock_takes_a_lock_by_its_id(self):
        first = self.begun(lease=60)
        self.assertEqual(one(run_of(), {"kind": "unlock", "lock_id": "no"})["status"], "failed")
        self.assertEqual(one(run_of(), {"kind": "unlock", "lock_id": first.run["run_id"]})["status"], "changed")
        self.assertFalse(locked())
        self.assertEqual(first.do(*changes_to(state_of(NEW)))[-1]["status"], "failed")

    # --- confirm

    def test_confirm_needs_a_session_of_its_own(self):
        session = self.begun()
        self.change(session)
        self.assertEqual(session.do({"kind": "confirm"})[-1]["status"], "failed")
        with Session(session.run) as fresh:
            self.assertTrue(fresh.do(begin())[-1]["detail"]["armed"])
            self.assertEqual(fresh.do({"kind": "confirm"})[-1]["status"], "ok")
        self.assertFalse(pending() or locked())
        wait_until(lambda: guard_pid() is None, 5, "the guard ends")
        time.sleep(LEASE + 1)
        self.assertIn(NEW, addresses(HOST, "lo"))
        # And back, as a run like any other.
        back = run_of()
        with Session(back) as session:
            session.do(begin(lease=30))
            self.assertNotEqual(session.do({"kind": "restore", "generation": 1})[-1]["status"], "failed")
        self.assertEqual(one(back, {"kind": "confirm"})["status"], "ok")
        listed = one(run_of(), {"kind": "generations"})["detail"]["generations"]
        self.assertEqual([entry["number"] for entry in listed], [3, 2, 1])

    def test_pulses_in_the_middle_of_a_task_keep_the_run_alive(self):
        session = self.begun()
        session.start(shell(f"sleep {2 * LEASE}"))
        for _ in range(int(2 * LEASE) + 1):
            time.sleep(1)
            session.pulse()
        wait_until(lambda: len(session.done) == 2, 10, "the task ends")
        self.assertEqual(session.results[-1]["status"], "changed", session.results[-1])
        self.assertEqual(session.do({"kind": "revert", "reason": "test"})[-1]["status"], "ok")

    def test_revert_by_the_orchestrator(self):
        session = self.begun(lease=30)
        self.change(session)
        self.assertEqual(one(session.run, {"kind": "revert", "reason": "lb2 failed"})["status"], "changed")
        self.goes_back(1)

    # --- going back alone

    def test_killed_session(self):
        session = self.begun()
        self.change(session)
        session.kill()
        self.goes_back()

    def test_session_that_hangs_in_a_command(self):
        session = self.begun()
        session.start(*changes_to(state_of(NEW, arp_ignore="2")), shell("echo begun > /run/hangs; sleep 300"))
        wait_until(lambda: on(HOST, "cat /run/hangs", check=False) == "begun", 10, "the command runs")
        self.goes_back(LEASE + SLACK + 6)
        self.assertEqual(on(HOST, "pgrep -f '[s]leep 300'", check=False), "")

    def test_killed_guard_is_replaced_by_the_daemon(self):
        self.assertTrue(daemon_pids())
        session = self.begun()
        self.change(session)
        session.kill()
        before = guard_pid()
        on(HOST, f"kill -9 {before}")
        wait_until(lambda: guard_pid() not in (None, before) or self.is_old(), 3, "another guard")
        self.goes_back()

    def test_killed_daemon_leaves_it_to_the_guard(self):
        session = self.begun()
        self.change(session)
        pids = daemon_pids()
        on(HOST, f"kill -9 {' '.join(map(str, reversed(pids)))}")
        session.kill()
        self.goes_back()
        on(HOST, "/etc/init.d/drover-node-helper start")
        wait_until(lambda: on(HOST, f"{HELPER} status", check=False), 10, "the daemon runs again")
        self.assertTrue(self.is_old())

    def test_cable_that_is_cut_by_the_run_is_mended(self):
        """What cuts SSH for good: the address goes, the routes, the link."""
        before = on(HOST, "ip -o -4 addr show dev eth0; ip route")
        session = self.begun()
        result = session.do(shell("ip addr flush dev eth0; ip link set eth0 down"))[-1]
        self.assertEqual(result["status"], "changed", result)
        wait_until(lambda: on(HOST, "ip -o -4 addr show dev eth0; ip route") == before, LEASE + SLACK,
                   lambda: on(HOST, "ip -o -4 addr show dev eth0; ip route"))
        self.goes_back(2)

    def test_host_that_is_restarted(self):
        session = self.begun(lease=600)
        self.change(session)
        subprocess.run(["lab-ctl", "reboot", HOST], check=True, timeout=60)
        self.goes_back(15)

    def test_everybody_killed_at_once_and_the_next_run_takes_it_back(self):
        session = self.begun(lease=600)
        self.change(session)
        guard, pids = guard_pid(), daemon_pids()
        on(HOST, f"kill -9 {' '.join(map(str, reversed(pids)))} {guard} {session.pid}", check=False)
        session.close()
        self.assertIn(NEW, addresses(HOST, "lo"))
        other = run_of(owner="dns")
        began = one(other, begin(take_over=session.run["run_id"]))
        self.assertEqual(began["status"], "changed", began)
        self.assertTrue(self.is_old())
        self.assertEqual(one(other, {"kind": "release"})["status"], "ok")
        on(HOST, "/etc/init.d/drover-node-helper start")

    def test_full_disk_changes_nothing(self):
        host = "d2"
        # A folder that has no room for what going back needs.
        on(host, "mkdir -p /var/lib/drover && mount -t tmpfs -o size=16k,mode=700 tmpfs /var/lib/drover")
        self.addCleanup(lambda: on(host, "umount /var/lib/drover", check=False))
        run = run_of()
        with Session(run, host) as session:
            self.assertEqual(session.do(begin())[-1]["status"], "ok")
            result = session.do(*changes_to(state_of(NEW)))[-1]
        self.assertEqual(result["status"], "failed")
        self.assertIn("No space left on device", result["message"])
        self.assertIn("nothing was changed", result["message"])
        self.assertNotIn(NEW, addresses(host, "lo"))
        self.assertFalse(pending(host))


if __name__ == "__main__":
    unittest.main(verbosity=2)
