"""1,000 tcp and then 1,000 http checks every second: our check engine beside keepalived's checker process, in one run.

    tests/lab/lab -i tests/bench/checks.yml -- /usr/bin/python3 tests/bench/checks_beside_keepalived.py [SECONDS [ROUNDS [CHECKS]]]

Runs on a host of the lab, because keepalived's checker needs ip_vs. Both probe the same server on 1,000 addresses of the
loopback, one after the other; CPU time is that of the process in SECONDS of steady state, divided by the probes that the
server saw in them. Exits with 1 only when one of the two does not do its work, never because of a time.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
PORT = 8080
BENCH = os.environ.get("CHECKS_BENCH", "build/tests/bench/checks_bench")
TICKS = os.sysconf("SC_CLK_TCK")
SETTLE = 5
PATIENCE = 90  # until every server was asked once


def address(number):
    return f"127.1.{number >> 8}.{number & 255}"


def keepalived_settings(kind):
    check = "TCP_CHECK {\nconnect_timeout 1\n}\n"
    if kind == "http":
        check = "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nconnect_timeout 1\n}\n"
    servers = "".join(f"real_server {address(n)} {PORT} {{\nweight 1\n{check}}}\n" for n in range(1, COUNT + 1))
    return (f"global_defs {{\nrouter_id bench\n}}\nvirtual_server 10.5.5.5 {PORT} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\n"
            f"protocol TCP\n{servers}}}\n")


def served():
    with socket.create_connection(("127.0.0.1", PORT + 1), timeout=5) as connection:
        accepted, answered = connection.recv(100).split()
    return int(accepted), int(answered)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


class Drover:
    name = "drover"

    def __init__(self, kind, folder):
        self.process = subprocess.Popen([BENCH, "check", kind, str(COUNT), str(PORT)], stdout=subprocess.DEVNULL)
        self.pid = self.process.pid

    def said(self):
        return ""

    def stop(self):
        self.process.kill()
        self.process.wait()


class Keepalived:
    name = "keepalived"

    def __init__(self, kind, folder):
        path = os.path.join(folder, "keepalived.conf")
        with open(path, "w") as settings:
            settings.write(keepalived_settings(kind))
        self.log = open(os.path.join(folder, "keepalived.log"), "w+")
        self.process = subprocess.Popen(["keepalived", "-n", "-l", "-C", "-f", path, "-p", f"{folder}/pid", "-c", f"{folder}/pid-c"],
                                        stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while not children(self.process.pid):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("keepalived did not start its checker" + self.said())
            time.sleep(0.1)
        self.pid = children(self.process.pid)[0]

    def said(self):
        self.log.seek(0)
        return ":\n" + self.log.read()[-2000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def settle(running):
    began, first = time.monotonic(), served()[0]
    while served()[0] - first < 2 * COUNT:
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"{running.name} asked {served()[0] - first} times in its first {PATIENCE} s{running.said()}")
        time.sleep(0.2)
    time.sleep(SETTLE)


def measure(tool, kind, seconds):
    with tempfile.TemporaryDirectory() as folder:
        running = tool(kind, folder)
        try:
            settle(running)
            before, cpu_before, began = served(), cpu_seconds(running.pid), time.monotonic()
            time.sleep(seconds)
            after, cpu, took = served(), cpu_seconds(running.pid) - cpu_before, time.monotonic() - began
            resident = resident_kib(running.pid)
        finally:
            running.stop()
    probes = (after[1] - before[1]) if kind == "http" else (after[0] - before[0])
    # An emulated machine under load is slower than its checks; the time per probe still compares.
    if probes < COUNT * seconds / 20:
        sys.exit(f"{tool.name} made {probes} {kind} probes in {took:.1f} s, wanted about {COUNT * seconds}")
    return {"rate": probes / took, "cpu": cpu * 1e6 / probes, "share": 100 * cpu / took, "rss": resident / 1024}


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    tools = [Drover]
    if shutil.which("keepalived"):
        tools.append(Keepalived)
    else:
        print("keepalived is not installed: ours alone")
    server = subprocess.Popen([BENCH, "serve", str(PORT)])
    try:
        time.sleep(0.5)
        print(f"{COUNT} checks every second, {rounds} x {seconds} s each, medians")
        for kind in ("tcp", "http"):
            found = {tool: [] for tool in tools}
            for _ in range(rounds):
                for tool in tools:
                    found[tool].append(measure(tool, kind, seconds))
            medians = {tool: {key: statistics.median(one[key] for one in each) for key in each[0]} for tool, each in found.items()}
            for tool, median in medians.items():
                print(f"{kind:5} {tool.name:11} {median['rate']:5.0f} probes/s  {median['cpu']:6.1f} us CPU each  "
                      f"{median['share']:5.1f} % of a CPU  {median['rss']:5.1f} MiB resident", flush=True)
            if Keepalived in medians:
                ours, theirs = medians[Drover], medians[Keepalived]
                print(f"{kind:5} ratio drover / keepalived: CPU {ours['cpu'] / theirs['cpu']:.2f}, "
                      f"memory {ours['rss'] / theirs['rss']:.2f}", flush=True)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
