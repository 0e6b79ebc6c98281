"""kill -9 in mid-drill under the faults that need a whole kernel, of a cluster that serves: of the orchestrator, of the SSH connection
to the target, of the helper there. Real ip_vs, real nginx. The other faults are drill_killed_test.py's.

    tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 tests/lab/drill_killed_ip_vs_test.py [TEST…]

A drill of one's own for each fault and kill is too long for an emulated machine: where the orchestrator lives on, its sessions are
spoken by hand, over SSH, and the faults are under way at once, each on another host.
"""

import pathlib
import shutil
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from director_case import EMULATED, holds_vip, table, write_playbook  # noqa: E402
from director_tools import VIP  # noqa: E402
from drill_ip_vs_test import DIRECTORS, EQUAL  # noqa: E402
from drill_kills import BY_ITSELF, NEED_A_WHOLE_KERNEL, DrilledCluster, cut_ssh, expect_no_prober, kill_helper  # noqa: E402
from fault_test import Drill, SshSession  # noqa: E402
from host_shell import side_by_side  # noqa: E402

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="drill-killed-"))
EMULATION = 15.0 if EMULATED else 0.0  # s; what a machine without acceleration adds to a time that is promised
LONG = 15.0  # s; of faults that are under way at once: to inject one and to kill takes seconds there
TARGETS = {"real-server-slow": "rs1", "rules-cleared": "lb1", "clock-jump": "lb2", "real-server-stop": "rs2"}


class Cluster(DrilledCluster):
    options = ("--settle", "1s", "--rate", "2", "--connections", "0", "--no-control-probe", "--delay", "2s", "-T", "60")
    duration = 6.0
    kill_after = 1.5  # injecting takes its time
    late = 6.0 + EMULATION
    undo_takes = 2.0 + EMULATION / 5
    healed = 30.0 + 4 * EMULATION

    def __init__(self):
        super().__init__("demo", "inventory/demo.yml", FOLDER, ("lb1", "lb2"), ["rs1", "rs2"])
        self.playbook = FOLDER / "cluster.yml"
        write_playbook(self.playbook, DIRECTORS)

    def playbook_for(self, fault):
        return self.playbook

    def target_of(self, fault):
        return TARGETS[fault]

    def words_for(self, fault):
        return ["--target", self.target_of(fault)]

    def promised(self, fault):
        # It begins with the order: the time that init takes to stop and to start comes on top.
        return super().promised(fault) + (2.0 + EMULATION if fault == "real-server-stop" else 0.0)

    def serves(self):
        if not holds_vip("lb1") or holds_vip("lb2") or not table("lb1") == table("lb2") == EQUAL:
            return False
        said = set()
        for _ in EQUAL:
            with urllib.request.urlopen(f"http://{VIP}/", timeout=5) as page:
                said.add(page.read())
        return len(said) == len(EQUAL)  # round robin


class DrillKilledIpVsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.cluster.drover("rollout", str(cls.cluster.playbook), "-i", cls.cluster.inventory, "-T", "60")
        cls.cluster.wait_whole()
        cls.cluster.remember()

    def test_1_the_orchestrator_is_killed(self):
        # A service that the guards start again is as one that init started.
        for fault in TARGETS:
            self.cluster.kill_orchestrator(fault)
            expect_no_prober(Cluster.late)
        self.cluster.expect_history()

    def test_2_the_way_to_the_targets_is_cut(self):
        self.cut_all(cut_ssh, "SSH")

    def test_3_the_helper_of_the_targets_is_killed(self):
        self.cut_all(kill_helper, "helper")

    def cut_all(self, harm, who):
        def one(fault):
            drill = Drill(TARGETS[fault], fault, LONG, kind=SshSession)
            drill.inject()
            since = time.monotonic()
            killed = harm(drill.host)
            killed_at = time.monotonic()
            self.assertTrue(killed, f"{fault}: there was nobody of {who} to kill")
            self.cluster.expect_undone(fault, since, LONG, who)
            self.cluster.expect_state(fault, drill.order["drill_id"], LONG, BY_ITSELF, killed_at)
            drill.close()
        side_by_side(one, NEED_A_WHOLE_KERNEL)
        self.cluster.expect_as_before(f"{', '.join(NEED_A_WHOLE_KERNEL)} ({who} killed)")


if __name__ == "__main__":
    try:
        unittest.main(verbosity=2)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
