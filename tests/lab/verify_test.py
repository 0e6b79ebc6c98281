"""`drover verify` in the lab: a right cluster is proven, and one that was broken on purpose is found out, with the host and the
rule that it is about. Real ip_vs, real OpenSSH, real nginx.

    tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 tests/lab/verify_test.py [TEST…]

Tests run in the order of writing on one cluster; each sees that verify finds nothing any more after the repair. Where the helper's
daemon would mend the harm within a second it stands still meanwhile.
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from director_tools import VIP, on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
INVENTORY = "inventory/demo.yml"
PLAYBOOK = "playbooks/demo.yml"
PROOF = "{connections: 30, http: {path: /}}"
REAL = {"rs1": "10.77.0.21", "rs2": "10.77.0.22", "rs3": "10.77.0.23"}
NODES = ["lb1", "lb2", *REAL]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="verify-"))
OTHER_VIP = "10.77.0.110"
# Scheduler, what else the service has, the law that is held.
SCHEDULERS = [("rr", "", "^exact: rr$"), ("wrr", "", "^exact: wrr$"),
              ("sh", "", "^exact: sh, each"), ("sh", "scheduler_flags: [sh-port],", "^exact: sh, each"),
              ("sh", "scheduler_flags: [sh-fallback, sh-port],", "^exact: sh, each"),
              ("mh", "", "^exact: mh, each"), ("mh", "scheduler_flags: [mh-port],", "^exact: mh, each"),
              ("dh", "", "^exact: dh, each"),
              ("lc", "", "^exact: lc, replayed"), ("wlc", "", "^exact: wlc, replayed"), ("sed", "", "^exact: sed, replayed"),
              ("nq", "", "^exact: nq, replayed"), ("fo", "", "^exact: fo$"), ("ovf", "", "^exact: ovf$"),
              ("lblc", "", "^members only"),  # twos is not in Debian's kernel
              ("rr", "persistence: 12s,", "^exact: persistent$"), ("rr", "persistence: 300s,", "^exact: persistent$"),
              ("wrr", "drained", "^exact: wrr$")]
FORGETS, REMEMBERS = (8001 + [extra for _, extra, _ in SCHEDULERS].index(f"persistence: {span},") for span in ("12s", "300s"))
# The same over UDP, on the same ports.
DATAGRAMS = [("rr", "", "^exact: rr$"), ("rr", "one_packet: true,", "^exact: rr$"), ("wrr", "", "^exact: wrr$"),
             ("sh", "scheduler_flags: [sh-port],", "^exact: sh, each"), ("mh", "scheduler_flags: [mh-port],", "^exact: mh, each"),
             ("dh", "", "^exact: dh, each"), ("wrr", "drained", "^exact: wrr$"),
             ("lc", "", "^exact: lc, replayed"), ("wlc", "", "^exact: wlc, replayed"), ("sed", "", "^exact: sed, replayed"),
             ("nq", "", "^exact: nq, replayed"), ("lc", "one_packet: true,", "^exact: lc, replayed")]
# Says who it is to whoever asks, from the address that was asked.
WHO = """
import select, socket, sys
name, *addresses = sys.argv[1:]
doors = []
for address in addresses:
    for port in range(8001, 8001 + %d):
        door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        door.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND: the VIP need not be there yet
        door.bind((address, port))
        doors.append(door)
while True:
    for door in select.select(doors, [], [])[0]:
        door.sendto(b"I am " + name.encode(), door.recvfrom(512)[1])
""" % len(DATAGRAMS)
# What a look must not change: what the kernel has, and what the helper keeps.
STATE = ("ip -o addr | sed 's/valid_lft.*//'; ip route; ipvsadm -Sn 2>/dev/null; cd /proc/sys/net/ipv4/conf; "
         "grep . */arp_ignore */arp_announce */rp_filter */send_redirects; "
         "find /var/lib/drover /etc/drover -type f -exec stat -c '%n %s %Y %i' {} + 2>/dev/null | grep -v lock | sort")


def drover(*arguments, timeout=240):
    return subprocess.run([DROVER, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def rollout(playbook, *arguments):
    done = drover("rollout", str(playbook), "-i", INVENTORY, "-T", "60", *arguments)
    if done.returncode != 0:
        raise AssertionError(f"rollout: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def verify(*arguments, playbook=None):
    return drover("verify", str(playbook or WORK / "quick" / "demo.yml"), "-i", INVENTORY, "-T", "60", *arguments)


@contextlib.contextmanager
def asleep(host):
    """The helper's daemon of a real server stands still meanwhile."""
    on(host, "kill -STOP $(cat /run/drover/daemon.pid)")
    try:
        yield
    finally:
        on(host, "kill -CONT $(cat /run/drover/daemon.pid)")


def owners():
    return [host for host in ("lb1", "lb2") if f" {VIP}/32 " in on(host, "ip -o addr show dev eth0")]


def forget_the_vip():
    """A client that heard a wrong MAC keeps it for a while."""
    on("control", f"ip neigh del {VIP} dev eth0 2>/dev/null; true")


class Verify(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        rollout(PLAYBOOK, "-l", "directors,real_servers")  # the proof waits until the directors have settled
        shutil.copytree("playbooks/templates", WORK / "templates")
        # The same with fewer connections, and less patience for those that fail.
        text = pathlib.Path(PLAYBOOK).read_text()
        assert PROOF in text
        (WORK / "quick").mkdir()
        (WORK / "quick" / "demo.yml").write_text(text.replace(PROOF, "{connections: 9, timeout: 1500ms, http: {path: /}}"))
        shutil.copytree("playbooks/templates", WORK / "quick" / "templates")
        wait_until(lambda: owners() == ["lb1"], 20, "lb1 is master")

    def found(self, *arguments, playbook=None):
        """{(rule, host)} of a verification that finds something, and all messages."""
        done = verify("--output", "json", *arguments, playbook=playbook)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        findings = [finding for check in document["checks"] for finding in check["findings"]]
        for finding in findings:
            self.assertTrue(finding["message"] and finding["why"] and finding["remedy"], finding)
        self.assertEqual(document["findings"], len(findings))
        return {(finding["rule"], finding["host"]) for finding in findings}, done.stdout

    def expect_clean(self, *arguments, playbook=None):
        done = verify("-v", *arguments, playbook=playbook)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_01_a_right_cluster_is_proven_and_nothing_is_changed(self):
        before = {host: on(host, STATE) for host in NODES}
        output = self.expect_clean(playbook=PLAYBOOK)
        self.assertEqual({host: on(host, STATE) for host in NODES}, before)
        self.assertIn("exact: rr", output)
        self.assertIn("order:   ", output)
        for check in (f"answers  tcp {VIP}:80", f"distribution  tcp {VIP}:80", f"segment-size  tcp {VIP}:80", f"arp  {VIP}",
                      f"reply-path  tcp {VIP}:80", "icmp-redirects  probe", f"vip-owner  {VIP}", "no-stale-rules  lb2",
                      f"equal-rules  tcp {VIP}:80", f"counters  tcp {VIP}:80", "vip-hidden  rs3", "return-path  rs1",
                      "as-the-playbook-says  lb1"):
            self.assertIn(f"ok:      {check}", output)
        self.assertNotIn("skipped", output)
        self.assertNotIn("other clients", output)

    def test_02_a_playbook_without_verify_is_verified_by_its_services(self):
        plain = WORK / "demo.yml"  # the same owner
        text = pathlib.Path(PLAYBOOK).read_text()
        plain.write_text(text[:text.index("- name: Proof")])
        done = verify("--output", "junit", playbook=plain)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        suites = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertEqual([suite.get("name") for suite in suites], ["control: Every service of the playbook", "hosts"])
        cases = {(case.get("classname"), case.get("name")) for suite in suites for case in suite}
        self.assertIn(("distribution", f"tcp {VIP}:80"), cases)
        self.assertIn(("as-the-playbook-says", "rs2"), cases)
        self.assertEqual((suites.get("failures"), suites.get("errors")), ("0", "0"))
        nowhere = WORK / "nowhere.yml"
        nowhere.write_text(pathlib.Path(INVENTORY).read_text().replace("    probes:", "    clients:"))
        done = drover("verify", str(plain), "-i", str(nowhere))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn('no group "probes"', done.stderr)

    def test_03_a_second_master(self):
        on("lb2", "nft 'add table inet mute; add chain inet mute in { type filter hook input priority 0; }; "
                  "add rule inet mute in meta l4proto 112 drop; add chain inet mute out { type filter hook output priority 0; }; "
                  "add rule inet mute out meta l4proto 112 drop'")
        try:
            wait_until(lambda: owners() == ["lb1", "lb2"], 20, "both are master")
            found, text = self.found()
        finally:
            on("lb2", "nft delete table inet mute")
        self.assertIn(("two-masters", "lb2"), found)
        self.assertIn(("arp-double-owner", ""), found)
        self.assertIn("VRRP", text)
        wait_until(lambda: owners() == ["lb1"], 20, "lb2 gives way")
        forget_the_vip()
        self.expect_clean()

    def test_04_a_real_server_that_asks_in_the_name_of_the_vip(self):
        with asleep("rs2"):
            on("rs2", "sysctl -q -w net.ipv4.conf.all.arp_announce=0")
            found, text = self.found()
        self.assertIn(("arp-poison", "rs2"), found)  # heard on the wire, though it answers nobody who asks for the VIP
        self.assertIn(("arp-announce", "rs2"), found)
        self.assertNotIn("arp-real-server", {rule for rule, _ in found})
        mac = on("rs2", "cat /sys/class/net/eth0/address")
        self.assertIn(mac, text)
        wait_until(lambda: on("rs2", "cat /proc/sys/net/ipv4/conf/all/arp_announce") == "2", 10, "the daemon mends it")
        forget_the_vip()
        self.expect_clean()

    def test_05_a_real_server_without_its_vip(self):
        with asleep("rs3"):
            on("rs3", f"ip addr del {VIP}/32 dev lo")
            found, _ = self.found()
        self.assertLessEqual({("vip-missing", "rs3"), ("no-answer", "rs3")}, found)
        self.assertEqual({host for _, host in found}, {"rs3"})
        wait_until(lambda: VIP in on("rs3", "ip -o addr show dev lo"), 10, "the daemon mends it")
        self.expect_clean()

    def test_06_a_stale_rule_on_the_standby(self):
        on("lb2", f"ipvsadm -A -t {VIP}:81 -s rr && ipvsadm -a -t {VIP}:81 -r {REAL['rs1']}:81 -g")
        try:
            found, text = self.found()
        finally:
            on("lb2", f"ipvsadm -D -t {VIP}:81")
        self.assertEqual(found, {("service-stale", "lb2")})
        self.assertIn(f"tcp {VIP}:81 (rr to rs1)", text)
        self.expect_clean()

    def test_07_a_wrong_weight(self):
        on("lb2", "/var/lib/drover/node-helper daemon --stop")
        try:
            on("lb2", f"ipvsadm -e -t {VIP}:80 -r {REAL['rs2']}:80 -g -w 9")
            found, text = self.found()
        finally:
            on("lb2", "/var/lib/drover/node-helper daemon --detach")
        self.assertLessEqual({("server-weight", "lb2"), ("rules-unequal", "lb2")}, found)
        self.assertIn("rs2", text)
        wait_until(lambda: "-w 9" not in on("lb2", "ipvsadm -Sn"), 20, "the daemon mends it")
        wait_until(lambda: '"backup"' in on("lb2", "/var/lib/drover/node-helper status --json"), 20, "lb2 is backup")
        self.expect_clean()

    def test_08_persistence_left_on(self):
        left = WORK / "demo.yml"
        left.write_text(pathlib.Path(PLAYBOOK).read_text().replace("scheduler: rr", "scheduler: rr\n        persistence: 300s"))
        rollout(left, "-l", "directors")
        try:
            found, text = self.found()
        finally:
            rollout(PLAYBOOK, "-l", "directors")
        rules = collections.Counter(rule for rule, _ in found)
        self.assertLessEqual({("service-persistence", "lb1"), ("service-persistence", "lb2")}, found)
        self.assertEqual(rules["rr-distribution"], 1)  # all on one, seen from outside
        self.assertIn("persistent 300s", text)
        self.expect_clean()


    def test_09_every_scheduler_does_what_its_law_tells(self):
        """Each service stands on a port of its own; weights are 1, 2, 3. What is told here is told by our own hash functions and
        tables, what is seen is the kernel's."""
        ports = "".join(f"listen {port} default_server;\n" for port in range(8001, 8001 + len(SCHEDULERS)))
        (WORK / "many.conf").write_text("server {\n" + ports + "location / { return 200 \"{{ inventory_hostname }}\\n\"; }\n}\n")
        services = ""
        ask = "protocol: udp, check: {udp: {payload: who, expect: I am}, interval: 5s, timeout: 3s},"
        for cases, common in ((SCHEDULERS, ""), (DATAGRAMS, ask)):
            for port, (scheduler, extra, _) in enumerate(cases, 8001):
                weights = [0, 2, 3] if extra == "drained" else [1, 2, 3]
                servers = ", ".join(f"{{host: {host}, weight: {weight}}}" for host, weight in zip(REAL, weights))
                more = common + ("" if extra == "drained" else extra)
                services += f"    - virtual_service: {{address: '{OTHER_VIP}:{port}', scheduler: {scheduler}, {more} real_servers: [{servers}]}}\n"
        for host, address in REAL.items():
            on(host, f"cat > /run/who.py <<'E'\n{WHO}E\n"
                     f"/usr/bin/python3 /run/who.py {host} {address} {OTHER_VIP} >/dev/null 2>&1 & echo $! > /run/who.pid")
        playbook = WORK / "schedulers.yml"
        playbook.write_text(f"""
- hosts: real_servers
  tasks:
    - template: {{src: many.conf, dest: /etc/nginx/sites-enabled/many}}
    - service: {{name: nginx, state: restarted}}
    - real_server: {{vip: {OTHER_VIP}}}
- hosts: lb1
  tasks:
    - vip: {{address: {OTHER_VIP}, interface: eth0}}
{services}
- hosts: probes
  tasks:
    - verify: {{connections: 36}}
""")
        rollout(playbook, "-l", "lb1,real_servers")
        try:
            done = verify("--output", "json", playbook=playbook)
            mistaken = WORK / "mistaken" / "schedulers.yml"  # the same owner, who thinks that clients are forgotten sooner
            mistaken.parent.mkdir()
            mistaken.write_text(playbook.read_text().replace("persistence: 300s", "persistence: 12s").replace(
                "verify: {connections: 36}", f"verify: {{connections: 6, services: ['{OTHER_VIP}:{REMEMBERS}']}}"))
            shutil.copy(WORK / "many.conf", mistaken.parent)
            found, _ = self.found("-l", "control,lb1", playbook=mistaken)
        finally:
            gone = WORK / "gone" / "schedulers.yml"  # the same owner: all of it is taken away again
            gone.parent.mkdir()
            gone.write_text("- hosts: lb1,real_servers\n  tasks:\n    - command: /bin/true\n")
            rollout(gone)
            for host in REAL:
                on(host, "rm /etc/nginx/sites-enabled/many; kill $(cat /run/who.pid); rm /run/who.py /run/who.pid")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        laws = {service["service"]: service for service in document["probes"][0]["services"]}
        for cases, transport in ((SCHEDULERS, "tcp"), (DATAGRAMS, "udp")):
            for port, (scheduler, extra, law) in enumerate(cases, 8001):
                service = laws[f"{transport} {OTHER_VIP}:{port}"]
                print(f"{transport} {scheduler:4} {extra or '-':40} {service['law']:50} {' '.join(service['sequence'][:12])}",
                      file=sys.stderr)
                self.assertRegex(service["law"], law, scheduler)
                self.assertEqual((service["connections"], service["failed"]), (36, 0), scheduler)
        checks = {(check["law"], check["subject"]): check for check in document["checks"]}
        # The client of the one was seen to come to another server; that of the other was not waited for.
        self.assertNotIn("skipped", checks["persistence-timeout", f"tcp {OTHER_VIP}:{FORGETS}"])
        self.assertIn("not waited", checks["persistence-timeout", f"tcp {OTHER_VIP}:{REMEMBERS}"]["skipped"])
        self.assertNotIn("skipped", checks["counters", f"udp {OTHER_VIP}:8001"])
        self.assertLessEqual({"service-persistence", "persistence-timeout"}, {rule for rule, _ in found})


if __name__ == "__main__":
    if os.environ.get("LAB") != "1" or os.environ.get("LAB_IPVS") != "1":
        sys.exit("verify_test.py: needs the lab with ip_vs: tests/lab/lab -i inventory/demo.yml -- /usr/bin/python3 " + __file__)
    try:
        unittest.main(verbosity=2, failfast=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
