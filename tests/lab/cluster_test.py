"""The cluster in the lab: rollout, proof, faults, second thoughts. Real kernel, real OpenSSH, real nginx.

Runs on the control host of a lab with inventory/demo.yml:
    tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 tests/lab/cluster_test.py [TEST…]
Tests run in the order of writing; each leaves the cluster as the demo playbook wants it.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from host_shell import on
from recap import recap

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "inventory/demo.yml"
PLAYBOOK = "playbooks/demo.yml"
VIP = "10.77.0.100"
HOSTS = ["control", "lb1", "lb2", "rs1", "rs2", "rs3"]
REAL = {"rs1": "10.77.0.21", "rs2": "10.77.0.22", "rs3": "10.77.0.23"}
RULES = [f"-A -t {VIP}:80 -s rr"] + [f"-a -t {VIP}:80 -r {address}:80 -g -w 1" for address in REAL.values()]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="cluster-"))


def drover(*arguments, timeout=180, **kwargs):
    return subprocess.run([DROVER, *arguments], capture_output=True, text=True, timeout=timeout, check=False, **kwargs)


def rollout(*arguments, playbook=PLAYBOOK, inventory=INVENTORY, **kwargs):
    return drover("rollout", str(playbook), "-i", str(inventory), *arguments, **kwargs)


def rules(host):
    return on(host, "ipvsadm -Sn").splitlines()


@contextlib.contextmanager
def asleep(*hosts):
    """The helper's daemons of these hosts stand still meanwhile, so that drift stays until a rollout finds it. Only for
    hosts where no playbook needs the daemon: a session goes on without it there."""
    for host in hosts:
        on(host, "kill -STOP $(cat /run/drover/daemon.pid)")
    try:
        yield
    finally:
        for host in hosts:
            on(host, "kill -CONT $(cat /run/drover/daemon.pid)")


@contextlib.contextmanager
def stopped(host):
    """The helper's daemon of this host does not run until a rollout starts it, or the end."""
    on(host, "/var/lib/drover/node-helper daemon --stop")
    try:
        yield
    finally:
        on(host, "/var/lib/drover/node-helper daemon --detach")


def milliseconds_until(host, harm, mended):
    """Runs the shell command HARM in a host; how long until MENDED succeeds there."""
    return int(on(host, f"{harm}; began=$(date +%s%3N); while ! {{ {mended}; }}; do "
                        "[ $(( $(date +%s%3N) - began )) -lt 20000 ] || exit 9; done; echo $(( $(date +%s%3N) - began ))"))


def is_master(host):
    return VIP in on(host, "ip -o addr show dev eth0")


def play(text, name="other.yml"):
    path = WORK / name
    path.write_text(text)
    return path


class Cluster(unittest.TestCase):
    maxDiff = None

    def expect(self, done, status=0):
        self.assertEqual(done.returncode, status, f"\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def expect_all_well(self):
        output = self.expect(rollout())
        self.assertEqual({host: counts["failed"] + counts["unreachable"] for host, counts in recap(output).items()},
                         {host: 0 for host in HOSTS})

    def expect_rules(self, *hosts, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(rules(host) != RULES for host in hosts):
            time.sleep(0.5)
        for host in hosts:
            self.assertEqual(rules(host), RULES, host)

    def expect_no_change(self, done):
        counters = recap(self.expect(done))
        self.assertEqual(sorted(counters), HOSTS)
        for host, counts in counters.items():
            self.assertEqual((counts["changed"], counts["failed"], counts["unreachable"]), (0, 0, 0), host)

    def test_01_check_on_bare_hosts_says_what_would_change_and_changes_nothing(self):
        before = {host: on(host, "ip -o addr; sysctl -a 2>/dev/null | grep -E 'arp_|redirects'; ls -A /var/lib/drover") for host in HOSTS[1:]
                  if not on(host, "mkdir -p /var/lib/drover")}
        output = self.expect(rollout("--check", "--diff"))
        self.assertIn(f"address {VIP}/32 on lo", output)
        self.assertIn(f"service tcp {VIP}:80", output)
        for host, text in before.items():
            now = on(host, "ip -o addr; sysctl -a 2>/dev/null | grep -E 'arp_|redirects'; ls -A /var/lib/drover")
            # The helper itself has to be there to look; nothing else may differ.
            self.assertEqual(now.replace("bin", "").strip(), text.strip(), host)
        self.assertEqual(rules("lb1"), [])

    def test_02_one_command_makes_a_cluster(self):
        counters = recap(self.expect(rollout()))
        for host in ("lb1", "lb2", "rs1", "rs2", "rs3"):
            self.assertGreater(counters[host]["changed"], 0, host)
        self.assertEqual(counters["control"]["failed"], 0)
        self.expect_rules("lb1", "lb2")  # the checks of all real servers have their verdicts

    def test_03_ipvsadm_shows_exactly_the_rules_of_the_playbook(self):
        self.assertEqual(rules("lb1"), RULES)
        self.assertEqual(rules("lb2"), RULES)

    def test_04_the_second_run_changes_nothing_and_writes_nothing(self):
        stamp = "find /var/lib/drover -type f -exec stat -c '%n %Y %i %Z' {} + | sort | grep -v lock"
        before = {host: on(host, stamp) for host in HOSTS[1:]}
        self.expect_no_change(rollout())
        self.assertEqual({host: on(host, stamp) for host in HOSTS[1:]}, before)

    def test_05_the_real_servers_answer_in_turn(self):
        answers = [subprocess.run(["curl", "-sS", "--max-time", "5", f"http://{VIP}/"], capture_output=True, text=True,
                                  check=True).stdout.strip() for _ in range(12)]
        self.assertEqual(sorted(set(answers)), sorted(REAL))
        self.assertEqual(answers[:9], answers[3:12], "the order should be a rotation")

    def test_06_a_service_made_by_hand_stays(self):
        on("lb2", "ipvsadm -A -t 10.77.0.200:81 -s wlc && ipvsadm -a -t 10.77.0.200:81 -r 10.77.0.21:81 -g -w 7")
        on("lb2", "ip addr add 10.77.0.201/32 dev eth0")
        foreign = ["-A -t 10.77.0.200:81 -s wlc", "-a -t 10.77.0.200:81 -r 10.77.0.21:81 -g -w 7"]
        with stopped("lb2"):
            on("lb2", f"ipvsadm -e -t {VIP}:80 -r 10.77.0.22:80 -g -w 9")  # drift, so that there is something to mend
            counters = recap(self.expect(rollout()))
        self.assertIn(counters["lb2"]["changed"], (1, 2))  # the weight, and that the daemon runs again
        self.assertEqual(sorted(rules("lb2")), sorted(RULES + foreign))
        self.assertIn("10.77.0.201/32", on("lb2", "ip -o addr show dev eth0"))
        on("lb2", "ipvsadm -D -t 10.77.0.200:81; ip addr del 10.77.0.201/32 dev eth0")

    def test_07_check_names_drift_exactly_and_leaves_it(self):
        with stopped("lb2"), asleep("rs3"):
            on("lb2", f"ipvsadm -e -t {VIP}:80 -r 10.77.0.22:80 -g -w 9")
            on("rs3", "sysctl -q -w net.ipv4.conf.all.arp_announce=0")
            done = rollout("--check", "--diff", "--skip-tags", "none", "-l", "lb2,rs3")
            output = self.expect(done)
            counters = recap(output)
            self.assertIn(counters["lb2"]["changed"], (1, 2))
            self.assertEqual(counters["rs3"]["changed"], 1)
            self.assertIn("weight 9", output)
            self.assertIn("net.ipv4.conf.all.arp_announce", output)
            self.assertIn("-w 9", " ".join(rules("lb2")))
            self.expect_all_well()
        self.assertEqual(rules("lb2"), RULES)

    def test_08_verify_catches_a_real_server_that_answers_arp(self):
        with asleep("rs2"):
            on("rs2", "sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.lo.arp_ignore=0")
            done = rollout("-l", "probes")
        output = self.expect(done, status=2)
        self.assertIn(f"the real server rs2", output)
        self.assertIn(f"claims {VIP} by ARP", output)
        self.assertIn("arp_ignore", output)
        self.expect(rollout("-l", "real_servers"))
        on("control", f"ip neigh del {VIP} dev eth0 2>/dev/null; true")  # the client may have learnt the wrong MAC
        self.expect_all_well()

    def test_09_verify_catches_a_real_server_without_its_vip(self):
        with asleep("rs3"):
            on("rs3", f"ip addr del {VIP}/32 dev lo")
            output = self.expect(rollout("-l", "probes"), status=2)
        self.assertIn("rs3", output)
        self.expect_all_well()

    def test_10_a_host_that_was_booted_comes_back_as_it_should_be(self):
        for host in ("rs1", "lb1"):
            subprocess.run(["lab-ctl", "reboot", host], check=True, timeout=120)
        on("rs1", "/etc/init.d/nginx start")
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if rules("lb1") == rules("lb2") == RULES and VIP in on("rs1", "ip -o addr show dev lo") and is_master("lb1"):
                break
            time.sleep(1)
        self.assertEqual(rules("lb1"), RULES)
        self.assertIn(f"{VIP}/32", on("lb1", "ip -o addr show dev eth0"))
        self.assertIn(f"{VIP}/32", on("rs1", "ip -o addr show dev lo"))
        self.assertEqual(on("rs1", "cat /proc/sys/net/ipv4/conf/all/arp_ignore /proc/sys/net/ipv4/conf/lo/arp_announce").split(),
                         ["1", "2"])
        self.expect_no_change(rollout())

    def test_11_an_unplugged_host_is_reported_and_the_others_go_on(self):
        subprocess.run(["lab-ctl", "link", "rs2", "down"], check=True, timeout=30)
        try:
            with asleep("rs3"):
                on("rs3", f"ip addr del {VIP}/32 dev lo")
                done = rollout("-T", "3", "-l", "real_servers")
            output = self.expect(done, status=4)
            self.assertRegex(output, r"fatal: \[rs2\]: UNREACHABLE!")
            counters = recap(output)
            self.assertEqual((counters["rs2"]["unreachable"], counters["rs3"]["changed"]), (1, 1))
            self.assertIn(f"{VIP}/32", on("rs3", "ip -o addr show dev lo"))
        finally:
            subprocess.run(["lab-ctl", "link", "rs2", "up"], check=True, timeout=30)
        self.expect_rules("lb1", "lb2")  # once its checks have seen that it is back
        self.expect_all_well()

    def test_12_what_left_the_playbook_is_pruned_and_nothing_else(self):
        base = pathlib.Path(PLAYBOOK).read_text()
        folder = WORK / "prune"
        shutil.copytree("playbooks", folder)
        smaller = base.replace("real_servers: \"{{ groups['real_servers'] }}\"", "real_servers: [rs1, rs3]")
        (folder / "demo.yml").write_text(smaller)
        output = self.expect(rollout(playbook=folder / "demo.yml"))
        self.assertEqual(rules("lb1"), [RULES[0], RULES[1], RULES[3]])
        without = re.sub(r"- name: Service on the VIP.*?(?=- name: Both directors know)", "", base, flags=re.DOTALL)
        without = re.sub(r"- name: Proof.*", "", without, flags=re.DOTALL)
        self.assertNotEqual(without, base)
        (folder / "demo.yml").write_text(without)
        on("lb1", "ipvsadm -A -t 10.77.0.200:81 -s wlc")
        output = self.expect(rollout(playbook=folder / "demo.yml"))
        self.assertIn("left the playbook", self.expect(rollout(playbook=folder / "demo.yml")) + output)
        self.assertEqual(rules("lb1"), ["-A -t 10.77.0.200:81 -s wlc"])
        on("lb1", "ipvsadm -D -t 10.77.0.200:81")
        self.expect_all_well()
        self.assertEqual(rules("lb1"), RULES)

    def test_13_kill_9_in_the_middle_leaves_consistent_nodes_and_the_next_run_completes(self):
        for delay in (0.5, 1.5, 2.5, 4.0, 6.0, 8.0):
            for host in ("rs1", "rs2", "rs3"):
                on(host, f"ip addr del {VIP}/32 dev lo 2>/dev/null; true")
            on("lb1", "ipvsadm -C")
            child = subprocess.Popen([DROVER, "rollout", PLAYBOOK, "-i", INVENTORY], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
            self.expect_all_well()
            self.expect_no_change(rollout())
            self.expect_rules("lb1")  # a machine that is too busy may lose checks for a while

    def test_14_every_scheduler_and_forwarding_method_is_in_the_table_as_asked(self):
        path = play("""
- hosts: lb2
  tasks:
    - virtual_service: {address: "10.77.0.110:80", scheduler: wrr, forward: nat, real_servers: [{host: rs1, port: 8080, weight: 3}, {host: rs2, weight: 0}]}
    - virtual_service: {address: "10.77.0.110:53", protocol: udp, scheduler: rr, one_packet: true, real_servers: [rs1]}
    - virtual_service: {address: "10.77.0.110:81", scheduler: sh, scheduler_flags: [sh-port, sh-fallback], forward: tun, real_servers: [{host: rs1, upper_threshold: 100, lower_threshold: 50}]}
    - virtual_service: {address: "10.77.0.110:82", scheduler: mh, scheduler_flags: [mh-port], real_servers: [rs1, rs3]}
    - virtual_service: {address: "10.77.0.110:83", scheduler: lc, persistence: 50s, real_servers: [rs1]}
    - virtual_service: {address: "10.77.0.110:84", scheduler: sed, persistence: 5m, persistence_netmask: 24, real_servers: [rs1]}
    - virtual_service: {fwmark: 7, scheduler: wlc, real_servers: [rs1]}
    - virtual_service: {fwmark: 8, family: ipv6, scheduler: nq, real_servers: ["2001:db8::21"]}
    - virtual_service: {address: "[2001:db8::110]:80", scheduler: dh, real_servers: ["2001:db8::21"]}
    - virtual_service: {address: "10.77.0.110:85", scheduler: lblc, real_servers: [rs1]}
    - virtual_service: {address: "10.77.0.110:86", scheduler: lblcr, real_servers: [rs1]}
    - virtual_service: {address: "10.77.0.110:87", scheduler: fo, real_servers: [rs1]}
    - virtual_service: {address: "10.77.0.110:88", scheduler: ovf, real_servers: [rs1]}
""", "zoo.yml")
        self.expect(rollout(playbook=path))
        want = """
-A -t 10.77.0.110:80 -s wrr
-a -t 10.77.0.110:80 -r 10.77.0.21:8080 -m -w 3
-a -t 10.77.0.110:80 -r 10.77.0.22:80 -m -w 0
-A -u 10.77.0.110:53 -s rr -o
-a -u 10.77.0.110:53 -r 10.77.0.21:53 -g -w 1
-A -t 10.77.0.110:81 -s sh -b sh-fallback,sh-port
-a -t 10.77.0.110:81 -r 10.77.0.21:81 -i -w 1 --tun-type ipip
-A -t 10.77.0.110:82 -s mh -b mh-port
-a -t 10.77.0.110:82 -r 10.77.0.21:82 -g -w 1
-a -t 10.77.0.110:82 -r 10.77.0.23:82 -g -w 1
-A -t 10.77.0.110:83 -s lc -p 50
-a -t 10.77.0.110:83 -r 10.77.0.21:83 -g -w 1
-A -t 10.77.0.110:84 -s sed -p 300 -M 255.255.255.0
-a -t 10.77.0.110:84 -r 10.77.0.21:84 -g -w 1
-A -f 7 -s wlc
-a -f 7 -r 10.77.0.21:0 -g -w 1
-A -f 8 -6 -s nq
-a -f 8 -6 -r [2001:db8::21]:0 -g -w 1
-A -t [2001:db8::110]:80 -s dh
-a -t [2001:db8::110]:80 -r [2001:db8::21]:80 -g -w 1
-A -t 10.77.0.110:85 -s lblc
-a -t 10.77.0.110:85 -r 10.77.0.21:85 -g -w 1
-A -t 10.77.0.110:86 -s lblcr
-a -t 10.77.0.110:86 -r 10.77.0.21:86 -g -w 1
-A -t 10.77.0.110:87 -s fo
-a -t 10.77.0.110:87 -r 10.77.0.21:87 -g -w 1
-A -t 10.77.0.110:88 -s ovf
-a -t 10.77.0.110:88 -r 10.77.0.21:88 -g -w 1
""".split("\n")
        self.assertEqual(sorted(rules("lb2")), sorted([line for line in want if line] + RULES))
        self.assertRegex(on("lb2", "ipvsadm -Ln --thresholds"), r"10.77.0.21:81 +100 +50 ")
        counters = recap(self.expect(rollout(playbook=path)))
        self.assertEqual(counters["lb2"]["changed"], 0)
        path.write_text("- hosts: lb2\n  tasks:\n    - sysctl: {net.ipv4.conf.all.send_redirects: 0}\n")
        self.expect(rollout(playbook=path))
        self.assertEqual(rules("lb2"), RULES, "the other playbook's service should be all that is left")

    def test_15_an_unknown_host_key_is_refused_with_the_command_that_accepts_it(self):
        known = pathlib.Path.home() / ".ssh/known_hosts"
        text = known.read_text()
        known.write_text("".join(line for line in text.splitlines(True) if "10.77.0.22" not in line and "rs2" not in line))
        try:
            output = self.expect(rollout("-l", "rs2"), status=4)
            self.assertIn("UNREACHABLE", output)
            self.assertIn("ssh-keyscan", output)
            self.expect(rollout("-l", "rs2", "--accept-new-host-keys"))
            self.expect(rollout("-l", "rs2"))
        finally:
            known.write_text(text)

    def test_16_sudo_with_and_without_password(self):
        on("rs1", "id ops >/dev/null 2>&1 || useradd -m -s /bin/sh ops; install -d -m 700 -o ops -g ops /home/ops/.ssh; "
                  "install -m 600 -o ops -g ops /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys; "
                  "echo 'ops:open sesame' | chpasswd; echo 'ops ALL=(ALL) ALL' >/etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops")
        path = play("- hosts: rs1\n  become: true\n  tasks:\n    - real_server: {vip: 10.77.0.120}\n", "sudo.yml")
        inventory = WORK / "sudo.ini"
        inventory.write_text("rs1 ansible_host=10.77.0.21 ansible_user=ops\n")
        output = self.expect(rollout(playbook=path, inventory=inventory), status=2)
        self.assertIn("sudo on rs1 wants a password", output)
        output = self.expect(rollout("-e", "ansible_become_password='wrong'", playbook=path, inventory=inventory), status=2)
        self.assertIn("refused", output)
        self.assertNotIn("wrong'", output)
        secret = WORK / "secret.yml"
        secret.write_text("ansible_become_password: open sesame\n")
        done = rollout("-e", f"@{secret}", "-vvvv", playbook=path, inventory=inventory)
        output = self.expect(done)
        self.assertNotIn("sesame", output + done.stderr)
        self.assertIn("10.77.0.120/32", on("rs1", "ip -o addr show dev lo"))
        on("rs1", "echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops")
        counters = recap(self.expect(rollout(playbook=path, inventory=inventory)))
        self.assertEqual(counters["rs1"]["changed"], 0)
        path.write_text("- hosts: rs1\n  become: true\n  tasks:\n    - command: /bin/true\n")
        self.expect(rollout(playbook=path, inventory=inventory))
        self.assertNotIn("10.77.0.120/32", on("rs1", "ip -o addr show dev lo"))

    def test_17_two_operators_at_once_cannot_mix(self):
        slow = play("- hosts: lb2\n  tasks:\n    - command: sleep 20\n", "slow.yml")
        first = subprocess.Popen([DROVER, "rollout", str(slow), "-i", INVENTORY], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            time.sleep(6)
            done = rollout("-l", "lb2")
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertRegex(done.stdout + done.stderr, r"lock|held|busy")
            self.assertRegex(done.stdout + done.stderr, r'lb2: locked by \S+ from \S+ \("rollout", process \d+\)')
        finally:
            first.wait(timeout=60)
        self.assertEqual(first.returncode, 0)
        self.expect_no_change(rollout())

    def test_18_a_full_disk_is_an_error_that_changes_nothing(self):
        on("rs1", "mkdir -p /var/lib/drover && mount -t tmpfs -o size=64k,mode=700 tmpfs /var/lib/drover")
        try:
            with asleep("rs1"):
                on("rs1", f"ip addr del {VIP}/32 dev lo")
                done = rollout("-l", "rs1")
                self.assertIn(done.returncode, (2, 4), done.stdout)
                self.assertRegex(done.stdout, r"(?i)no space")
                self.assertNotIn(VIP, on("rs1", "ip -o addr show dev lo"))
        finally:
            on("rs1", "umount /var/lib/drover")
        self.expect_all_well()

    def test_19_json_output_is_one_document_of_the_shape_that_ansible_users_know(self):
        done = rollout("--output", "json")
        document = json.loads(self.expect(done))
        self.assertEqual(sorted(document["stats"]), HOSTS)
        self.assertEqual(document["stats"]["rs1"]["changed"], 0)
        self.assertEqual([entry["play"]["name"] for entry in document["plays"]], ["Real servers", "Directors", "Proof"])

    def test_20_drift_is_repaired_without_a_rollout_and_told(self):
        repairs = {"cleared table": ("lb1", "ipvsadm -C", f"ipvsadm -Sn | grep -q '10.77.0.23:80 -g -w 1'"),
                   "weight": ("lb1", f"ipvsadm -e -t {VIP}:80 -r 10.77.0.22:80 -g -w 9", "! ipvsadm -Sn | grep -q 'w 9'"),
                   "VIP of a real server": ("rs1", f"ip addr del {VIP}/32 dev lo", f"ip -o addr show dev lo | grep -q {VIP}"),
                   "ARP setting": ("rs1", "sysctl -q -w net.ipv4.conf.all.arp_ignore=0",
                                   "[ $(cat /proc/sys/net/ipv4/conf/all/arp_ignore) = 1 ]")}
        for name, (host, harm, mended) in repairs.items():
            self.assertLess(milliseconds_until(host, harm, mended), 1000, name)
        self.assertEqual(rules("lb1"), RULES)
        for host, text in (("lb1", f"service tcp {VIP}:80"), ("lb1", "weight 9"), ("rs1", f"{VIP}/32 on lo"), ("rs1", "arp_ignore")):
            self.assertIn(text, on(host, "grep '\"kind\":\"drift\"' /var/log/drover/events.jsonl"))
        self.expect_no_change(rollout())

    def test_21_uninstall_leaves_a_node_as_it_was(self):
        on("lb2", "ipvsadm -A -t 10.77.0.200:81 -s wlc")
        helper = on("lb2", "ls -d /var/lib/drover/node-helper")
        on("lb2", f"{helper} uninstall")
        self.assertEqual(rules("lb2"), ["-A -t 10.77.0.200:81 -s wlc"])
        self.assertEqual(on("lb2", "cat /proc/sys/net/ipv4/conf/all/send_redirects"), "1")
        self.assertEqual(on("lb2", "ls -d /var/lib/drover /etc/init.d/drover-node-helper /etc/rc?.d/*drover* /run/drover "
                                   "/etc/drover 2>/dev/null; true"), "")
        self.assertEqual(on("lb2", "ps ax | grep node-helpe[r]; true"), "")
        on("lb2", "ipvsadm -D -t 10.77.0.200:81")
        self.expect_all_well()
        self.assertEqual(rules("lb2"), RULES)


if __name__ == "__main__":
    if os.environ.get("LAB") != "1" or os.environ.get("LAB_IPVS") != "1":
        sys.exit("cluster_test.py: needs the lab with ip_vs: tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 " + __file__)
    try:
        unittest.main(verbosity=2, failfast=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
