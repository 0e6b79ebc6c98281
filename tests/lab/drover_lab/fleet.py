"""The hosts of a lab seen from outside: power, cables, and the line to each host's first process.

Every call is the supervisor's. A host that is off has no process and no network, but keeps its disk.
"""

import os
import signal
import socket
import time

from . import cgroups, disk, linux, messages, network
from .host import run_host
from .topology import boots_systemd

NAMESPACES = (linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)

OFF, BOOTING, UP, FROZEN, ENDING = "off", "booting", "up", "frozen", "going down"


class Host:
    """One host: what the topology says about it, and its present state."""

    def __init__(self, number, description, root, is_control):
        self.number = number
        self.description = description
        self.name = description["name"]
        self.root = root
        self.cgroup = None  # the directory of its control group, when it boots systemd
        self.is_control = is_control
        self.state = OFF
        self.pid = None
        self.channel = None
        self.boot_started = 0.0


class Fleet:
    """HEAR is called with a host whose first process has said something (or ended)."""

    def __init__(self, plan, lowers, checkout_lower, out_source, loop, hear):
        topology = plan["topology"]
        self._loop = loop
        self._hear = hear
        self._guards_machine = plan["guards_machine"]
        network.lay_switches(topology["segments"])
        self.hosts = {}
        for number, description in enumerate(topology["hosts"]):
            root = disk.mount_disk(plan, number, lowers, checkout_lower, out_source)
            name = description["name"]
            self.hosts[name] = Host(number, description, root, name == topology["control"])
        self._lay_out_cgroups(plan)
        self.control = self.hosts[topology["control"]]

    def _lay_out_cgroups(self, plan):
        if not boots_systemd(plan["topology"]):
            return
        place = os.path.join(disk.WORKSPACE, "cgroup")
        cgroups.mount(place)
        for host in self.hosts.values():
            if host.description["init"] == "systemd":
                host.cgroup = os.path.join(place, plan["cgroup"], f"host{host.number}")

    def by_pid(self, pid):
        return next((host for host in self.hosts.values() if host.pid == pid), None)

    def turn_on(self, hosts):
        """Starts to boot HOSTS; each says on its channel when it is up."""
        for host in hosts:
            self._start_first_process(host)
        network.run_ip([line for host in hosts for line in network.plug_in(host.number, host.description, host.pid)])
        for host in hosts:
            messages.send(host.channel, {"go": True})

    def turn_off(self, host):
        """A power cut: off the network first; when this returns every process of the host is gone."""
        if host.state == OFF:
            return
        network.run_ip(network.pull_out(host.number, host.description))
        os.kill(host.pid, signal.SIGKILL)
        os.waitpid(host.pid, 0)
        self._forget(host)

    def went_off(self, host):
        """The host's first process has ended by itself (and was waited for)."""
        # The kernel may have removed the cables with the host's network namespace already, or may do so in a moment.
        for line in network.pull_out(host.number, host.description):
            network.run_ip([line], may_fail=True)
        self._forget(host)

    def signal_all(self, host, number):
        """Sends every process of the host a signal; but the lab's own stays as it is."""
        messages.send(host.channel, {"signal": number})
        if host.cgroup is not None:
            os.kill(host.pid, number)

    def execute(self, host, request, fds):
        """Runs a command on the host; FDS are its standard files and the socket its exit status is sent to."""
        messages.send(host.channel, {"exec": request}, fds)

    def set_link(self, host, interface, state):
        """Plugs the cable of one interface in ("up") or out ("down"), at the switch's end."""
        names = [nic["name"] for nic in host.description["nics"]]
        port = network.port_name(host.number, names.index(interface))
        network.run_ip([f"link set {port} {state}"])

    def _start_first_process(self, host):
        if host.cgroup is not None:
            cgroups.make_fresh(host.cgroup)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = linux.fork_into(NAMESPACES)
        if pid == 0:
            # The lab's own files must not reach the hosts: an end of a pipe kept there would keep it open.
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, 1 << 16)
            run_host(host.description, host.root, theirs, host.is_control, self._guards_machine, host.cgroup)
        theirs.close()
        host.pid, host.channel, host.state, host.boot_started = pid, ours, BOOTING, time.monotonic()
        self._loop.watch(ours, lambda: self._hear(host))

    def _forget(self, host):
        self._loop.forget(host.channel)
        host.channel.close()
        host.pid, host.channel, host.state = None, None, OFF
