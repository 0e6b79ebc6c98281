"""Playbooks that cut SSH: each node is back by itself within the time that --confirm-timeout gives, the others are taken back,
and drover says so. Real kernel, real OpenSSH, real nft; ip_vs is not needed.

    tests/lab/lab --engine native -i tests/lab/inventories/cut_off.yml -- /usr/bin/python3 tests/lab/cut_off_test.py [TEST...]

Cuts leave the nodes as they found them. The first half of them is made on nodes that Drover has nothing on, the others after
a harmless run that stays.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "tests/lab/inventories/cut_off.yml"
NODES = ["n1", "n2", "n6"]
LEASE = 5  # seconds of --confirm-timeout
LATE = 5  # how much later a node may be back: it notices, and puts things back, on a busy machine
WORK = pathlib.Path(tempfile.mkdtemp(prefix="cut-off-"))
MARK = "/etc/drover-cut-off.conf"

# What is not Drover's and may be lost by a run, as `ip`, `sysctl` and `nft` show it.
STATE = "; ".join([
    r"ip -o link show eth0 | sed -E 's/^[0-9]+: //; s/state.*//; s/qdisc [a-z]+//; s/,LOWER_UP|,M-DOWN//g'",
    r"ip -o address | sed -E 's/^[0-9]+: //; s/ (nodad|tentative|dadfailed)//g' | grep -v 'inet6 fe80' | sort",
    "ip -4 route show table all | sort", "ip -6 route show | grep -v '^fe80' | sort", "ip rule", "nft list ruleset",
    "sysctl -a 2>/dev/null | grep -E '^net\\.ipv[46]\\.(conf|ip_forward|icmp)' | grep -v stable_secret",
    f"cat {MARK} 2>&1"])

# What a playbook does to one node, as a task of YAML.
CUTS = {
    "address_removed": ("n1", "command: ip address del 10.78.0.11/24 dev eth0"),
    "all_addresses_removed": ("n2", "command: ip address flush dev eth0"),
    "interface_down": ("n1", "command: ip link set eth0 down"),
    "blackhole": ("n1", "command: ip route add blackhole 10.78.0.5/32"),
    "connected_route_removed": ("n2", "command: ip route del 10.78.0.0/24"),
    "rule": ("n1", "command: ip rule add pref 1 to 10.78.0.5 blackhole"),
    "firewall": ("n1", "command: nft add table inet cut '{ chain in { type filter hook input priority 0; tcp dport 22 drop; }; }'"),
    "firewall_of_all": ("n2", "command: nft 'add table ip cut; add chain ip cut in { type filter hook input priority -300; "
                              "policy drop; }'"),
    "sysctl_by_module": ("n6", "sysctl: {net.ipv6.conf.eth0.disable_ipv6: 1}"),
    "sysctl_by_command": ("n6", "command: sysctl -w net.ipv6.conf.all.disable_ipv6=1"),
}


def rollout(playbook, *arguments, timeout=120):
    return subprocess.run([DROVER, "rollout", str(playbook), "-i", INVENTORY, *arguments], capture_output=True, text=True,
                          timeout=timeout, check=False)


def write_playbook(name, cut=None, host=None):
    """A harmless change on every node; on one of them also the cut."""
    text = f"""- name: Cut off
  hosts: nodes
  tasks:
    - name: A file of all nodes
      copy: {{content: "{name}\\n", dest: {MARK}}}
    - name: An address that only the node knows
      real_server: {{vip: 10.78.0.100}}
"""
    if cut is not None:
        text += f"    - name: When it is cut\n      command: touch /run/cut-at\n"
        text += f"    - name: The cut\n      {cut}\n      when: inventory_hostname == '{host}'\n"
    path = WORK / f"{name}.yml"
    path.write_text(text)
    return path


def state(host):
    return on(host, STATE, check=False)


def answers(host):
    """Whether a new connection by SSH comes about."""
    address = {"n1": "10.78.0.11", "n2": "10.78.0.12", "n6": "fd78::16"}[host]
    done = subprocess.run(["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", f"root@{address}", "true"],
                          capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def differences(before, now):
    old, new = before.splitlines(), now.splitlines()
    return [f"- {line}" for line in old if line not in new] + [f"+ {line}" for line in new if line not in old]


class CutOffTest(unittest.TestCase):
    maxDiff = None

    def check_cut(self, name, host, cut):
        before = {node: state(node) for node in NODES}
        done = rollout(write_playbook(name, cut, host), "--confirm-timeout", f"{LEASE}s")
        said = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0, said)
        # Its connection may come alive again when the node is back, or be given up before.
        others = ", ".join(node for node in NODES if node != host)
        told = rf"Rolled back, as before the run: {', '.join(NODES)}\.\nReason: {host} went back by itself"
        untold = (rf"Rolled back, as before the run: {others}\.\n"
                  rf"Could not be told and go back by themselves, by \d\d:\d\d:\d\d UTC at the latest: {host}\.")
        self.assertRegex(said, f"{told}|{untold}")
        for node in NODES:
            wait_until(lambda: not differences(before[node], state(node)), LEASE + LATE,
                       lambda: f"{node}: {differences(before[node], state(node))}\n{said}")
        wait_until(lambda: answers(host), LATE, f"SSH to {host}")
        # It was alone: nobody told it, and it did not wait longer than it had promised.
        self.assertIn("nothing was heard of the run in time", on(host, "grep 'went back' /run/drover/guard.log | tail -1"))
        back = float(on(host, "stat -c %.3Y /run/drover/guard.log")) - float(on(host, "stat -c %.3Y /run/cut-at"))
        self.assertLess(back, LEASE + LATE)
        self.assertGreater(back, LEASE - 1)
        # Nothing of the run is left: neither lock nor promise.
        for node in NODES:
            self.assertEqual(on(node, "ls -d /var/lib/drover/pending /run/drover/deadline 2>/dev/null", check=False), "", node)
        print(f"{name}: {host} was back {back:.1f} s after the cut", file=sys.stderr, flush=True)

    def test_harmless_run_stays(self):
        done = rollout(write_playbook("harmless"), "--confirm-timeout", f"{LEASE}s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        time.sleep(LEASE + 1)
        for node in NODES:
            self.assertEqual(on(node, f"cat {MARK}"), "harmless")
            self.assertIn("10.78.0.100", on(node, "ip -o address show dev lo"))


def test_of(name, host, cut):
    def test(self):
        self.check_cut(name, host, cut)
    return test


for cut_name, (cut_host, cut_words) in CUTS.items():
    setattr(CutOffTest, f"test_{cut_name}_is_undone", test_of(cut_name, cut_host, cut_words))

if __name__ == "__main__":
    unittest.main(verbosity=2)
