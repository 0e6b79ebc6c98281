"""What the tests of docs/ways/ have in common. A class is one arrangement: its playbook and inventory under playbooks/ways/ and
inventory/ways/, its nodes, and tests that run in the order of writing. The first rolls it out, the last takes it away; before and
after the nodes must look the same.
"""

import collections
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from host_shell import lab, on, side_by_side, wait_until  # noqa: E402
from recap import recap  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
EMULATED = "QEMU TCG" in pathlib.Path("/proc/cpuinfo").read_text()
CHECKED = 6.0  # s; until the checks of a new service have their verdicts
LATE = 10.0 if EMULATED else 3.0  # s; what looking from outside and a slow machine add to a time that is promised
VIP = "10.77.0.100"
# The client's addresses; the first is the one that it takes by itself.
CLIENT, *CLIENTS = ["10.77.0.2", "10.77.0.3", "10.77.0.4", "10.77.0.5", "10.77.0.6"]
ADDRESS = {"lb1": "10.77.0.11", "lb2": "10.77.0.12"} | {f"rs{i}": f"10.77.0.2{i}" for i in range(1, 6)} | {
    f"nat{i}": f"10.78.0.2{i}" for i in (1, 2)}

# What of a node a rollout may change, read with the classic tools. Left out is what only counts or follows others.
SNAPSHOT = r"""
n=0; while ip -6 addr show tentative | grep -q inet6 && [ $n -lt 25 ]; do sleep 0.2; n=$((n + 1)); done  # a card that has just come up
echo '# addresses'; ip -o addr | sed -E 's/(valid|preferred)_lft [a-z0-9]+//g'
echo '# links'; ip -o link | sed -E 's/qlen [0-9]+//; s/^[0-9]+: //; s/@if[0-9]+//'
echo '# routes'; ip route show table all; ip -6 route show table all | sed -E '/expires -/d; s/expires [0-9]+sec//' | sort
echo '# rules'; ip rule; ip -6 rule
echo '# sysctls'; cd /proc/sys/net && grep -rs . ipv4/ip_forward ipv4/conf ipv6/conf | grep -v stable_secret | sort
echo '# receivers'; ip fou show 2>/dev/null
echo '# ip_vs'; [ -e /proc/net/ip_vs ] && sed 1,3d /proc/net/ip_vs
echo '# filters'; nft list ruleset
echo '# files'; ls -d /var/lib/drover /run/drover /etc/drover /etc/init.d/drover* /etc/systemd/system/drover* 2>/dev/null
echo '# processes'; ps -eo comm= | grep -E 'node-helper|drover'; true
"""

# Says who it is, over http and https, and is broken while /run/sick is there.
SITE = """server {{
    listen 80 default_server; listen [::]:80 default_server; listen 443 ssl default_server;
    ssl_certificate /etc/nginx/site.pem; ssl_certificate_key /etc/nginx/site.pem;
    location / {{ default_type text/plain; return 200 "{host}\\n"; }}
    location /health {{ default_type text/plain; if (-f /run/sick) {{ return 200 "out of order\\n"; }} return 200 "fine\\n"; }}
}}
"""
_running = set()


def serve(hosts):
    """nginx with a page that names its server runs on these hosts. It is no part of the arrangements: they find it there."""
    def start(host):
        on(host, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=web -keyout /etc/nginx/site.pem"
                 f" -out /etc/nginx/site.crt 2>/dev/null && cat /etc/nginx/site.crt >> /etc/nginx/site.pem && cat > /etc/nginx/sites-enabled/default <<'E'\n"
                 f"{SITE.format(host=host)}E\n/etc/init.d/nginx start")
    new = [host for host in hosts if host not in _running]
    side_by_side(start, new)
    _running.update(new)


def rest(hosts):
    """The same nginx runs no more."""
    side_by_side(lambda host: on(host, "/etc/init.d/nginx stop"), [host for host in hosts if host in _running])
    _running.difference_update(hosts)


def drover(*arguments, timeout=400):
    return subprocess.run([DROVER, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def page(address=VIP, source=CLIENT, port=80, timeout=3.0, path="/"):
    """Who answers a new connection from this address of the client; None when nobody does. It ends by a reset, so that ip_vs
    keeps its entry for 10 s and no longer (net/netfilter/ipvs/ip_vs_proto_tcp.c, CLOSE)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.settimeout(timeout)
        if family == socket.AF_INET:
            door.bind((source, 0))
        door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            door.connect((address, port))
            door.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while piece := door.recv(4096):
                answer += piece
        except OSError:
            return None
    return answer.partition(b"\r\n\r\n")[2].decode().strip() or None


def pages(number, **how):
    """{server: how many of so many new connections it had}; None: nobody answered."""
    return collections.Counter(page(**how) for _ in range(number))


def holds(host, vip=VIP, interface="eth0"):
    return f" {vip}/" in on(host, f"ip -o addr show dev {interface}", check=False)


class WayTest(unittest.TestCase):
    maxDiff = None
    way = ""      # the name of its playbook, inventory and page
    nodes = ()    # the hosts that it changes
    servers = ()  # those of them that serve pages
    stands = False

    @classmethod
    def setUpClass(cls):
        serve(cls.servers)
        cls.began = time.monotonic()
        cls.before = cls.snapshots()

    @classmethod
    def tearDownClass(cls):
        print(f"\n    {cls.way}: {time.monotonic() - cls.began:.0f} s", file=sys.stderr)

    def setUp(self):
        if not self.stands and "_1_" not in self.id():
            self.fail("the arrangement does not stand")

    @classmethod
    def snapshots(cls):
        return side_by_side(lambda host: on(host, SNAPSHOT, check=False), cls.nodes)

    def inventory(self):
        return f"inventory/ways/{self.way}.yml"

    def about(self, command, *options, words=(), status=0, playbook=None):
        """What drover COMMAND WORDS… says of this arrangement."""
        done = drover(command, *words, str(playbook or f"playbooks/ways/{self.way}.yml"), "-i", self.inventory(), *options)
        if done.returncode != status:
            self.fail(f"drover {command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def roll_out(self):
        self.about("rollout", "-l", ",".join(self.nodes), "-T", "60")
        type(self).stands = True

    def expect_nothing_changes(self):
        for host, counts in recap(self.about("rollout", "-l", ",".join(self.nodes), "-T", "60")).items():
            self.assertEqual((counts["changed"], counts["failed"], counts["unreachable"]), (0, 0, 0), host)

    def expect_clean(self):
        """drover verify finds nothing; what it says."""
        return self.about("verify", "-v", "-T", "60", "--wait-persistence", "0s")

    def expect_found(self, *expected, within=()):
        """drover verify finds at least these (rule, host), and nothing about others than the hosts in `within`; what it says."""
        document = json.loads(self.about("verify", "--output", "json", "-T", "60", "--wait-persistence", "0s", status=2))
        findings = [finding for check in document["checks"] for finding in check["findings"]]
        found = {(finding["rule"], finding["host"]) for finding in findings}
        self.assertLessEqual(set(expected), found, json.dumps(findings, indent=1))
        if within:
            self.assertLessEqual({host for _, host in found}, set(within), json.dumps(findings, indent=1))
        return "\n".join(" ".join((finding["message"], finding["why"], finding["remedy"])) for finding in findings)

    def expect_rules(self, host, *rules):
        """`ipvsadm -Sn` of a director, line for line, once the checks have found everybody well."""
        begun = time.monotonic()
        while on(host, "ipvsadm -Sn").splitlines() != list(rules) and time.monotonic() - begun < CHECKED + LATE:
            time.sleep(0.3)
        self.assertEqual(on(host, "ipvsadm -Sn").splitlines(), list(rules), host)

    def expect_sysctls(self, host, **settings):
        """Settings under net.ipv4.conf: all_send_redirects=0"""
        for name, value in settings.items():
            interface, _, key = name.partition("_")
            self.assertEqual(on(host, f"cat /proc/sys/net/ipv4/conf/{interface}/{key}"), str(value), f"{host}: {interface}.{key}")

    def take_away(self):
        """Uninstalls it: every node is as it was before."""
        self.about("uninstall", "-y", "-T", "60")
        after = self.snapshots()
        for host in self.nodes:
            self.assertEqual(after[host].splitlines(), self.before[host].splitlines(), host)

    def asleep(self, host):
        return Asleep(host)


class Asleep:
    """The helper's daemon of a host stands still meanwhile, so that harm stays until somebody has seen it."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        on(self.host, "kill -STOP $(cat /run/drover/daemon.pid)")

    def __exit__(self, *_):
        on(self.host, "kill -CONT $(cat /run/drover/daemon.pid)")


def run_with_ip_vs(file):
    """What a file of such tests does as a program."""
    if os.environ.get("LAB_IPVS") != "1":
        sys.exit(f"{file}: needs the lab with ip_vs: tests/lab/lab -i tests/lab/inventories/ways.yml -- /usr/bin/python3 {file}")
    unittest.main(verbosity=2, failfast=False)
