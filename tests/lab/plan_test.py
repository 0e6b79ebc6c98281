"""Plans and the way back: plan, apply, stale plans, generations, rollback, unlock, rerun, JSON lines.

Runs on the control host of a lab with inventory/demo.yml; needs no ip_vs:
    tests/lab/lab --engine native -i inventory/demo.yml -- /usr/bin/python3 tests/lab/plan_test.py [TEST…]
Tests run in the order of writing.
"""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

from host_shell import on
from recap import recap

DROVER = os.environ.get("DROVER", "build/drover")
SERVERS = ["rs1", "rs2", "rs3"]
HOSTS = ["lb1", "lb2"] + SERVERS
VIP = "10.77.0.100"

PLAYBOOK = """
- hosts: real_servers
  tasks:
    - real_server: {vip: "{{ vip }}"}
- hosts: directors
  tasks:
    - sysctl: {net.ipv4.conf.all.log_martians: "{{ martians }}"}
"""


class Plans(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="plans-")
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        cls.playbook = cls.work / "site.yml"
        cls.playbook.write_text(PLAYBOOK)
        cls.inventory = cls.work / "hosts.yml"
        shutil.copy("inventory/demo.yml", cls.inventory)
        cls.vars = cls.work / "group_vars"
        cls.vars.mkdir()
        (cls.vars / "all.yml").write_text("martians: 1\n")
        cls.plan = str(cls.work / "site.plan")
        os.environ["XDG_STATE_HOME"] = str(cls.work / "state")

    def drover(self, command, *arguments, status=0, playbook=None):
        words = [DROVER, command]
        words += [arguments[0]] if command == "apply" else [str(playbook or self.playbook), "-i", str(self.inventory)]
        words += arguments[1:] if command == "apply" else arguments
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def generations(self):
        return json.loads(self.drover("generations", "--output", "json"))["generations"]

    def martians(self):
        return [on(host, "sysctl -n net.ipv4.conf.all.log_martians") for host in ("lb1", "lb2")]

    def test_01_plan_names_every_difference_and_changes_nothing(self):
        text = self.drover("plan", "-o", self.plan, status=2)
        self.assertIn(f"+ address {VIP}/32 on lo: {VIP}/32  (missing)", text)
        self.assertIn("~ sysctl net.ipv4.conf.all.log_martians: 0 -> 1  (is 0)", text)
        self.assertRegex(text, r"Plan: \d+ to add, \d+ to change, 0 to remove on 5 of 5 hosts\.")
        self.assertEqual(self.martians(), ["0", "0"])
        self.assertEqual(stat.S_IMODE(os.stat(self.plan).st_mode), 0o600)

    def test_02_apply_does_what_was_planned(self):
        self.assertIn("Generation 1 confirmed on 5 hosts.", self.drover("apply", self.plan))
        self.assertEqual(self.martians(), ["1", "1"])
        self.assertIn("No changes: 5 hosts", self.drover("plan"))

    def test_03_a_plan_that_was_carried_out_is_stale(self):
        text = self.drover("apply", self.plan, status=1)
        self.assertIn("stale, nothing was changed", text)
        self.assertIn("rs1: planned, but not needed any more", text)

    def test_04_each_thing_that_moves_makes_a_plan_stale_and_is_named(self):
        (self.vars / "all.yml").write_text("martians: 0\n")
        self.drover("plan", "-o", self.plan, status=2)
        for path in (self.playbook, self.inventory, self.vars / "all.yml"):
            before = path.read_text()
            path.write_text(before + "\n# later\n")
            text = self.drover("apply", self.plan, status=1)
            self.assertIn(f"{path.name} has changed", text)
            path.write_text(before)
        # One node alone: no other is changed either.
        on("rs2", f"kill -STOP $(cat /run/drover/daemon.pid); ip addr del {VIP}/32 dev lo")
        text = self.drover("apply", self.plan, status=1)
        self.assertIn(f"rs2: not in the plan, but needed now: add address {VIP}/32 on lo", text)
        self.assertNotIn("lb1:", text.split("is stale")[1])
        self.assertEqual(self.martians(), ["1", "1"])
        on("rs2", f"ip addr add {VIP}/32 dev lo; kill -CONT $(cat /run/drover/daemon.pid)")
        self.assertIn("Generation 2 confirmed on 2 hosts.", self.drover("apply", self.plan))
        self.assertEqual(self.martians(), ["0", "0"])

    def test_05_plan_as_json_and_a_plan_that_is_not_whole(self):
        on("rs3", "ip addr del 10.77.0.23/24 dev eth0")
        text = self.drover("plan", "-T", "2", "-o", str(self.work / "part.plan"), status=4)
        self.assertIn("unreachable", text)
        self.assertFalse((self.work / "part.plan").exists())
        on("rs3", "ip addr add 10.77.0.23/24 dev eth0")
        document = json.loads(self.drover("plan", "--output", "json"))
        self.assertEqual(document["summary"], {"add": 0, "change": 0, "remove": 0, "hosts_changed": 0, "hosts": 5})

    def test_06_generations_are_one_history(self):
        history = self.generations()
        self.assertEqual([one["number"] for one in history], [2, 1])
        self.assertEqual(history[0]["current_on"], ["lb1", "lb2"])
        self.assertEqual(history[1]["kept_on"], sorted(HOSTS))
        self.assertEqual(history[1]["current_on"], SERVERS)
        self.assertEqual([one["run"]["command"] for one in history], ["apply", "apply"])
        table = self.drover("generations").splitlines()
        self.assertTrue(table[0].startswith("NUMBER  WHEN"), table)
        self.assertIn("all 5", table[2])

    def test_07_rollback_goes_one_back_and_the_next_undoes_it(self):
        checked = self.drover("rollback", "-C")
        self.assertEqual(recap(checked)["lb1"]["changed"], 1)
        self.assertEqual(self.martians(), ["0", "0"])
        self.drover("rollback")
        self.assertEqual(self.martians(), ["1", "1"])
        first = {one["number"]: one["run"]["playbook_hash"] for one in self.generations()}
        self.assertEqual(sorted(first), [1, 2, 3])
        self.assertEqual(first[3], first[1])
        self.drover("rollback")
        self.assertEqual(self.martians(), ["0", "0"])
        self.drover("rollback", "--to", "1")
        self.assertEqual(self.martians(), ["1", "1"])

    def test_08_rollback_refuses_numbers_that_are_not_there(self):
        before = self.generations()
        self.assertIn("there is no generation 77; there are 1, 2, 3, 4, 5", self.drover("rollback", "--to", "77", status=1))
        self.assertEqual(self.generations(), before)

    def test_09_numbers_that_a_host_has_dropped_are_refused_before_any_host_is_touched(self):
        for value in [0, 1] * 5:
            (self.vars / "all.yml").write_text(f"martians: {value}\n")
            self.drover("rollout")
        text = self.drover("rollback", "--to", "1", status=1)
        self.assertIn("lb1", text)
        self.assertIn("nothing was changed on any host", text)
        self.assertEqual(self.martians(), ["1", "1"])

    def test_10_unlock_names_the_locks_and_takes_one_by_its_id(self):
        self.assertEqual(self.drover("unlock"), "No host is locked.\n")
        slow = self.work / "slow.yml"
        slow.write_text("- hosts: rs1\n  tasks:\n    - command: sleep 10\n")
        run = subprocess.Popen([DROVER, "rollout", str(slow), "-i", str(self.inventory)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            for _ in range(50):
                locks = json.loads(self.drover("generations", "--output", "json"))["locks"]
                if locks:
                    break
            self.assertEqual(sorted(locks), ["rs1"])
            text = self.drover("unlock", status=1)
            self.assertIn("rs1: locked by root from control", text)
            self.assertIn("--id", text)
            self.drover("unlock", "--id", "nonsense", status=1)
            # Another playbook's rollout is told who is there.
            self.assertIn("rs1: locked by root from control", self.drover("rollout", "-l", "rs1", status=2))
            self.assertIn("rs1: unlocked", self.drover("unlock", "--id", locks["rs1"]["run"]["run_id"]))
        finally:
            run.wait(timeout=60)
        self.assertEqual(self.drover("unlock"), "No host is locked.\n")

    def test_11_rerun_takes_what_the_last_run_left_behind(self):
        self.drover("rollout")
        self.assertIn("no host was failed", self.drover("rollout", "--rerun", "failed", status=1))
        other = self.work / "other.yml"
        other.write_text("- hosts: real_servers\n  tasks:\n    - command: test -e /run/well\n      changed_when: false\n")
        self.assertIn("has not been rolled out from here", self.drover("rollout", "--rerun", "failed", playbook=other, status=1))
        on("rs1", "touch /run/well")
        self.drover("rollout", playbook=other, status=2)
        records = list((self.work / "state/drover/runs").glob("other-*.json"))
        self.assertEqual(len(records), 1)
        self.assertEqual(stat.S_IMODE(records[0].stat().st_mode), 0o600)
        self.assertEqual({host: end for host, end in json.loads(records[0].read_text())["hosts"].items() if end == "failed"},
                         {"rs2": "failed", "rs3": "failed"})
        for host in SERVERS:
            on(host, "touch /run/well")
        self.assertEqual(sorted(recap(self.drover("rollout", "--rerun", "failed", playbook=other))), ["rs2", "rs3"])
        self.drover("rollout", "--rerun", "failed", playbook=other, status=1)

    def test_12_json_lines_come_one_by_one(self):
        lines = [json.loads(line) for line in self.drover("rollout", "--output", "jsonl").splitlines()]
        self.assertEqual(lines[0]["event"], "begin")
        self.assertIn("play_start", [line["event"] for line in lines])
        self.assertEqual(lines[-1]["event"], "recap")
        results = [line for line in lines if line["event"] == "result"]
        self.assertEqual({line["host"] for line in results}, set(HOSTS))
        self.assertEqual(lines[-1]["transaction"]["hosts"]["rs1"], "unchanged")


if __name__ == "__main__":
    unittest.main(verbosity=2)
