"""kill -9 in mid-drill, for every fault that this kernel allows: of the orchestrator, of the SSH connection to the target, of the
helper there. The target is as before by itself, in the time that was promised, and the next drill tells what became of this one.

    tests/lab/lab --engine native -i tests/lab/inventories/drill_pairs.yml -- /usr/bin/python3 tests/lab/drill_killed_test.py [TEST…]

Pairs of directors, each with a real server, are drilled side by side; what the probes saw is other tests' matter. Needs no ip_vs:
drills of real servers are told of a virtual service that is not there. What cannot be without it is in drill_killed_ip_vs_test.py.
"""

import json
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from drill_kills import NEED_A_WHOLE_KERNEL, DrilledCluster, cut_ssh, expect_no_prober, kill_helper  # noqa: E402
from fault_test import WEB  # noqa: E402
from host_shell import on, side_by_side, wait_until  # noqa: E402
from transaction_test import Session, begin, run_of  # noqa: E402

INVENTORY = "tests/lab/inventories/drill_pairs.yml"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="drill-killed-"))
LOCK = 15.0  # how long the hosts of a drill are kept for it
# What each pair goes through, one after the other.
FAULTS = {
    "a": ["disk-full", "failback"],
    "b": ["helper-kill", "real-server-stop"],
    "c": ["helper-freeze", "real-server-hang"],
    "d": ["vrrp-split", "real-server-5xx"],
    "e": ["cpu-starved", "vip-lost"],
    "f": ["director-crash", "arp-misconfigured"],
    "g": ["link-down", "vrrp-loss"],
    "h": ["handover", "sync-cut"],
    "i": ["real-server-isolated", "director-isolated"],
    "j": ["reboot"],
}
OF_REAL_SERVERS = {"real-server-stop", "real-server-hang", "real-server-5xx", "real-server-isolated", "arp-misconfigured"}
PLAY = """- hosts: pair_{name}
  tasks:
    - vrrp_instance: {{name: web, interface: eth0, virtual_router_id: {number}, advert_interval: 200ms, addresses: [{vip}],
                      priority: "{{{{ 150 if inventory_hostname == '{name}1' else 100 }}}}"}}
{service}- hosts: real_{name}
  tasks:
    - service: {{name: web, state: started}}
    - real_server: {{vip: {vip}}}
"""
SERVICE = "    - virtual_service: {{address: '{vip}:80', scheduler: rr, real_servers: '{{{{ groups.real_{name} }}}}'}}\n"


class Pair(DrilledCluster):
    """Two directors and a real server that serves the page to whoever asks it itself."""

    options = ("--settle", "1s", "--rate", "10", "--loss", "0.3", "--no-control-probe", "--may-cut-ssh")

    def __init__(self, name):
        self.real = f"{name}3"
        super().__init__(name, INVENTORY, FOLDER, (f"{name}1", f"{name}2"), [self.real])
        number = "abcdefghij".index(name) + 1
        self.vip, self.address = f"10.77.0.{200 + number}", f"10.77.0.{number}3"
        settings = {"name": name, "number": 50 + number, "vip": self.vip}
        self.playbook, self.serving = FOLDER / f"{name}.yml", FOLDER / f"{name}_serving.yml"
        self.playbook.write_text(PLAY.format(service="", **settings))
        self.serving.write_text(PLAY.format(service=SERVICE.format(**settings), **settings))

    def prepare(self):
        on(self.real, f"mkdir -p /run/www; echo hello > /run/www/index.html; cat > /etc/init.d/web <<'END'\n{WEB}END\n"
                      "chmod +x /etc/init.d/web")
        for host in (self.master, self.backup):
            on(host, "mkdir -p /var/log/drover; mount -o remount,size=24m /run; mount -t tmpfs -o size=24m log /var/log/drover")
        self.drover("rollout", str(self.playbook), "-i", INVENTORY)
        self.wait_whole()
        self.remember()

    def playbook_for(self, fault):
        return self.serving if fault in OF_REAL_SERVERS else self.playbook

    def target_of(self, fault):
        return self.real if fault in OF_REAL_SERVERS else self.master

    def words_for(self, fault):
        return ["--force", "real servers=there is no ip_vs here"] if fault in OF_REAL_SERVERS else []

    def promised(self, fault):
        # The VIP is on its way back when it is cut, and undone is that it was ordered to.
        return 15.0 if fault == "failback" else super().promised(fault)

    def owns(self, host):
        return f" {self.vip}/" in on(host, "ip -o -4 addr show dev eth0", check=False)

    def serves(self):
        return self.owns(self.master) and not self.owns(self.backup) and answers(self.vip) and answers(self.address, "200")

    def expect_unlocked(self, since):
        """Another operator gets all hosts when the lease of the lock is over, not before."""
        for host in (self.master, self.backup):
            with Session(run_of(owner="other"), host) as session:
                answers_of = []

                def mine(session=session, said=answers_of):
                    said[:] = session.do(begin())[-1:]
                    return said[0]["status"] == "ok"
                first = mine()
                assert not first or time.monotonic() - since > LOCK / 2, f"{host} was free at once"
                if not first:
                    wait_until(mine, max(1.0, since + LOCK + self.late - time.monotonic()),
                               lambda host=host, said=answers_of: f"the lock of {host} is released: {said}")
                session.do({"kind": "release"})


def answers(address, status=None):
    """Whether the address answers on port 80, be it with a refusal, or with this status."""
    try:
        with socket.create_connection((address, 80), timeout=1) as connection:
            connection.settimeout(1)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return status is None or f" {status} ".encode() in connection.recv(4096)
    except ConnectionRefusedError:
        return status is None
    except OSError:
        return False


class DrillKilledTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pairs = {name: Pair(name) for name in FAULTS}
        side_by_side(Pair.prepare, cls.pairs.values())

    def test_1_the_orchestrator_is_killed_under_every_fault(self):
        listed = json.loads(self.pairs["a"].drover("drill", "list", "--output", "json"))
        here = {fault for faults in FAULTS.values() for fault in faults}
        self.assertEqual({one["fault"] for one in listed}, here | set(NEED_A_WHOLE_KERNEL))
        side_by_side(self.kill_all, self.pairs.values())
        expect_no_prober(Pair.late)

    def kill_all(self, pair):
        for fault in FAULTS[pair.name]:
            pair.kill_orchestrator(fault)
        if fault != "reboot":  # after which nobody holds it
            pair.expect_unlocked(pair.killed_at)

    def test_2_the_way_to_the_target_is_cut_under_every_fault(self):
        self.cut_all(cut_ssh, "SSH")
        # The drills of the first test are told of by now.
        side_by_side(Pair.expect_history, self.pairs.values())

    def test_3_the_helper_of_the_target_is_killed_under_every_fault(self):
        self.cut_all(kill_helper, "helper")

    def cut_all(self, harm, who):
        def one(pair):
            for fault in FAULTS[pair.name]:
                pair.cut(fault, harm, who)
        side_by_side(one, self.pairs.values())


if __name__ == "__main__":
    try:
        unittest.main(verbosity=2)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
