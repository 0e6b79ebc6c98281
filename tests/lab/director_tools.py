"""What director_test.py and grow_test.py work with: servers that say who they are, a prober that keeps its pace and counts what it
loses, looks at who owns the VIP and at ip_vs. All clocks are CLOCK_MONOTONIC of the one kernel, in seconds.

Servers and prober are those of drills (probe.cc). The looks run as processes of their own, started by this file's name and a
role: director_tools.py owner STOP_FILE | tables STOP_FILE
"""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

from host_shell import lab, on, wait_until

VIP = "10.77.0.100"
WEB_PORT = 80
THROUGH_PORT = 81
UDP_PORT = 5000
ECHO_PORT = 5001
PYTHON = "/usr/bin/python3"
HERE = str(pathlib.Path(__file__).resolve())
PROBE = os.path.abspath(os.environ.get("LAB_PROBE", "build/tests/lab/lab_probe"))


def start_servers(hosts):
    for host in hosts:
        on(host, f"setsid {PROBE} serve {host} {VIP}:{UDP_PORT} {VIP}:{ECHO_PORT} >/run/serve.log 2>&1 </dev/null &")


class Role:
    """One of the looks of this file on a host; ends when it is asked for its result."""

    def __init__(self, host, role):
        self.host = host
        self.stop_file = f"/run/role-{time.monotonic_ns()}"
        self.process = subprocess.Popen(["lab-ctl", "exec", host, "--", PYTHON, HERE, role, self.stop_file],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.kill()
            raise AssertionError(f"{host}: {role} did not start")

    def result(self):
        on(self.host, f"touch {self.stop_file}")
        output, _ = self.process.communicate(timeout=120)
        return json.loads(output)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Prober:
    """Open loop: `rate` new connections per second, `datagrams` for each of them, and two questions per second over each of
    `long_lived` connections."""

    def __init__(self, rate, long_lived, datagrams=5):
        self.process = subprocess.Popen([PROBE, "ask", f"{VIP}:{WEB_PORT}", str(rate), f"{VIP}:{UDP_PORT}",
                                         str(rate * datagrams), f"{VIP}:{ECHO_PORT}", str(long_lived)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.kill()
            raise AssertionError("the prober did not start")

    def result(self):
        self.process.terminate()
        output, _ = self.process.communicate(timeout=120)
        return Probed(json.loads(output))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Probed:
    """What became of all probes: {"http" | "udp" | "long": what probe.cc says of it}."""

    def __init__(self, series):
        self.series = series

    def number(self, name, *fates):
        return sum(self.series[name]["fates"][fate] for fate in fates) if name in self.series else 0

    def answered(self):
        return sum(self.number(name, "ok", "late") for name in self.series)

    def hurt(self):
        """{"udp lost": number…} without zeros. Late is not lost: an emulated machine is late by itself. What the prober could not send
        in its time is not the cluster's doing; when it is more than a fiftieth, little is known about the cluster."""
        numbers = {f"{name} {fate}": self.number(name, fate) for name in self.series for fate in ("lost", "error", "wrong")}
        unsent = sum(self.number(name, "unsent") for name in self.series)
        if unsent * 50 > self.answered():
            numbers["unsent"] = unsent
        return {what: number for what, number in numbers.items() if number}

    def late(self):
        return sum(self.number(name, "late") for name in self.series)

    def lag_ms(self):
        """How late the prober itself was: the 99th percentile of the worst kind."""
        return max(series["lag_p99_ms"] for series in self.series.values())

    def __str__(self):
        told = []
        for name, series in self.series.items():
            fates = ", ".join(f"{number} {fate}" for fate, number in series["fates"].items() if number)
            bad = f", bad at {series['bad_at_s']} s" if series["bad_at_s"] else ""
            told.append(f"{name}: {fates}, answered after {series['latency_p50_ms']:.1f} ms (p99 {series['latency_p99_ms']:.0f}), "
                        f"longest gap {series['gap_ms']:.0f} ms{bad}")
        return "; ".join(told) + f"; the prober was {self.lag_ms():.1f} ms late (p99)"


class Owners:
    """Who has the VIP on eth0 of both directors, over a time."""

    def __init__(self, *hosts):
        self.roles = {host: Role(host, "owner") for host in hosts}

    def result(self):
        """{host: [(from, to)]}; ends of what lasts are the moment of the last look."""
        return {host: [tuple(span) for span in role.result()] for host, role in self.roles.items()}

    def kill(self):
        for role in self.roles.values():
            role.kill()


class Tables:
    """What ip_vs of both directors had, over a time."""

    def __init__(self):
        self.roles = {host: Role(host, "tables") for host in ("lb1", "lb2")}

    def result(self):
        """{host: [(moment, {port: {real server: weight}})]}, an entry for every change."""
        return {host: role.result() for host, role in self.roles.items()}

    def kill(self):
        for role in self.roles.values():
            role.kill()


def since(tables, moment, port, want):
    """Seconds from `moment` until both directors had `want`; None: one of them never had."""
    latest = 0.0
    for looks in tables.values():
        before = [look for look in looks if look[0] <= moment][-1:]
        after = [look for look in looks if look[0] > moment]
        first = next((at for at, table in before + after if table.get(str(port)) == want), None)
        if first is None:
            return None
        latest = max(latest, first - moment)
    return latest


def stamped(host, command):
    """Runs it; CLOCK_MONOTONIC right before and right after, as the host itself sees it (to 10 ms)."""
    lines = on(host, f"cut -d' ' -f1 /proc/uptime; {command}; cut -d' ' -f1 /proc/uptime").splitlines()
    return float(lines[0]), float(lines[-1])


def shared(owners):
    """The longest time that two of them owned the VIP at once."""
    spans = [(begin, end, host) for host, list_ in owners.items() for begin, end in list_]
    return max([0.0] + [min(a[1], b[1]) - max(a[0], b[0]) for a in spans for b in spans if a[2] < b[2]])


def services(text):
    """{port: {real server: weight}} of the VIP's services, from /proc/net/ip_vs."""
    found = {}
    here = None
    for line in text.splitlines()[3:]:
        words = line.split()
        if words[0] == "->" and here is not None:
            here[socket.inet_ntoa(bytes.fromhex(words[1].split(":")[0]))] = int(words[3])
        elif words[0] != "->":
            address, _, port = words[1].partition(":")
            vip = len(address) == 8 and socket.inet_ntoa(bytes.fromhex(address)) == VIP
            here = found.setdefault(str(int(port, 16)), {}) if vip else None
    return found


# --- the roles

def own(stop_file):
    """Looks every 20 ms whether eth0 has the VIP (RTM_GETADDR); the spans in which it had."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    index = socket.if_nametoindex("eth0")
    ask = struct.pack("=IHHIIB7x", 24, 22, 0x301, 1, 0, socket.AF_INET)
    vip = struct.pack("=HH", 8, 2) + socket.inet_aton(VIP)  # IFA_LOCAL
    spans = []
    print("ready", flush=True)
    while not stop_file.exists():
        for _ in range(5):
            netlink.send(ask)
            has = done = False
            while not done:
                data = netlink.recv(65536)
                at = 0
                while at + 16 <= len(data):
                    length, kind = struct.unpack_from("=IH", data, at)
                    if kind == 3:  # NLMSG_DONE
                        done = True
                    elif struct.unpack_from("=i", data, at + 20)[0] == index and vip in data[at:at + length]:
                        has = True
                    at += (length + 3) & ~3
            now = time.monotonic()
            if has and spans and spans[-1][2]:
                spans[-1][1] = now
            elif has:
                spans.append([now, now, True])
            elif spans:
                spans[-1][2] = False
            time.sleep(0.02)
    return [span[:2] for span in spans]


def watch_tables(stop_file):
    table = pathlib.Path("/proc/net/ip_vs")
    looks = [(time.monotonic(), services(table.read_text()))]
    print("ready", flush=True)
    while not stop_file.exists():
        for _ in range(5):
            now = services(table.read_text())
            if now != looks[-1][1]:
                looks.append((time.monotonic(), now))
            time.sleep(0.02)
    return looks


if __name__ == "__main__":
    LOOK = {"tables": watch_tables, "owner": own}[sys.argv[1]]
    print(json.dumps(LOOK(pathlib.Path(sys.argv[2]))))
