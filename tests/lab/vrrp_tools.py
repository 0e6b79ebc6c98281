"""What the tests of VRRP work with: the speaker and keepalived on hosts of the lab, a look at the wire, a look at who owns an
address, and a client that counts what it loses. All clocks are CLOCK_REALTIME of the one kernel, in seconds."""

import datetime
import json
import math
import os
import re
import socket
import struct
import subprocess
import threading
import time

from host_shell import on, wait_until

SPEAK = os.path.abspath(os.environ.get("SPEAK", "build/tests/node-helper/speaker/speak"))
PYTHON = "/usr/bin/python3"
ADDRESS = {"d1": "10.250.0.1", "d2": "10.250.0.2"}
LINK_LOCAL = {"d1": "fe80::aa:1", "d2": "fe80::aa:2"}
VIPS = ["10.250.0.100", "10.250.0.101"]
VIPS6 = ["fe80::100", "2001:db8::100"]
ECHO_PORT = 7000
PROBES_PER_SECOND = 500


def addresses(host, interface="eth0"):
    """{address} of an interface."""
    return {line.split()[3].split("/")[0] for line in on(host, f"ip -o addr show dev {interface}").splitlines()}


def link(host, state):
    subprocess.run(["lab-ctl", "link", host, "eth0", state], check=True, timeout=30)


class HostProcess:
    """A process on a host; its lines of output are kept."""

    def __init__(self, host, command, stdin=None):
        self.host = host
        self.lines = []
        self._process = subprocess.Popen(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", f"echo $$; exec {command}"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = int(self._process.stdout.readline())
        if stdin is not None:
            self._process.stdin.write(stdin)
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    def signal(self, name):
        on(self.host, f"kill -{name} {self.pid}", check=False)

    def running(self):
        return self._process.poll() is None

    def wait(self, seconds=15):
        self._process.wait(timeout=seconds)
        self._reader.join(timeout=5)

    def kill(self):
        """However it is; nothing of it is left running."""
        if self.running():
            self.signal("KILL")
        self.wait()


# --- what speaks VRRP


def instance(**settings):
    """A VrrpInstance as the helper's documents spell it; what is not named is the default."""
    whole = {"name": "web", "interface": "eth0", "version": 3, "vrid": 51, "priority": 150, "advert_interval_ms": 1000,
             "down_adverts": 3, "preempt": True, "preempt_delay_ms": 0,
             "addresses": [f"{vip}/32" for vip in VIPS], "excluded_addresses": [], "unicast_peers": [], "password": "",
             "checksum": "as_peer", "vmac": False, "lease_ms": 1000, "linger_ms": 200, "on_rival": "reannounce",
             "announce": {"count": 5, "delay_ms": 5000, "refresh_ms": 0, "refresh_count": 1},
             "sync_wait_ms": 60000, "track": []}
    unknown = set(settings) - set(whole) - {"source_address"}
    if unknown:
        raise AssertionError(f"no such settings: {unknown}")
    return whole | settings


class Drover:
    """The VRRP of node-helper on a host. The one place that knows how it is started and what it prints."""

    def __init__(self, host, *instances, groups=()):
        self.host = host
        self._write(instances, groups)
        self.process = HostProcess(host, f"{SPEAK} /run/state.json")

    def _write(self, instances, groups):
        state = {"addresses": [], "sysctls": [], "services": [], "vrrp_instances": list(instances),
                 "vrrp_groups": list(groups)}
        subprocess.run(["lab-ctl", "exec", self.host, "--", "/bin/sh", "-c", "cat > /run/state.json"],
                       input=json.dumps(state), text=True, check=True, timeout=30)

    def reconfigure(self, *instances, groups=()):
        self._write(instances, groups)
        self.process.signal("HUP")

    def yield_all(self):
        self.process.signal("USR1")

    def return_all(self):
        self.process.signal("USR2")

    def settle(self):
        self.process.signal("WINCH")

    def upgrade(self):
        self.process.signal("QUIT")

    def hand_over(self):
        self.process.signal("TERM")
        self.process.wait()

    def stop(self):
        if self.process.running():
            self.process.signal("CONT")
            self.process.signal("INT")
            try:
                self.process.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
        # Of a build with sanitizers.
        complaints = [line for line in self.process.lines if "Sanitizer" in line or "runtime error" in line]
        if complaints:
            raise AssertionError("\n".join(self.process.lines[-100:]))

    def events(self, kind):
        """[(monotonic seconds, rest of the line)] of moved, rival, repaired or problem."""
        found = []
        for line in list(self.process.lines):
            words = line.split(" ", 2)
            if len(words) == 3 and words[1] == kind:
                found.append((float(words[0]), words[2]))
        return found

    def states(self):
        """{instance: state} by its events."""
        states = {}
        for _, text in self.events("moved"):
            match = re.match(r"(\S+) \S+ -> (\w+):", text)
            states[match.group(1)] = match.group(2)
        return states

    def is_master(self):
        states = self.states()
        return bool(states) and set(states.values()) == {"master"}

    def status(self, name="web"):
        """{word: value} of the newest status line."""
        for line in reversed(self.process.lines):
            words = line.split(" ")
            if words[0] == "status" and words[1] == name:
                return {"state": words[2]} | dict(word.split("=", 1) for word in words[3:] if "=" in word)
        return {}


class Keepalived:
    """Debian's keepalived on a host, VRRP only, with one instance of the same settings."""

    def __init__(self, host, settings):
        self.host = host
        self._vip = settings["addresses"][0].split("/")[0]
        config = self._config(settings)
        subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", "cat > /run/keepalived.conf"], input=config, text=True,
                       check=True, timeout=30)
        self.process = HostProcess(host, "/usr/sbin/keepalived --dont-fork --vrrp --log-console --log-detail"
                                         " --use-file /run/keepalived.conf --pid /run/ka.pid --vrrp_pid /run/ka-vrrp.pid")

    def _config(self, settings):
        seconds = settings["advert_interval_ms"] / 1000
        lines = ["global_defs {", "  router_id lab", "}", f"vrrp_instance {settings['name']} {{", "  state BACKUP",
                 f"  interface {settings['interface']}", f"  version {settings['version']}",
                 f"  virtual_router_id {settings['vrid']}", f"  priority {settings['priority']}", f"  advert_int {seconds:g}"]
        if settings["password"]:
            lines += ["  authentication {", "    auth_type PASS", f"    auth_pass {settings['password']}", "  }"]
        if settings["unicast_peers"]:
            lines += [f"  unicast_src_ip {ADDRESS[self.host]}", "  unicast_peer {", *settings["unicast_peers"], "  }"]
        if ":" in self._vip:
            lines.append(f"  mcast_src_ip {LINK_LOCAL[self.host]}")
        lines += ["  virtual_ipaddress {", *(f"    {address}" for address in settings["addresses"]), "  }", "}"]
        return "\n".join(lines) + "\n"

    def is_master(self):
        return self._vip in addresses(self.host)

    def stop(self):
        if self.process.running():
            self.process.signal("TERM")
            self.process.wait()


# --- looking on

_SNIFF = r"""
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.setsockopt(socket.SOL_SOCKET, 35, 1)
s.bind(("eth0", 3))
print("ready", flush=True)
while True:
    frame, control, _, place = s.recvmsg(2048, 256)
    kind = frame[12:14]
    vrrp = kind == b"\x08\x00" and frame[23] == 112 or kind == b"\x86\xdd" and frame[20] == 112
    if not vrrp and kind != b"\x08\x06":
        continue
    stamp = 0.0
    for level, what, data in control:
        if what == 35:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            stamp = seconds + nanoseconds / 1e9
    print(f"{stamp:.6f} {frame.hex()}", flush=True)
"""


class Advert:
    """One advertisement as it was on the wire."""

    def __init__(self, at, frame):
        self.at = at
        self.frame = frame
        self.v4 = frame[12:14] == b"\x08\x00"
        self.source_mac = frame[6:12]
        if self.v4:
            length = struct.unpack("!H", frame[16:18])[0]
            self.header = frame[14:34]
            self.payload = frame[34:14 + length]
            self.source = socket.inet_ntoa(frame[26:30])
            self.ttl = frame[22]
        else:
            length = struct.unpack("!H", frame[18:20])[0]
            self.header = frame[14:54]
            self.payload = frame[54:54 + length]
            self.source = socket.inet_ntop(socket.AF_INET6, frame[22:38])
            self.ttl = frame[21]
        self.vrid = self.payload[1]
        self.priority = self.payload[2]

    def comparable(self):
        """The packet without what no two packets share: the IPv4 identification and with it the header's checksum."""
        if not self.v4:
            return self.header + self.payload
        return self.header[:4] + b"\0\0" + self.header[6:10] + b"\0\0" + self.header[12:] + self.payload


class Arp:
    def __init__(self, at, frame):
        self.at = at
        self.source_mac = frame[6:12]
        self.is_request = frame[20:22] == b"\0\1"
        self.sender_mac = frame[22:28]
        self.sender = socket.inet_ntoa(frame[28:32])
        self.target = socket.inet_ntoa(frame[38:42])


class Wire:
    """Adverts and ARP packets that a host sends and receives."""

    def __init__(self, host):
        self._process = HostProcess(host, f"{PYTHON} -", stdin=_SNIFF)
        wait_until(lambda: "ready" in self._process.lines, 10, "the sniffer runs")

    def _frames(self):
        for line in list(self._process.lines):
            stamp, _, text = line.partition(" ")
            if text:
                yield float(stamp), bytes.fromhex(text)

    def adverts(self, source=None, since=0.0):
        found = [Advert(at, frame) for at, frame in self._frames() if at >= since and frame[12:14] != b"\x08\x06"]
        return [advert for advert in found if source is None or advert.source == source]

    def arps(self, since=0.0):
        return [Arp(at, frame) for at, frame in self._frames() if at >= since and frame[12:14] == b"\x08\x06"]

    def stop(self):
        self._process.kill()


class Owners:
    """Who had an address when, by the kernel's own news on both directors."""

    def __init__(self, address):
        self._address = address
        # At once, whatever else runs: a line has the time at which it was read.
        self._monitors = {host: HostProcess(host, "chrt --fifo 10 ip -ts monitor address") for host in ADDRESS}
        self._before = {host: address in addresses(host) for host in ADDRESS}
        self._began = time.time()

    def _spans(self, host):
        """[(from, to)] during which HOST had it on eth0."""
        spans, since = [], self._began if self._before[host] else None
        for line in list(self._monitors[host].lines):
            match = re.match(r"\[([^\]]+)\] (Deleted )?.*eth0\s+inet6? (\S+)/\d+", line)
            if not match or match.group(3) != self._address:
                continue
            at = datetime.datetime.fromisoformat(match.group(1)).timestamp()
            if match.group(2):
                if since is not None:
                    spans.append((since, at))
                since = None
            elif since is None:
                since = at
        return spans + ([(since, time.time())] if since is not None else [])

    def longest_double(self):
        """Seconds for which both had it, at the longest."""
        both = [min(a[1], b[1]) - max(a[0], b[0]) for a in self._spans("d1") for b in self._spans("d2")]
        return max([0.0, *both])

    def longest_gap(self, since, until):
        """Seconds for which none had it, at the longest."""
        gap, covered = 0.0, since
        for begin, end in sorted(self._spans("d1") + self._spans("d2")):
            if end <= since or begin >= until:
                continue
            gap = max(gap, begin - covered)
            covered = max(covered, end)
        return max(gap, until - covered)

    def stop(self):
        for monitor in self._monitors.values():
            monitor.kill()


ECHO = r"""
import socket, sys
v6 = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(41 if v6 else 0, 78 if v6 else 15, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    data, client = s.recvfrom(100)
    try:
        s.sendto(data + sys.argv[3].encode(), client)
    except OSError as error:
        print(f"no answer to {data.hex()}: {error}", flush=True)
"""


class Echo:
    """A UDP echo on a director that answers on the VIP when the node has it. With real-time priority: on a busy machine it would
    else get to a question when the address has long left, and that is not what a move loses."""

    def __init__(self, host, vip=VIPS[0]):
        self._process = HostProcess(host, f"chrt --fifo 5 {PYTHON} - {vip} {ECHO_PORT} {host}", stdin=ECHO)
        wait_until(lambda: "ready" in self._process.lines, 10, "the echo runs")

    def stop(self):
        self._process.kill()


class Client:
    """Asks the VIP 500 times a second and keeps which questions were answered, and by whom."""

    def __init__(self, vip=VIPS[0]):
        self._vip = vip
        self._socket = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.2)
        self._sent = []
        self._answers = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._ask, self._hear)]
        for thread in self._threads:
            thread.start()

    def _ask(self):
        start = time.monotonic()
        number = 0
        while not self._stop.is_set():
            self._sent.append(time.time())
            try:
                self._socket.sendto(struct.pack("!I", number), (self._vip, ECHO_PORT))
            except OSError:
                pass  # nobody has the address
            number += 1
            delay = start + number / PROBES_PER_SECOND - time.monotonic()
            if delay > 0:
                time.sleep(delay)

    def _hear(self):
        until = None
        while until is None or time.monotonic() < until:
            if self._stop.is_set() and until is None:
                until = time.monotonic() + 1
            try:
                data = self._socket.recv(100)
            except OSError:
                continue
            self._answers[struct.unpack("!I", data[:4])[0]] = (time.time(), data[4:].decode())

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    @property
    def sent(self):
        return len(self._sent)

    def asked(self, since=0.0, until=math.inf):
        """Numbers of the questions of that time. It answers for what is 0.2 s old, or for all after stop()."""
        return [number for number, sent in enumerate(self._sent.copy()) if since <= sent <= until]

    def lost(self, since=0.0, until=math.inf):
        """Numbers of the questions without an answer."""
        return [number for number in self.asked(since, until) if number not in self._answers]

    def outage(self, since=0.0, until=math.inf):
        """Seconds from the last answered question before the longest hole to the first one after it."""
        answered = [number for number in self.asked(since, until) if number in self._answers]
        holes = [self._sent[b] - self._sent[a] for a, b in zip(answered, answered[1:]) if b > a + 1]
        return max(holes, default=0.0)

    def late(self, since=0.0, until=math.inf):
        """Seconds between two questions, at the longest: what the client itself did not see."""
        sent = [self._sent[number] for number in self.asked(since, until)]
        return max((b - a for a, b in zip(sent, sent[1:])), default=0.0)

    def hosts(self):
        """Who answered, in the order of first answers."""
        seen = []
        for number in sorted(self._answers):
            if self._answers[number][1] not in seen:
                seen.append(self._answers[number][1])
        return seen
