"""Failover and planned handover of a VIP: Drover's VRRP beside Debian's keepalived, in one run, with the same timers.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/bench/failover_beside_keepalived.py [REPETITIONS]

A client asks the VIP over UDP 500 times a second. director-crash: the master's cable goes dead and its processes get SIGKILL, at a
moment drawn by chance; measured is the longest hole in the answers. Planned handover: the master is told to end (SIGTERM);
measured are the questions that were lost. With 59 repetitions the largest value is, with 95 % confidence, not below the 95th
percentile. Exits with 1 only when one of the two does not do its work, never because of a time.
"""

import math
import os
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "lab"))
sys.dont_write_bytecode = True
from vrrp_case import BESIDE_AN_INSTANCE  # noqa: E402
from vrrp_tools import ADDRESS, VIPS, Client, Drover, Echo, Keepalived, addresses, instance, link, on, wait_until  # noqa: E402

REPETITIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 59
INTERVAL_MS = 100
VIP = VIPS[0]
CONFIDENCE, PERCENTILE = 0.95, 0.95
BEFORE, BEHIND = 0.1, 0.2  # s around an event that are looked at
ANSWERED = 0.25  # s after which the client knows what is lost
PATIENCE = 8.0


def settings(host):
    return instance(advert_interval_ms=INTERVAL_MS, priority=150 if host == "d1" else 100, addresses=[f"{VIP}/32"])


class DroverPair:
    name = "drover"

    @staticmethod
    def start(host):
        return Drover(host, settings(host))

    @staticmethod
    def end(speaker):
        speaker.hand_over()


class KeepalivedPair:
    name = "keepalived"

    @staticmethod
    def start(host):
        return Keepalived(host, settings(host))

    @staticmethod
    def end(speaker):
        speaker.stop()


class Bench:
    """One pair, d1 master; it is so again after each event."""

    def __init__(self, kind):
        self.kind, self.crashes, self.moves, self.lost, self.asked, self.late = kind, [], [], [], 0, []
        self.two = kind.start("d2")
        self.one = kind.start("d1")
        self.wait_home()
        self.client = Client()
        time.sleep(1)

    def wait_home(self):
        wait_until(lambda: VIP in addresses("d1") and VIP not in addresses("d2"), PATIENCE, f"{self.kind.name}: d1 has the VIP")
        time.sleep(BEHIND)

    def crash(self):
        time.sleep(random.uniform(0, INTERVAL_MS / 1000))
        since = time.time() - BEFORE
        link("d1", "down")
        pid = self.one.process.pid
        on("d1", f"kill -9 $(cat /proc/{pid}/task/{pid}/children) {pid}", check=False)
        wait_until(lambda: VIP in addresses("d2"), PATIENCE, f"{self.kind.name}: d2 takes over")
        time.sleep(BEHIND + ANSWERED)
        until = time.time() - ANSWERED
        self.crashes.append(self.client.outage(since, until) * 1000)
        self.late.append(self.client.late(since, until) * 1000)
        self.one.process.wait()
        on("d1", f"for i in eth0 lo; do ip addr del {VIP}/32 dev $i 2>/dev/null; done; true")
        link("d1", "up")
        self.one = self.kind.start("d1")
        self.wait_home()

    def hand_over(self):
        since = time.time() - BEFORE
        self.kind.end(self.one)
        wait_until(lambda: VIP in addresses("d2"), PATIENCE, f"{self.kind.name}: d2 takes over")
        time.sleep(BEHIND + ANSWERED)
        until = time.time() - ANSWERED
        self.moves.append(self.client.outage(since, until) * 1000)
        self.late.append(self.client.late(since, until) * 1000)
        self.lost.append(len(self.client.lost(since, until)))
        self.asked += len(self.client.asked(since, until))
        self.one = self.kind.start("d1")
        self.wait_home()

    def stop(self):
        self.client.stop()
        for speaker in (self.one, self.two):
            speaker.stop()
        for host in ADDRESS:
            on(host, f"for i in eth0 lo; do ip addr del {VIP}/32 dev $i 2>/dev/null; done; true")


def p95(values):
    """The smallest value that 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(PERCENTILE * len(values)) - 1]


def table(title, unit, columns):
    print(f"\n{title}\n{'':12}{'n':>5}{'median':>12}{'p95':>12}{'max':>12}")
    for name, values in columns.items():
        numbers = (statistics.median(values), p95(values), max(values))
        print(f"{name:12}{len(values):>5}" + "".join(f"{number:>8.0f} {unit:<3}" for number in numbers))


def claim(count):
    confidence = 1 - PERCENTILE ** count
    if confidence < CONFIDENCE:
        return f"{count} repetitions allow no claim about the 95th percentile ({confidence:.0%} confidence; 59 give 95 %)"
    return f"{count} repetitions: the 95th percentile is not above max, with {confidence:.1%} confidence"


def ratio(of, to):
    return "none lost" if not to and not of else f"{of / to:.2f}" if to else "infinite"


def main():
    for host in ADDRESS:
        on(host, BESIDE_AN_INSTANCE)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))  # a client that is late itself sees outages that are none
    echoes = [Echo(host, VIP) for host in ADDRESS]
    benches = {}
    for kind in (DroverPair, KeepalivedPair):
        bench = benches[kind.name] = Bench(kind)
        for _ in range(REPETITIONS):
            bench.crash()
            bench.hand_over()
        bench.stop()
    for echo in echoes:
        echo.stop()
    drover, keepalived = benches["drover"], benches["keepalived"]
    skew = INTERVAL_MS * 156 / 256
    print(f"VRRP version 3, adverts every {INTERVAL_MS} ms, backup of priority 100")
    table(f"director-crash, outage (by the protocol {2 * INTERVAL_MS + skew:.0f} to {3 * INTERVAL_MS + skew:.0f} ms)", "ms",
          {name: bench.crashes for name, bench in benches.items()})
    print(f"keepalived / drover: median {ratio(statistics.median(keepalived.crashes), statistics.median(drover.crashes))}, "
          f"p95 {ratio(p95(keepalived.crashes), p95(drover.crashes))}\n{claim(REPETITIONS)}")
    table("planned handover, longest hole (the client asks every 2 ms)", "ms", {name: bench.moves for name, bench in benches.items()})
    for name, bench in benches.items():
        moves = sum(1 for lost in bench.lost if lost)
        print(f"{name}: {sum(bench.lost)} of {bench.asked} questions lost, in {moves} of {len(bench.lost)} handovers, at most {max(bench.lost)}")
    late = sorted(drover.late + keepalived.late)
    print(f"the client's own pauses: median {statistics.median(late):.0f} ms, p95 {p95(late):.0f} ms, at most {late[-1]:.0f} ms")
    print(f"questions lost, keepalived / drover: {ratio(sum(keepalived.lost), sum(drover.lost))}\n{claim(REPETITIONS)}")


main()
