"""What director_test.py works with: servers that say who they are, a prober that keeps its pace and counts what it loses, a
look at who owns the VIP. All clocks are CLOCK_MONOTONIC of the one kernel, in seconds.

The servers, the prober and the look run as processes of their own, started by this file's name and a role:
    director_tools.py serve NAME | probe NEW_PER_SECOND DATAGRAMS_PER_SECOND LONG_LIVED STOP_FILE | owner STOP_FILE | tables STOP_FILE
"""

import errno
import heapq
import json
import pathlib
import resource
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time

VIP = "10.77.0.100"
WEB_PORT = 80
THROUGH_PORT = 81
UDP_PORT = 5000
ECHO_PORT = 5001
PYTHON = "/usr/bin/python3"
HERE = str(pathlib.Path(__file__).resolve())


def on(host, command, check=True):
    """Runs a shell command in a host without SSH; its output, stripped."""
    done = subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{host}: {command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def lab(*command):
    subprocess.run(["lab-ctl", *command], check=True, timeout=120)


def wait_until(condition, seconds, what):
    """How long it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:.1f} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun


def start_servers(hosts):
    for host in hosts:
        on(host, f"setsid {PYTHON} {HERE} serve {host} >/run/serve.log 2>&1 </dev/null &")


class Role:
    """One of the processes of this file, on a host or (host None) here; ends when it is asked for its result."""

    def __init__(self, host, *words):
        self.host = host
        if host is None:
            self.stop_file = tempfile.mktemp(prefix="role-")
            command = [PYTHON, HERE, *words, self.stop_file]
        else:
            self.stop_file = f"/run/role-{time.monotonic_ns()}"
            command = ["lab-ctl", "exec", host, "--", PYTHON, HERE, *words, self.stop_file]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.kill()
            raise AssertionError(f"{host or 'control'}: {' '.join(words)} did not start")

    def result(self):
        if self.host is None:
            pathlib.Path(self.stop_file).touch()
        else:
            on(self.host, f"touch {self.stop_file}")
        output, _ = self.process.communicate(timeout=120)
        return json.loads(output)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def prober(rate, long_lived):
    """`rate`: new connections per second; five times as many datagrams."""
    return Role(None, "probe", str(rate), str(rate * 5), str(long_lived))


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

def serve(name):
    """Echo on the VIP: UDP datagrams and lines over TCP, each answered with this server's name in front."""
    doors = selectors.DefaultSelector()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    udp.bind((VIP, UDP_PORT))
    tcp = socket.create_server((VIP, ECHO_PORT), backlog=512)
    for door in (udp, tcp):
        door.setblocking(False)
        doors.register(door, selectors.EVENT_READ)
    while True:
        for key, _ in doors.select():
            try:
                if key.fileobj is udp:
                    data, client = udp.recvfrom(2048)
                    udp.sendto(name + b" " + data, client)
                elif key.fileobj is tcp:
                    connection, _ = tcp.accept()
                    connection.setblocking(False)
                    doors.register(connection, selectors.EVENT_READ)
                else:
                    data = key.fileobj.recv(2048)
                    if not data:
                        raise ConnectionError
                    key.fileobj.send(name + b" " + data)
            except BlockingIOError:
                pass
            except OSError:
                if key.fileobj not in (udp, tcp):
                    doors.unregister(key.fileobj)
                    key.fileobj.close()


class Prober:
    """Open loop: what is sent, and when, is fixed beforehand and waits for no answer; times count from the planned moment."""

    DEADLINE = 4.0  # longer than a lost SYN and its repetition take

    def __init__(self, new_per_second, datagrams_per_second, long_lived):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.doors = selectors.DefaultSelector()
        self.http = {}  # socket -> [planned, answer so far]
        self.echoes = []  # [socket, server, number sent, number heard, when sent]
        self.count = {"http_ok": 0, "http_reset": 0, "http_lost": 0, "udp_ok": 0, "udp_late": 0, "echo_ok": 0,
                      "echo_broken": 0, "echo_moved": 0}
        self.servers = {}
        self.bad_at = []  # when new connections failed
        self.lag = []
        self.latency = []
        self.open_at = {}  # datagram number -> planned
        self.gap = 0.0     # longest time between planned moments of answered datagrams
        self.last_echoed = None
        self.udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
        for door in self.udp:
            door.connect((VIP, UDP_PORT))
            door.setblocking(False)
            self.doors.register(door, selectors.EVENT_READ, self.hear_datagram)
        for _ in range(long_lived):
            self.open_long_lived()
        now = time.monotonic() + 0.1
        self.plan = []  # (moment, sequence, period, action)
        for rate, action in ((new_per_second, self.connect), (datagrams_per_second, self.send_datagram),
                             (long_lived * 2, self.say_something)):
            if rate:
                heapq.heappush(self.plan, (now, len(self.plan), 1 / rate, action))
        self.number = 0
        self.turn = 0

    def open_long_lived(self):
        door = socket.create_connection((VIP, ECHO_PORT), timeout=20)
        door.sendall(b"0\n")
        server = door.recv(100).split()[0]
        door.setblocking(False)
        entry = [door, server, 0, 0, 0.0]
        self.echoes.append(entry)
        self.doors.register(door, selectors.EVENT_READ, lambda door, entry=entry: self.hear_echo(entry))

    def say_something(self, planned):
        entry = self.echoes[self.turn % len(self.echoes)]
        self.turn += 1
        if entry[0] is None or entry[2] != entry[3]:
            return  # broken, or the last line is still on its way
        entry[2] += 1
        entry[4] = planned
        try:
            entry[0].send(b"%d\n" % entry[2])
        except OSError:
            self.break_echo(entry)

    def hear_echo(self, entry):
        try:
            data = entry[0].recv(100)
        except OSError:
            data = b""
        if not data:
            return self.break_echo(entry)
        server, number = data.split()[:2]
        if server != entry[1]:
            self.count["echo_moved"] += 1
        entry[3] = int(number)
        self.count["echo_ok"] += 1

    def break_echo(self, entry):
        self.doors.unregister(entry[0])
        entry[0].close()
        entry[0] = None
        self.count["echo_broken"] += 1

    def connect(self, planned):
        try:
            door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError:  # too many that wait for an answer
            self.count["http_lost"] += 1
            return None
        door.setblocking(False)
        self.http[door] = [planned, b""]
        if door.connect_ex((VIP, WEB_PORT)) not in (0, errno.EINPROGRESS):
            return self.end_http(door, "http_reset")
        self.doors.register(door, selectors.EVENT_WRITE, self.ask)

    def ask(self, door):
        try:
            door.send(b"GET / HTTP/1.0\r\n\r\n")
            self.doors.modify(door, selectors.EVENT_READ, self.hear_http)
        except OSError:
            self.end_http(door, "http_reset")

    def hear_http(self, door):
        try:
            data = door.recv(4096)
        except OSError:
            return self.end_http(door, "http_reset")
        if data:
            self.http[door][1] += data
            return None
        answer = self.http[door][1]
        if b" 200 " not in answer[:20]:
            return self.end_http(door, "http_reset")
        server = answer.split()[-1].decode()
        self.servers[server] = self.servers.get(server, 0) + 1
        self.latency.append(time.monotonic() - self.http[door][0])
        return self.end_http(door, "http_ok")

    def end_http(self, door, verdict):
        self.count[verdict] += 1
        if verdict != "http_ok":
            self.bad_at.append(round(time.monotonic(), 3))
        if door in self.doors.get_map():
            self.doors.unregister(door)
        door.close()
        del self.http[door]

    def send_datagram(self, planned):
        self.number += 1
        self.open_at[self.number] = planned
        try:
            self.udp[self.number % len(self.udp)].send(b"%d" % self.number)
        except OSError:
            pass  # counted as lost: no answer will come

    def hear_datagram(self, door):
        try:
            while True:
                planned = self.open_at.pop(int(door.recv(100).split()[1]), None)
                if planned is None:
                    continue
                late = time.monotonic() - planned > 1
                self.count["udp_late" if late else "udp_ok"] += 1
                if self.last_echoed is not None:
                    self.gap = max(self.gap, planned - self.last_echoed)
                self.last_echoed = max(planned, self.last_echoed or planned)
        except OSError:
            pass

    def turn_once(self, more):
        now = time.monotonic()
        while more and self.plan and self.plan[0][0] <= now:
            planned, order, period, action = heapq.heappop(self.plan)
            heapq.heappush(self.plan, (planned + period, order, period, action))
            self.lag.append(now - planned)
            action(planned)
            now = time.monotonic()
        patience = max(0.0, self.plan[0][0] - now) if more and self.plan else 0.05
        for key, _ in self.doors.select(min(patience, 0.05)):
            if key.fileobj in self.doors.get_map():
                key.data(key.fileobj)
        for door in [door for door, (planned, _) in self.http.items() if now - planned > self.DEADLINE]:
            self.end_http(door, "http_lost")

    def run(self, stop_file):
        """Until the file is there; then waits for what is still open."""
        begun = time.monotonic()
        while not stop_file.exists():
            for _ in range(20):
                self.turn_once(True)
        asked = time.monotonic()

        def waiting():
            return self.http or self.open_at or any(entry[0] and entry[2] != entry[3] for entry in self.echoes)

        while waiting() and time.monotonic() < asked + self.DEADLINE:
            self.turn_once(False)
        self.count["http_lost"] += len(self.http)
        self.count["udp_lost"] = len(self.open_at)
        self.count["echo_stuck"] = sum(1 for entry in self.echoes if entry[0] and entry[2] != entry[3])
        return {**self.count, "bad_at": self.bad_at[:20], "servers": self.servers, "seconds": round(asked - begun, 1),
                "udp_gap_ms": round(self.gap * 1000, 1), "long_lived": len(self.echoes),
                "latency_p50_ms": percentile_ms(self.latency, 0.5), "lag_p99_ms": percentile_ms(self.lag, 0.99),
                "lag_max_ms": percentile_ms(self.lag, 1)}


def percentile_ms(seconds, share):
    if not seconds:
        return None
    return round(1000 * sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)], 1)


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
    if sys.argv[1] == "serve":
        serve(sys.argv[2].encode())
    elif sys.argv[1] == "tables":
        print(json.dumps(watch_tables(pathlib.Path(sys.argv[2]))))
    elif sys.argv[1] == "owner":
        print(json.dumps(own(pathlib.Path(sys.argv[2]))))
    else:
        PROBER = Prober(*map(int, sys.argv[2:5]))
        print("ready", flush=True)
        print(json.dumps(PROBER.run(pathlib.Path(sys.argv[5]))))
