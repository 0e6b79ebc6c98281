"""Drills: faults that are injected, judged and undone on a pair of directors that answer by themselves; drills that must fail,
be refused, be stopped, or lose their orchestrator.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/drill_test.py [TEST…]

Needs no ip_vs. director1 is master before and after each test. A prober that was late itself has seen nothing: such a drill is
run again.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "tests/lab/inventories/pair.yml"
PACES = (100, 50, 20, 10, 5, 5)  # SYNs per second, one for each try: a busy machine keeps a lower one
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="drill-"))
DIRECTORS = """- hosts: directors
  tasks:
    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, advert_interval: 200ms, addresses: [10.77.0.100],
                      priority: "{{ 150 if inventory_hostname == 'director1' else 100 }}"}
"""
# Of a lease of 1 s, the kernel's and a guardian's: what a node may need to be clean when nobody tells it to.
HEALED = 20
os.environ["XDG_STATE_HOME"] = str(FOLDER / "state")


def playbook(name, text):
    path = FOLDER / f"{name}.yml"
    path.write_text(text)
    return str(path)


PLAYBOOK = playbook("pair", DIRECTORS)


def drover(*words, timeout=180):
    done = subprocess.run([DROVER, *words, "-i", INVENTORY], capture_output=True, text=True, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr


def drill_words(fault, *words, duration="3s", pace=PACES[0]):
    return ["drill", "run", fault, PLAYBOOK, "--yes", "--settle", "2s", "--duration", duration, "--rate", str(pace), "--may-cut-ssh",
            *words]


def drill(fault, *words, **settings):
    """The exit status and the verdict, of the first try in which the prober kept its pace."""
    for pace in PACES:
        status, output, errors = drover(*drill_words(fault, *words, pace=pace, **settings), "--output", "json")
        verdict = json.loads(output) if output else {"reasons": [errors]}
        if not any(reason.startswith("void:") for reason in verdict["reasons"]):
            return status, verdict
        time.sleep(2)
    raise AssertionError("the prober never kept its pace: " + "; ".join(verdict["reasons"]))


def owns(host):
    return "10.77.0.100" in on(host, "ip -4 -br addr show dev eth0")


def evidence():
    """The folders of all drills so far, the newest last."""
    return sorted((FOLDER / "state/drover/drills").iterdir())


class DrillTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        status, output, errors = drover("rollout", PLAYBOOK)
        assert status == 0, output + errors
        wait_until(lambda: owns("director1"), 10, "director1 is master")
        time.sleep(2)

    def setUp(self):
        wait_until(lambda: owns("director1") and not owns("director2"), HEALED, "director1 is master")

    def expect_pass(self, fault, *words):
        status, verdict = drill(fault, *words)
        self.assertEqual((status, verdict["verdict"]), (0, "pass"), json.dumps(verdict, indent=1))
        self.assertEqual(verdict["residue"], [])
        self.assertTrue(verdict["snapshots_compared"])
        self.assertTrue(owns("director1") and not owns("director2"))
        measured = {line["quantity"]: line["measured"] for line in verdict["comparisons"] if line["measured"]}
        return {name: one["value"] for name, one in measured.items()} | {"period": measured["outage"]["uncertainty"]}

    def test_01_a_handover_loses_nothing_and_leaves_its_evidence(self):
        measured = self.expect_pass("handover")
        self.assertEqual((measured["bad probes"], measured["takeovers"]), (0, 1))
        files = {path.name: path.stat().st_size for path in evidence()[-1].iterdir()}
        for name in ("journal.json", "probe.dplg", "capture.pcap", "snapshots.json"):
            self.assertGreater(files.get(name, 0), 0, files)
        self.assertEqual(evidence()[-1].stat().st_mode & 0o077, 0)

    def test_02_a_failback_loses_nothing(self):
        self.assertEqual(self.expect_pass("failback")["bad probes"], 0)

    def test_03_an_isolated_director_is_replaced_in_the_time_that_the_protocol_gives(self):
        measured = self.expect_pass("director-isolated")
        self.assertTrue(490 < measured["outage"] + measured["period"] and measured["outage"] < 770, measured)

    def test_04_a_link_goes_down_and_ssh_with_it(self):
        self.assertEqual(self.expect_pass("link-down")["takeovers"], 1)

    def test_05_a_frozen_helper_loses_its_vip_by_the_lease(self):
        measured = self.expect_pass("helper-freeze")
        self.assertEqual(measured["bad probes"], 0)
        self.assertLess(measured["double owner"], 900)

    def test_06_two_masters_are_seen_and_counted(self):
        self.assertGreater(self.expect_pass("vrrp-split")["double owner"], 1500)

    def test_07_a_vip_that_is_taken_away_comes_back(self):
        self.assertLess(self.expect_pass("vip-lost")["repair"], 1000)

    def test_08_a_red_gate_refuses(self):
        on("director2", "mkdir -p /run/drover && echo 'sale till monday' > /run/drover/no-drill")
        try:
            today = time.strftime("%Y-%m-%d")
            status, output, _ = drover(*drill_words("director-isolated"), "--blackout", today)
            self.assertEqual(status, 3, output)
            self.assertRegex(output, r"RED +no no-drill flag +director2: sale till monday")
            self.assertRegex(output, rf"RED +no blackout +{today}\n")
            self.assertNotIn("injecting", output)
        finally:
            on("director2", "rm /run/drover/no-drill")
        status, output, _ = drover("maintenance", "on", "director2", PLAYBOOK)
        self.assertEqual(status, 0, output)
        try:
            status, verdict = drill("director-isolated")
            self.assertEqual((status, verdict["verdict"]), (3, "inconclusive"), verdict)
            self.assertIn("peer healthy", verdict["reasons"][0])
        finally:
            drover("maintenance", "off", "director2", PLAYBOOK)
        time.sleep(2)

    def test_09_ctrl_c_undoes_the_fault(self):
        child = self.start_and_wait_for_the_fault()
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        output = child.communicate(timeout=90)[0]
        self.assertEqual(child.returncode, 5, output)
        self.assertRegex(output, r": aborted-clean\n  - aborted: stopped by the operator")
        self.assertIn("Nothing is left behind.", output)

    def test_10_nodes_are_clean_when_the_orchestrator_is_killed(self):
        child = self.start_and_wait_for_the_fault()
        time.sleep(1)
        child.kill()
        child.communicate(timeout=30)
        wait_until(lambda: owns("director1") and not owns("director2"), HEALED, "director1 is master again")
        wait_until(lambda: "drill" not in on("director1", "nft list ruleset 2>/dev/null"), HEALED, "no rule is left")
        killed = evidence()[-1].name
        time.sleep(16)  # the lock's lease
        status, output, errors = drover(*drill_words("vip-lost"))
        self.assertIn(f"Drill {killed}: interrupted, clean", output, errors)
        self.assertIn(status, (0, 3), output)
        journal = json.loads((FOLDER / "state/drover/drills" / killed / "journal.json").read_text())
        self.assertEqual(journal["verdict"]["kind"], "aborted-clean")

    def start_and_wait_for_the_fault(self):
        child = subprocess.Popen([DROVER, *drill_words("director-isolated", duration="8s"), "-i", INVENTORY],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in child.stdout:
            lines.append(line)
            if "injecting" in line:
                return child
        self.fail("".join(lines))

    def test_11_a_drill_in_a_playbook_runs_behind_the_rollout_and_may_fail_it(self):
        def path_for(pace):
            return playbook("pair", DIRECTORS + "- hosts: control\n  tasks:\n    - name: Isolation\n      drill: "
                            f"{{fault: director-isolated, duration: 3s, rate: {pace}, settle: 2s, may_cut_ssh: true, max_outage: 100ms}}\n")
        path = path_for(PACES[0])
        self.addCleanup(playbook, "pair", DIRECTORS)
        status, output, errors = drover("rollout", path, "--check")
        self.assertEqual(status, 0, output + errors)
        self.assertIn("skipping: [control]", output)
        self.assertNotIn("DRILL", output)
        for pace in PACES:
            status, output, errors = drover("rollout", path_for(pace))
            if "void:" not in output:
                break
        self.assertEqual(status, 2, output + errors)
        self.assertNotIn("void:", output)
        self.assertRegex(output, r"(?s)PLAY RECAP.*DRILL director-isolated on director1.*: fail\n  - outage \d+ ms, predicted")

    def test_12_the_list_says_what_this_cluster_allows(self):
        status, output, _ = drover("drill", "list", PLAYBOOK, "--output", "json")
        self.assertEqual(status, 0)
        faults = {one["fault"]: one for one in json.loads(output)}
        self.assertEqual(len(faults), 22)
        self.assertEqual((faults["handover"]["target"], faults["handover"]["obstacles"]), ("director1", []))
        self.assertRegex(" ".join(faults["real-server-stop"]["obstacles"]), "needs a virtual service")
        self.assertRegex(" ".join(faults["link-down"]["obstacles"]), re.compile("ssh", re.I))


if __name__ == "__main__":
    unittest.main(verbosity=2)
