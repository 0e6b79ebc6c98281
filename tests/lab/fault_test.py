"""Faults on nodes, in the lab: each is injected, is seen to work, and is undone so that nothing is left, by order, by itself,
and whoever of those that should undo it is killed. The real helper, the real kernel; hosts are drilled side by side.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/fault_test.py [TEST…]
"""

import concurrent.futures
import json
import os
import pathlib
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from transaction_test import Session, run_of  # noqa: E402
from vrrp_tools import HostProcess, on, wait_until  # noqa: E402

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
    return os.system(f"ping -n -q -c1 -W1 {HOSTS[host]} >/dev/null 2>&1") == 0


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


class Drill:
    """One drill of one host, in a session that can be killed."""

    numbers = 0

    def __init__(self, host, fault, duration, lease=LEASE, **settings):
        Drill.numbers += 1
        self.host, self.duration = host, duration
        self.order = order_of(Drill.numbers, fault, host, duration, **settings)
        self.run = run_of(run_id=self.order["drill_id"])
        self.session = Session(self.run, host)
        self.before = snapshot_of(self.session, self.order)
        assert not self.before["obstacles"], (fault, self.before["obstacles"])
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
        def prepare(host):
            on(host, "mkdir -p /run/www /var/log/drover; mount -o remount,size=24m /run; "
                     "mount -t tmpfs -o size=24m log /var/log/drover; echo hello > /run/www/index.html")
            on(host, f"cat > /etc/init.d/web <<'END'\n{WEB}END\nchmod +x /etc/init.d/web; /etc/init.d/web start; "
                     f"ip addr add {VIP}/32 dev eth0; echo 1 > /proc/sys/net/ipv4/conf/eth0/arp_ignore; "
                     "echo 2 > /proc/sys/net/ipv4/conf/eth0/arp_announce")
            on(host, f"{HELPER} daemon --detach")
            wait_until(lambda: answers(host), HELPER_UP, f"the daemon of {host}")
            wait_until(lambda: web(host) == 200, HELPER_UP, f"the page of {host}")

        with concurrent.futures.ThreadPoolExecutor(len(HOSTS)) as pool:
            for done in [pool.submit(prepare, host) for host in HOSTS]:
                done.result()

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

    def test_every_fault_ends_by_itself_when_the_session_and_the_guardian_are_killed(self):
        def one(fault):
            host, settings, shows = FAULTS[fault]
            drill = Drill(host, fault, 2.0, **settings)
            drill.inject()
            since = drill.at
            on(host, f"kill -9 {drill.session.pid} $({HELPER} version >/dev/null; echo "
                     f"{' '.join(map(str, processes(host, 'guard', drill.order['drill_id'], 'guardian')))})", check=False)
            drill.close()
            took = drill.wait_over(since, 2.0 + HELPER_UP)
            self.assertGreater(took, 1.9, fault)
            self.gone(drill, shows)
            with Session(drill.run, host) as session:
                state = drill.undo(session)
            self.assertTrue(state["undone"], (fault, state))
            self.assertIn(state["undone_by"], ("kernel", "guardian", "watchman"), fault)
            self.assertLess(state["undone_us"] - state["injected_us"], (2.0 + HELPER_UP) * 1e6, fault)
        side_by_side(one, FAULTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
