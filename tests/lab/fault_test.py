"""Faults on nodes, in the lab: each is injected, is seen to work, and is undone so that nothing is left, by order, by itself,
and whoever of those that should undo it is killed. The real helper, the real kernel; hosts are drilled side by side.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/fault_test.py [TEST…]
"""

import concurrent.futures
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from transaction_test import Session, run_of  # noqa: E402
from vrrp_tools import on, wait_until  # noqa: E402

HELPER = os.path.abspath(os.environ.get("HELPER", "build/node-helper"))
HOSTS = {"director1": "10.77.0.11", "director2": "10.77.0.12", "real1": "10.77.0.21", "real2": "10.77.0.22", "real3": "10.77.0.23"}
VIP = "10.77.0.100"
LEASE = 60.0
LATE = 2.0  # how much later than its time a fault may be undone on a busy machine
HELPER_UP = 10.0  # until a helper that was started answers


def order_of(number, fault, host, duration, **settings):
    whole = {"drill_id": f"drill-{number}", "fault": fault, "duration_ms": int(duration * 1000), "interfaces": ["eth0"],
             "instances": [], "vips": [VIP], "services": [{"transport": "tcp", "address": VIP, "port": 80}], "unit": "",
             "loss_ppm": 1000000, "delay_ms": 200, "jump_s": 3600, "may_cut_ssh": False}
    assert not set(settings) - set(whole), settings
    return whole | settings


def alive(host):
    """Whether the host is heard on the network."""
    return os.system(f"ping -n -q -c1 -W0.3 {HOSTS[host]} >/dev/null 2>&1") == 0


def web(host, timeout=1.0):
    """Status of the host's page, or 0."""
    try:
        with socket.create_connection((HOSTS[host], 80), timeout=timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            words = connection.recv(4096).split()
            return int(words[1]) if len(words) > 1 else 0
    except OSError:
        return 0


def daemon_pids(host):
    return [int(word) for word in on(host, "cat /run/drover/daemon.pid", check=False).split()]


def daemon_state(host):
    pids = daemon_pids(host)
    return on(host, f"sed 's/.*) //' /proc/{pids[0]}/stat", check=False)[:1] if pids else ""


def answers(host):
    return on(host, f"timeout 1 {HELPER} status >/dev/null 2>&1 && echo yes", check=False) == "yes"


def processes(host, *words):
    """Processes of the helper with these words of a drill."""
    pattern = " ".join(("[d]rill", *words))  # which does not find itself
    found = on(host, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q 'node-helper " + pattern + "' && "
                     "echo ${p#/proc/}; done", check=False).split()
    return [int(pid) for pid in found]


def journals(host):
    return on(host, "ls /var/lib/drover/drill 2>/dev/null", check=False)


def snapshot_of(session, order=None):
    """The node as it is, and what stands in the order's way."""
    look = {"kind": "drill_look"} | ({"order": order} if order else {})
    return session.do(look)[-1]["detail"]


def differences(before, after):
    first, second = ({s["name"]: s["lines"] for s in look["snapshot"]} for look in (before, after))
    return {name: (sorted(set(lines) - set(second[name])), sorted(set(second[name]) - set(lines)))
            for name, lines in first.items() if lines != second[name]}


class SshSession(Session):
    """The same as an orchestrator has it."""

    def __init__(self, run, host):
        self.command = ["ssh", "-o", "BatchMode=yes", host, f"echo $$; exec {HELPER} apply"]
        super().__init__(run, host)


class Drill:
    """One drill of one host, in a session that can be killed."""

    numbers = 0
    open = []  # those of the running test

    def __init__(self, host, fault, duration, lease=LEASE, kind=Session, **settings):
        Drill.numbers += 1
        self.host, self.duration = host, duration
        self.order = order_of(Drill.numbers, fault, host, duration, **settings)
        self.run = run_of(run_id=self.order["drill_id"])
        self.session = kind(self.run, host)
        Drill.open.append(self)
        try:
            self.arm(lease)
        except BaseException:
            self.close()
            raise

    def arm(self, lease):
        self.before = snapshot_of(self.session, self.order)
        assert not self.before["obstacles"], (self.order["fault"], self.before["obstacles"])
        armed = self.session.do({"kind": "drill_arm", "order": self.order, "lease_ms": int(lease * 1000)})[-1]
        assert armed["status"] == "ok", armed
        self.guards = armed["detail"]["guards"]
        assert len(self.guards) >= 2 and "guardian" in self.guards, armed

    def inject(self):
        self.at = time.monotonic()
        injected = self.session.do({"kind": "drill_inject", "drill_id": self.order["drill_id"]})[-1]
        assert injected["status"] == "ok", injected
        assert injected["detail"]["injected"], injected
        return injected["detail"]

    def undo(self, session=None):
        return (session or self.session).do({"kind": "drill_undo", "drill_id": self.order["drill_id"]})[-1]["detail"]

    def over(self):
        """Nothing of it is on the host any more."""
        return not journals(self.host) and not processes(self.host)

    def wait_over(self, since, seconds):
        wait_until(self.over, seconds + LATE, lambda: f"{self.order['fault']} on {self.host}: {journals(self.host)} "
                                                      f"{processes(self.host)}")
        return time.monotonic() - since

    def differences(self):
        """Between before and now, seen by a new session."""
        with Session(run_of(), self.host) as session:
            return differences(self.before, snapshot_of(session))

    def close(self):
        self.session.close()


# Of each fault: a host that it is meant for, settings, and how it shows; the second one says that it has gone.
def heard(drill):
    return not alive(drill.host)


def frozen(drill):
    return daemon_state(drill.host) == "T"


def helper_gone(drill):
    return not answers(drill.host)


def vip_gone(drill):
    return VIP not in on(drill.host, "ip -o addr show dev eth0")


def link_is_down(drill):
    return "state DOWN" in on(drill.host, "ip link show dev eth0")


def no_web(drill):
    return web(drill.host, 0.5) == 0


def web_errors(drill):
    return web(drill.host) == 503


def arp_is_open(drill):
    return on(drill.host, "cat /proc/sys/net/ipv4/conf/eth0/arp_ignore /proc/sys/net/ipv4/conf/eth0/arp_announce").split() == ["0", "0"]


def disks_are_full(drill):
    return all(int(on(drill.host, f"df --output=avail -k {path} | tail -1")) <= 1100 for path in ("/var/log/drover", "/run"))


def busy(drill):
    return len(processes(drill.host, "burn")) >= 2


def filtered(*texts):
    def look(drill):
        rules = on(drill.host, "nft list ruleset")
        return all(text in rules for text in texts) and "drover_drill" in rules
    return look


FAULTS = {
    "helper-freeze": ("director1", {}, frozen),
    "director-isolated": ("director2", {}, heard),
    "vip-lost": ("real1", {}, vip_gone),
    "director-crash": ("director1", {}, lambda drill: heard(drill) and helper_gone(drill)),
    "helper-kill": ("director2", {}, helper_gone),
    "link-down": ("real1", {}, link_is_down),
    "vrrp-split": ("director1", {}, filtered("ip protocol", "egress", "ingress")),
    "vrrp-loss": ("director2", {"loss_ppm": 500000}, filtered("numgen random mod 1000000 < 500000")),
    "sync-cut": ("real1", {}, filtered("udp dport", "8848")),
    "real-server-stop": ("real2", {"unit": "web"}, no_web),
    "real-server-hang": ("real3", {"services": [{"transport": "tcp", "address": HOSTS["real3"], "port": 80}]}, no_web),
    "real-server-5xx": ("real3", {"services": [{"transport": "tcp", "address": HOSTS["real3"], "port": 80}]}, web_errors),
    "real-server-isolated": ("real2", {}, heard),
    "arp-misconfigured": ("real3", {}, arp_is_open),
    "disk-full": ("director1", {}, disks_are_full),
    "cpu-starved": ("real1", {}, busy),
}


def side_by_side(work, items):
    """Runs work(item) for all items, those of one host one after the other; raises what failed first."""
    by_host = {}
    for item in items:
        by_host.setdefault(FAULTS[item][0], []).append(item)

    def all_of(mine):
        for item in mine:
            work(item)

    with concurrent.futures.ThreadPoolExecutor(len(by_host)) as pool:
        for done in [pool.submit(all_of, mine) for mine in by_host.values()]:
            done.result()


WEB = """#!/bin/sh
### BEGIN INIT INFO
# Provides: web
# Required-Start:
# Required-Stop:
# Default-Start: 2
# Default-Stop:
### END INIT INFO
case "$1" in
start) start-stop-daemon --start --background --make-pidfile --pidfile /run/web.pid --chdir /run/www \\
         --exec /usr/bin/python3 -- -m http.server 80 ;;
stop) start-stop-daemon --stop --retry 3 --pidfile /run/web.pid ;;
status) start-stop-daemon --status --pidfile /run/web.pid ;;
esac
"""


class FaultTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with concurrent.futures.ThreadPoolExecutor(len(HOSTS)) as pool:
            for done in [pool.submit(cls.prepare, host) for host in HOSTS]:
                done.result()

    @staticmethod
    def prepare(host):
        on(host, "mkdir -p /run/www /var/log/drover; mount -o remount,size=24m /run; "
                 "mount -t tmpfs -o size=24m log /var/log/drover; echo hello > /run/www/index.html")
        on(host, f"cat > /etc/init.d/web <<'END'\n{WEB}END\nchmod +x /etc/init.d/web; /etc/init.d/web start; "
                 f"ip addr add {VIP}/32 dev eth0; echo 1 > /proc/sys/net/ipv4/conf/eth0/arp_ignore; "
                 "echo 2 > /proc/sys/net/ipv4/conf/eth0/arp_announce")
        on(host, f"{HELPER} daemon --detach")
        wait_until(lambda: answers(host), HELPER_UP, f"the daemon of {host}")
        wait_until(lambda: web(host) == 200, HELPER_UP, f"the page of {host}")

    def tearDown(self):
        """What a test that failed has left must not fail the next one."""
        for drill in Drill.open:
            drill.close()
            if not drill.over():
                with Session(drill.run, drill.host) as session:
                    drill.undo(session)
        Drill.open.clear()

    def in_effect(self, drill, shows):
        wait_until(lambda: shows(drill), 3, f"{drill.order['fault']} on {drill.host} shows nothing")

    def gone(self, drill, shows):
        wait_until(lambda: not shows(drill), HELPER_UP, f"{drill.order['fault']} on {drill.host} still shows")
        wait_until(lambda: answers(drill.host), HELPER_UP, f"the daemon of {drill.host}")
        wait_until(lambda: not drill.differences(), 5, lambda: f"{drill.order['fault']}: {drill.differences()}")

    def test_every_fault_shows_and_is_undone_by_order(self):
        def one(fault):
            host, settings, shows = FAULTS[fault]
            drill = Drill(host, fault, 30, **settings)
            drill.inject()
            self.in_effect(drill, shows)
            state = drill.undo()
            self.assertTrue(state["undone"], (fault, state))
            self.assertEqual((state["undone_by"], state["residue"]), ("order", []), fault)
            self.assertEqual(drill.undo(), state, fault)  # once more does nothing
            drill.close()
            self.assertTrue(drill.over(), fault)
            self.gone(drill, shows)
        side_by_side(one, FAULTS)

    def test_every_fault_ends_by_itself_whoever_is_killed(self):
        """By SIGKILL: one of session, guardian and daemon, and two of them, in turn from fault to fault."""
        alone = ["session", "guardian", "daemon"]
        pairs = [("session", "guardian"), ("session", "daemon"), ("guardian", "daemon")]

        def victims(drill, who):
            number = drill.order["drill_id"]
            return {"session": lambda: [drill.session.pid], "daemon": lambda: daemon_pids(drill.host)[:1],
                    "guardian": lambda: processes(drill.host, "guard", number, "guardian")}[who]()

        def one(fault):
            host, settings, shows = FAULTS[fault]
            turn = list(FAULTS).index(fault)
            for killed in ((alone[turn % 3],), pairs[turn % 3], pairs[(turn + 1) % 3]):
                drill = Drill(host, fault, 1.0, **settings)
                drill.inject()
                pids = [pid for who in killed for pid in victims(drill, who)]
                on(host, f"kill -9 {' '.join(map(str, pids))}", check=False)
                took = drill.wait_over(drill.at, 1.0 + HELPER_UP)
                self.assertGreater(took, 0.9, (fault, killed))
                drill.close()
                self.gone(drill, shows)
                with Session(drill.run, host) as session:
                    state = drill.undo(session)
                self.assertTrue(state["undone"], (fault, killed, state))
                self.assertEqual(state["residue"], [], (fault, killed))
                self.assertIn(state["undone_by"], ("kernel", "guardian", "watchman"), (fault, killed))
        side_by_side(one, FAULTS)

    def test_when_both_guards_are_killed_the_kernel_and_the_daemon_are_left(self):
        def one(fault):
            host, settings, shows = FAULTS[fault]
            drill = Drill(host, fault, 2.0, **settings)
            guards = processes(host, "guard", drill.order["drill_id"])
            self.assertEqual(len(guards), 2, fault)
            drill.inject()
            on(host, f"kill -9 {drill.session.pid} {' '.join(map(str, guards))}")
            drill.close()
            drill.wait_over(drill.at, 2.0 + 1)
            self.gone(drill, shows)
        side_by_side(one, ["real-server-isolated", "vrrp-split", "disk-full", "arp-misconfigured", "real-server-hang"])

    def test_the_session_over_ssh_lives_on_in_an_isolated_host(self):
        for fault in ("director-isolated", "director-crash"):
            drill = Drill("director1", fault, 30, kind=SshSession)
            drill.inject()
            self.in_effect(drill, heard)
            rules = on(drill.host, "nft list ruleset")
            self.assertIn("tcp sport 22", rules)
            drill.session.pulse()
            state = drill.undo()
            self.assertEqual((state["undone"], state["undone_by"]), (True, "order"), fault)
            drill.close()
            self.gone(drill, heard)

    def test_the_link_of_the_session_goes_down_only_when_that_is_allowed(self):
        order = order_of(900, "link-down", "director2", 1.5)
        with SshSession(run_of(), "director2") as session:
            self.assertIn("the orchestrator's own SSH comes in by eth0", snapshot_of(session, order)["obstacles"][0])
        drill = Drill("director2", "link-down", 1.5, kind=SshSession, may_cut_ssh=True)
        drill.session.start({"kind": "drill_inject", "drill_id": drill.order["drill_id"]})
        wait_until(lambda: link_is_down(drill), 3, "the link is not down")
        drill.wait_over(time.monotonic(), 1.5)
        self.gone(drill, link_is_down)
        drill.close()

    def test_a_lease_that_is_not_renewed_ends_the_fault(self):
        drill = Drill("real1", "cpu-starved", 30, lease=0.8)
        for _ in range(3):
            time.sleep(0.4)
            drill.session.pulse()
        drill.inject()
        for _ in range(4):
            time.sleep(0.4)
            drill.session.pulse()
        self.assertTrue(busy(drill))
        silent = time.monotonic()
        drill.wait_over(silent, 0.8)
        self.gone(drill, busy)
        self.assertEqual(drill.undo()["undone_by"], "guardian")
        refused = drill.session.do({"kind": "drill_inject", "drill_id": drill.order["drill_id"]})[-1]
        self.assertEqual(refused["status"], "failed")
        self.assertIn("ended already", refused["message"])
        drill.close()

    def test_a_node_can_forbid_drills(self):
        on("real2", "mkdir -p /etc/drover; echo 'quarter end, ask ann' > /etc/drover/no-drill")
        order = order_of(901, "cpu-starved", "real2", 1)
        with Session(run_of(run_id="drill-901"), "real2") as session:
            self.assertEqual(snapshot_of(session, order)["no_drill"], "quarter end, ask ann")
            refused = session.do({"kind": "drill_arm", "order": order, "lease_ms": 5000})[-1]
            self.assertEqual((refused["status"], refused["message"]),
                             ("failed", "this node takes no drills: quarter end, ask ann"))
        on("real2", "rm /etc/drover/no-drill")
        self.assertEqual(journals("real2"), "")

    def test_what_a_reboot_leaves_of_a_drill_is_undone_at_the_next_start(self):
        drill = Drill("real3", "arp-misconfigured", 30)
        drill.inject()
        self.assertTrue(arp_is_open(drill))
        drill.session.kill(drill.host)
        subprocess.run(["lab-ctl", "reboot", drill.host], check=True, timeout=60)
        self.assertEqual(journals(drill.host), drill.order["drill_id"] + ".json")
        with Session(run_of(), drill.host) as session:
            self.assertEqual(snapshot_of(session)["leftovers"], [])
            state = drill.undo(session)
        self.assertEqual((state["undone"], state["undone_by"]), (True, "boot"))
        self.prepare(drill.host)
        drill.close()


@unittest.skipUnless(os.environ.get("LAB_IPVS") == "1", "needs ip_vs")
class FaultOfAWholeKernelTest(unittest.TestCase):
    """What a kernel without ip_vs, netem or a clock of its own cannot show."""

    gone, in_effect, tearDown = FaultTest.gone, FaultTest.in_effect, FaultTest.tearDown

    @classmethod
    def setUpClass(cls):
        for host in ("director1", "real1"):
            FaultTest.prepare(host)

    def test_rules_that_were_cleared_come_back(self):
        on("director1", f"ipvsadm -A -t {VIP}:80 -s rr; ipvsadm -a -t {VIP}:80 -r 10.77.0.21 -g; ipvsadm -a -t {VIP}:80 -r 10.77.0.22 -g")
        drill = Drill("director1", "rules-cleared", 2.0)
        cleared = lambda _: "10.77.0.21" not in on("director1", "ipvsadm -Ln")  # noqa: E731
        drill.inject()
        self.in_effect(drill, cleared)
        drill.wait_over(drill.at, 2.0 + HELPER_UP)
        self.gone(drill, cleared)
        drill.close()

    def test_a_service_is_slow_as_long_as_it_is_marked(self):
        def took(_=None):
            began = time.monotonic()
            assert web("real1", 5) == 200
            return time.monotonic() - began
        drill = Drill("real1", "real-server-slow", 4.0, delay_ms=700,
                      services=[{"transport": "tcp", "address": HOSTS["real1"], "port": 80}])
        drill.inject()
        self.assertGreater(took(), 0.7)
        drill.wait_over(drill.at, 4.0)
        self.gone(drill, lambda _: took() > 0.7)
        drill.close()

    def test_the_clock_jumps_and_comes_back(self):
        def offset():
            wall, up = on("director1", "echo $(date +%s.%N) $(cut -d' ' -f1 /proc/uptime)").split()
            return float(wall) - float(up)
        before = offset()
        drill = Drill("director1", "clock-jump", 3.0)
        drill.inject()
        self.assertAlmostEqual(offset() - before, 3600, delta=30)
        drill.wait_over(drill.at, 3.0)
        self.assertAlmostEqual(offset() - before, 0, delta=3)
        drill.close()

    def test_a_reboot_in_good_order_leaves_nothing(self):
        drill = Drill("real1", "reboot", 30)
        boot = on("real1", "stat -c %Y /proc/1; cut -d' ' -f22 /proc/1/stat")
        drill.inject()
        wait_until(lambda: on("real1", "stat -c %Y /proc/1; cut -d' ' -f22 /proc/1/stat", check=False) not in ("", boot), 60, "a reboot")
        drill.close()
        FaultTest.prepare("real1")
        with Session(drill.run, "real1") as session:
            self.assertEqual(drill.undo(session)["undone_by"], "boot")
        self.assertTrue(drill.over())


if __name__ == "__main__":
    unittest.main(verbosity=2)
