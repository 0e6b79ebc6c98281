"""Answers lab-ctl: one connection per request, from the control host's socket.

  request = {"op", "host", "interface", "state", "command", "environment"}   (what the op needs)
  answer  = {"exit": status, "text": printed on stdout} or {"error": reason}
"""

import difflib
import signal

from . import fleet, messages
from .topology import host_addresses


class Refused(Exception):
    """A request that cannot be done; the text goes to the person who asked."""


class Requests:
    """The requests that are open."""

    def __init__(self, the_fleet, loop):
        self._fleet = the_fleet
        self._loop = loop
        self._waiting = {}  # host name -> connections that wait until it is up

    def accept(self, door):
        connection, _ = door.accept()
        self._loop.watch(connection, lambda: self._hear(connection))

    def host_is_up(self, host):
        for connection in self._waiting.pop(host.name, []):
            _answer(connection, {"exit": 0})

    def host_failed(self, host, reason):
        for connection in self._waiting.pop(host.name, []):
            _answer(connection, {"error": f"{host.name}: {reason}"})

    def _hear(self, connection):
        self._loop.forget(connection)
        message, fds = messages.receive(connection)
        if message is None:
            connection.close()
            return
        try:
            self._do(message, fds, connection)
        except Refused as refusal:
            _answer(connection, {"error": str(refusal)})
        except BrokenPipeError:
            _answer(connection, {"error": f"host {message.get('host')} is going down"})
        finally:
            messages.close_all(fds)

    def _do(self, message, fds, connection):
        operations = {"hosts": self._hosts, "exec": self._exec, "reboot": self._reboot, "off": self._off,
                      "on": self._on, "link": self._link, "freeze": self._freeze, "thaw": self._thaw}
        operation = operations.get(message.get("op"))
        if operation is None:
            raise Refused(f"no such command: {message.get('op')}")
        operation(message, fds, connection)

    def _host(self, message, *states):
        name = message.get("host")
        host = self._fleet.hosts.get(name)
        if host is None:
            near = difflib.get_close_matches(str(name), self._fleet.hosts, 1)
            raise Refused(f"no host {name} in this lab" + (f"; did you mean {near[0]}?" if near else ""))
        if states and host.state not in states:
            raise Refused(f"host {name} is {host.state}")
        return host

    def _other_host(self, message, *states):
        host = self._host(message, *states)
        if host.is_control:
            raise Refused(f"{host.name} is the control host: COMMAND runs there")
        return host

    def _hosts(self, _message, _fds, connection):
        lines = [f"{host.name} {' '.join(host_addresses(host.description))} {host.state}"
                 for host in self._fleet.hosts.values()]
        _answer(connection, {"exit": 0, "text": "\n".join(lines) + "\n"})

    def _exec(self, message, fds, connection):
        host = self._host(message, fleet.UP)
        command = message.get("command")
        if len(fds) != 3 or not isinstance(command, list) or not command:
            raise Refused("exec needs a command and three files")
        self._fleet.execute(host, {"command": command}, [*fds, connection.fileno()])
        connection.close()  # the host's first process answers

    def _reboot(self, message, _fds, connection):
        host = self._other_host(message)
        self._turn_off(host)
        self._boot(host, connection)

    def _off(self, message, _fds, connection):
        self._turn_off(self._other_host(message))
        _answer(connection, {"exit": 0})

    def _on(self, message, _fds, connection):
        self._boot(self._other_host(message, fleet.OFF), connection)

    def _turn_off(self, host):
        self._fleet.turn_off(host)
        self.host_failed(host, "was switched off before it was up")

    def _boot(self, host, connection):
        self._waiting.setdefault(host.name, []).append(connection)
        self._fleet.turn_on([host])

    def _link(self, message, _fds, connection):
        host = self._host(message, fleet.BOOTING, fleet.UP, fleet.FROZEN)
        names = [nic["name"] for nic in host.description["nics"]]
        interface = message.get("interface") or names[0]
        if interface not in names:
            raise Refused(f"host {host.name} has no interface {interface}; it has {', '.join(names)}")
        if message.get("state") not in ("up", "down"):
            raise Refused("a link goes up or down")
        self._fleet.set_link(host, interface, message["state"])
        _answer(connection, {"exit": 0})

    def _freeze(self, message, _fds, connection):
        host = self._other_host(message, fleet.UP)
        self._fleet.signal_all(host, signal.SIGSTOP)
        host.state = fleet.FROZEN
        _answer(connection, {"exit": 0})

    def _thaw(self, message, _fds, connection):
        host = self._other_host(message, fleet.FROZEN)
        self._fleet.signal_all(host, signal.SIGCONT)
        host.state = fleet.UP
        _answer(connection, {"exit": 0})


def _answer(connection, answer):
    try:
        messages.send(connection, answer)
    except OSError:
        pass  # lab-ctl was ended
    connection.close()
