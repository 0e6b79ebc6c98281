"""Uninstall leaves a node as it was before Drover: a snapshot before the first rollout and one after `drover uninstall`.

Runs on the control host of a lab with inventory/demo.yml:
    tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 tests/lab/uninstall_test.py [TEST…]
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from host_shell import on

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "inventory/demo.yml"
HOSTS = ["lb1", "lb2", "rs1", "rs2", "rs3"]
IPVS = os.environ.get("LAB_IPVS") == "1"

SERVICE = """
    - virtual_service:
        address: "{{ vip }}:80"
        scheduler: rr
        forward: dr
        real_servers: "{{ groups['real_servers'] }}"
        check: {tcp: {}, interval: 2s, timeout: 1s}
    - connection_sync: {interface: eth0}
""" if IPVS else ""

PLAYBOOK = """
- hosts: real_servers
  tasks:
    - real_server: {vip: "{{ vip }}"}
- hosts: directors
  tasks:
    - sysctl: {net.ipv4.conf.all.send_redirects: 0, net.ipv4.conf.eth0.send_redirects: 0}
""" + SERVICE + """
    - vrrp_instance:
        name: web
        interface: eth0
        virtual_router_id: 51
        priority: "{{ vrrp_priority }}"
        addresses: ["{{ vip }}"]
"""

# Everything that a rollout might leave. Not logs of others, and not what only counts up.
SNAPSHOT = r"""
echo '# addresses'; ip -o addr | sed -E 's/(valid|preferred)_lft [a-z0-9]+//g'
echo '# links'; ip -o link | sed -E 's/qlen [0-9]+//'
echo '# routes'; ip route show table all; ip -6 route show table all | sed -E 's/expires [0-9]+sec//'
echo '# rules'; ip rule; ip -6 rule
echo '# sysctls'; sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.' |
    grep -vE 'tcp_fastopen_key|nf_conntrack_count|stable_secret|\.vs\.' | sort
echo '# ip_vs'; [ -e /proc/net/ip_vs ] && sed 1,3d /proc/net/ip_vs
echo '# filters'; (nft list ruleset; iptables-save | grep -v '^#') 2>/dev/null
FOLDERS='/etc /var/lib /usr/local/bin /usr/local/sbin /usr/local/lib/systemd /usr/lib/systemd /lib/systemd /run /var/spool'
SKIP='-path /var/lib/dpkg -o -path /var/lib/apt -o -path /root/.cache -o -path /run/sshd.pid'
echo '# contents'; find /etc -xdev -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum 2>/dev/null
echo '# files'; find $FOLDERS -xdev \( $SKIP \) -prune -o -type f -printf '%p %s %T@ %m %u %g\n' 2>/dev/null | sort
echo '# home'; find /root -maxdepth 2 -printf '%p %m\n' 2>/dev/null | grep -v cache | sort
echo '# links and folders'; find $FOLDERS -xdev \( $SKIP \) -prune -o ! -type f -printf '%p %m %u %g %l\n' 2>/dev/null | sort
echo '# processes'; ps -eo comm= | grep -E 'node-helper|drover' | sort
"""


def drover(*arguments, stdin=subprocess.DEVNULL, timeout=300):
    return subprocess.run([DROVER, *arguments], capture_output=True, text=True, timeout=timeout, check=False, stdin=stdin)


def snapshots():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(HOSTS, pool.map(lambda host: on(host, SNAPSHOT, check=False), HOSTS)))


def without_log(taken):
    """The daemon goes on writing its log while nobody changes anything."""
    return {host: "".join(line for line in text.splitlines(True) if "/daemon.log " not in line) for host, text in taken.items()}


class Uninstall(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="uninstall-")
        cls.addClassCleanup(folder.cleanup)
        cls.playbook = str(pathlib.Path(folder.name) / "site.yml")
        cls.other = str(pathlib.Path(folder.name) / "other.yml")
        pathlib.Path(cls.playbook).write_text(PLAYBOOK)
        pathlib.Path(cls.other).write_text("- hosts: rs1\n  tasks:\n    - sysctl: {net.ipv4.conf.all.log_martians: 1}\n")
        on("lb1", "true")
        cls.before = snapshots()

    def run_drover(self, command, *arguments, playbook=None, status=0):
        done = drover(command, playbook or self.playbook, "-i", INVENTORY, *arguments)
        self.assertEqual(done.returncode, status, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def test_1_there_is_something_to_take_away(self):
        self.run_drover("rollout")
        for host, text in snapshots().items():
            self.assertNotEqual(text, self.before[host], host)
            self.assertIn("/var/lib/drover/node-helper", text, host)

    def test_2_it_asks_where_nobody_can_answer_and_does_nothing(self):
        before = without_log(snapshots())
        text = self.run_drover("uninstall", status=1)
        self.assertIn("-y", text)
        self.assertEqual(without_log(snapshots()), before)

    def test_3_check_names_what_would_go_and_takes_nothing(self):
        before = without_log(snapshots())
        text = self.run_drover("uninstall", "-C")
        self.assertIn("- address 10.77.0.100/32 on lo", text)
        self.assertIn("node-helper", text)
        self.assertEqual(without_log(snapshots()), before)

    def test_4_every_node_is_as_it_was(self):
        text = self.run_drover("uninstall", "-y")
        order = [match for match in re.findall(r"^(\w+)$", text, re.M) if match in HOSTS]
        self.assertEqual(order, ["lb2", "lb1", "rs1", "rs2", "rs3"], "backup, master, real servers")
        after = snapshots()
        for host in HOSTS:
            self.assertEqual(after[host].splitlines(), self.before[host].splitlines(), host)

    def test_5_what_another_playbook_made_keeps_its_helper(self):
        self.run_drover("rollout")
        self.run_drover("rollout", playbook=self.other)
        self.run_drover("uninstall", "-y")
        self.assertEqual(on("rs1", "sysctl -n net.ipv4.conf.all.log_martians").strip(), "1")
        self.assertIn("/var/lib/drover/node-helper", on("rs1", "ls /var/lib/drover/node-helper"))
        self.assertNotIn("10.77.0.100", on("rs1", "ip -o addr"))
        self.run_drover("uninstall", "-y", playbook=self.other)
        after = snapshots()
        for host in HOSTS:
            self.assertEqual(after[host].splitlines(), self.before[host].splitlines(), host)


if __name__ == "__main__":
    unittest.main(verbosity=2)
